//! The tables of `platform` as they are asked for.

use daybook_domain::access;

use super::{ID, Match, ReadTable, by, on, sort};
use crate::catalog::TableInfo;
use crate::platform::audit_log::AuditLogRow;
use crate::platform::notification::NotificationRow;
use crate::platform::setting::SystemSettingRow;

pub(super) const TABLES: &[ReadTable] = &[
    ReadTable {
        context: "platform",
        plural: "settings",
        info: TableInfo::of::<SystemSettingRow>(),
        kind: Some("platform.setting"),
        resource: "platform.setting",
        action: access::READ,
        stream: "id",
        filters: &[
            by("key", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
        ],
        order: &[sort("key", "text")],
        newest_first: false,
        single: true,
    },
    ReadTable {
        context: "platform",
        plural: "notifications",
        info: TableInfo::of::<NotificationRow>(),
        kind: Some("platform.notification"),
        resource: "platform.notification",
        action: access::READ,
        stream: "id",
        filters: &[
            by("user_id", Match::Id),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("from", "created_at", Match::From),
            on("before", "created_at", Match::Before),
        ],
        order: &[sort("created_at", "timestamptz"), ID],
        newest_first: true,
        single: true,
    },
    ReadTable {
        context: "platform",
        plural: "audit_logs",
        info: TableInfo::of::<AuditLogRow>(),
        kind: None,
        resource: access::LOG,
        action: access::HISTORY,
        stream: "stream_id",
        filters: &[
            by("user_id", Match::Id),
            by("entity_type", Match::Text),
            by("entity_id", Match::Id),
            on("from", "created_at", Match::From),
            on("before", "created_at", Match::Before),
        ],
        order: &[sort("id", "int8")],
        newest_first: true,
        single: true,
    },
];
