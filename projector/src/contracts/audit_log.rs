//! `ssot_audit_logs`: one row for each change of a contract, an alias or a governance rule, with what
//! the rules said. Made of the same rows before and after as `audit_logs` is; a row of it is not
//! itself a change, and has no row there.

use chrono::{DateTime, Utc};
use daybook_domain::contracts::api_contract::Finding;
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::platform::audit_log::IDS_PER_POSITION;
use crate::rows::Fault;
use crate::table::{JsonText, Row};

crate::table! {
    /// A row of `ssot_audit_logs`.
    pub struct SsotAuditLogRow in "ssot_audit_logs", key (id: i64), entity entity_id,
    settled |_| true, audited false;
    id: i64,
    action: String,
    entity_type: String,
    entity_id: Uuid,
    old_values: Option<JsonText> as "jsonb",
    new_values: Option<JsonText> as "jsonb",
    governance: Option<JsonText> as "jsonb",
    changed_by: String,
    created_at: DateTime<Utc>,
    position: i64,
    event_type: String,
    stream_id: Uuid,
    version: i64,
    correlation_id: Uuid,
}

/// Each event of `contracts` changes one row.
fn id(recorded: &Recorded) -> i64 {
    recorded.position * IDS_PER_POSITION
}

/// Names the trail's row of an event.
pub(super) fn touches(recorded: &Recorded, touched: &mut Touched) {
    touched.ssot_audit_logs.makes((id(recorded),));
}

/// Writes down that the event made `after` of `before`, and what the rules said.
///
/// # Errors
/// When the event has a row in the trail already.
pub(super) fn write<R: Row>(
    before: Option<&R>,
    after: &R,
    findings: &[Finding],
    recorded: &Recorded,
    rows: &mut Rows,
) -> Result<(), Fault> {
    rows.ssot_audit_logs.insert(SsotAuditLogRow {
        id: id(recorded),
        action: if before.is_some() { "UPDATE" } else { "INSERT" }.to_owned(),
        entity_type: R::TABLE.to_owned(),
        entity_id: after.entity(),
        old_values: before.map(|row| JsonText(row.json(Some(after)))),
        new_values: Some(JsonText(after.json(before))),
        governance: (!findings.is_empty()).then(|| JsonText::of(findings)),
        changed_by: recorded.metadata.actor_id.to_string(),
        created_at: recorded.recorded_at,
        position: recorded.position,
        event_type: recorded.event_type.clone(),
        stream_id: recorded.stream_id,
        version: recorded.version,
        correlation_id: recorded.metadata.correlation_id,
    })
}
