//! The tables of `platform` as they are asked for.

use daybook_domain::access;

use super::{Match, Owner, ReadTable, by, on, sort};
use crate::catalog::TableInfo;
use crate::platform::audit_log::AuditLogRow;

pub(super) const TABLES: &[ReadTable] = &[ReadTable {
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
    owner: Owner::User("user_id"),
    single: true,
}];
