//! The tables of `recycling` as they are asked for.

use daybook_domain::access;

use super::{ID, Match, ReadTable, by, on};
use crate::catalog::TableInfo;
use crate::recycling::collection::{RecyclingCollectionRow, RecyclingProcessingRow};

pub(super) const TABLES: &[ReadTable] = &[
    ReadTable {
        context: "recycling",
        plural: "collections",
        info: TableInfo::of::<RecyclingCollectionRow>(),
        kind: Some("recycling.collection"),
        resource: "recycling.collection",
        action: access::READ,
        stream: "id",
        filters: &[
            by("customer_id", Match::Id),
            by("status", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("scheduled_from", "scheduled_date", Match::From),
            on("scheduled_before", "scheduled_date", Match::Before),
        ],
        order: &[ID],
        newest_first: true,
        single: true,
    },
    ReadTable {
        context: "recycling",
        plural: "processing",
        info: TableInfo::of::<RecyclingProcessingRow>(),
        kind: Some("recycling.collection"),
        resource: "recycling.collection",
        action: access::READ,
        stream: "collection_id",
        filters: &[
            by("collection_id", Match::Id),
            by("material_type", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("from", "processing_date", Match::From),
            on("before", "processing_date", Match::Before),
        ],
        order: &[ID],
        newest_first: true,
        single: true,
    },
];
