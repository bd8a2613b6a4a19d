//! The tables of `datacentre` as they are asked for.

use daybook_domain::access;

use super::{ID, Match, ReadTable, by, on, sort};
use crate::catalog::TableInfo;
use crate::datacentre::server::ServerRow;
use crate::datacentre::usage::UsageMetricRow;

pub(super) const TABLES: &[ReadTable] = &[
    ReadTable {
        context: "datacentre",
        plural: "servers",
        info: TableInfo::of::<ServerRow>(),
        kind: Some("datacentre.server"),
        resource: "datacentre.server",
        action: access::READ,
        stream: "id",
        filters: &[
            by("hostname", Match::Text),
            by("status", Match::Text),
            by("customer_id", Match::Id),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
        ],
        order: &[ID],
        newest_first: false,
        single: true,
    },
    // A sample has no address of its own: it is found by server, metric and instant.
    ReadTable {
        context: "datacentre",
        plural: "usage_metrics",
        info: TableInfo::of::<UsageMetricRow>(),
        kind: Some("datacentre.usage"),
        resource: "datacentre.server",
        action: access::READ,
        stream: "server_id",
        filters: &[
            by("server_id", Match::Id),
            by("metric_type", Match::Text),
            on("from", "recorded_at", Match::From),
            on("before", "recorded_at", Match::Before),
        ],
        order: &[sort("recorded_at", "timestamptz"), ID],
        newest_first: true,
        single: false,
    },
];
