//! The tables of `services` as they are asked for.

use daybook_domain::access;

use super::{ID, Match, ReadTable, by, on, sort};
use crate::catalog::TableInfo;
use crate::services::service::ServiceRow;
use crate::services::subscription::SubscriptionRow;

pub(super) const TABLES: &[ReadTable] = &[
    ReadTable {
        context: "services",
        plural: "services",
        info: TableInfo::of::<ServiceRow>(),
        kind: Some("services.service"),
        resource: "services.service",
        action: access::READ,
        stream: "id",
        filters: &[
            by("name", Match::Text),
            by("type", Match::Text),
            by("status", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
        ],
        order: &[ID],
        newest_first: false,
        single: true,
    },
    ReadTable {
        context: "services",
        plural: "subscriptions",
        info: TableInfo::of::<SubscriptionRow>(),
        kind: Some("services.subscription"),
        resource: "services.subscription",
        action: access::READ,
        stream: "id",
        filters: &[
            by("user_id", Match::Id),
            by("service_id", Match::Id),
            by("status", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("expires_from", "expires_at", Match::From),
            on("expires_before", "expires_at", Match::Before),
        ],
        order: &[sort("started_at", "timestamptz"), ID],
        newest_first: true,
        single: true,
    },
];
