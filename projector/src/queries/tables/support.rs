//! The tables of `support` as they are asked for.

use daybook_domain::access;

use super::{ID, Match, ReadTable, by, on};
use crate::catalog::TableInfo;
use crate::support::asset::ItAssetRow;
use crate::support::ticket::SupportTicketRow;

pub(super) const TABLES: &[ReadTable] = &[
    ReadTable {
        context: "support",
        plural: "tickets",
        info: TableInfo::of::<SupportTicketRow>(),
        kind: Some("support.ticket"),
        resource: "support.ticket",
        action: access::READ,
        stream: "id",
        filters: &[
            by("user_id", Match::Id),
            by("status", Match::Text),
            by("assigned_to", Match::Id),
            by("assigned_group", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("opened_from", "opened_at", Match::From),
            on("opened_before", "opened_at", Match::Before),
        ],
        order: &[ID],
        newest_first: true,
        single: true,
    },
    ReadTable {
        context: "support",
        plural: "assets",
        info: TableInfo::of::<ItAssetRow>(),
        kind: Some("support.asset"),
        resource: "support.asset",
        action: access::READ,
        stream: "id",
        filters: &[
            by("asset_tag", Match::Text),
            by("asset_type", Match::Text),
            by("serial_number", Match::Text),
            by("status", Match::Text),
            by("assigned_to", Match::Id),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
        ],
        order: &[ID],
        newest_first: false,
        single: true,
    },
];
