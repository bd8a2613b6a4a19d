//! `audit_logs`: one row for each row changed by each event.
//!
//! `action` is INSERT, UPDATE or DELETE; `old_values` and `new_values` hold the columns that changed
//! (all of them for INSERT and DELETE), never a secret one. An event that changes no row has none.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use daybook_store::Recorded;
use uuid::Uuid;

use crate::rows::{Change, Fault};
use crate::table::{JsonText, Row};

crate::table! {
    /// A row of `audit_logs`.
    pub struct AuditLogRow in "audit_logs", key (id: i64), entity entity_id, month created_at,
    settled |_| true;
    id: i64,
    user_id: Uuid,
    action: &'static str,
    entity_type: &'static str,
    entity_id: Uuid,
    old_values: Option<JsonText> as "jsonb",
    new_values: Option<JsonText> as "jsonb",
    ip_address: Option<IpAddr>,
    created_at: DateTime<Utc>,
    position: i64,
    event_type: Arc<str>,
    stream_id: Uuid,
    version: i64,
    correlation_id: Uuid,
    session_id: Option<Uuid>,
    user_agent: Option<Arc<str>>,
}

/// How many audit ids each position has.
pub(crate) const IDS_PER_POSITION: i64 = 1 << 20;

/// The audit rows of one event, while they are written.
#[derive(Debug)]
pub struct Trail<'a> {
    recorded: &'a Recorded,
    event_type: Arc<str>,
    user_agent: Option<Arc<str>>,
    rows: &'a mut Vec<AuditLogRow>,
    next: i64,
}

impl<'a> Trail<'a> {
    /// Starts the trail of one event; its rows go to `rows`.
    #[must_use]
    pub fn of(recorded: &'a Recorded, rows: &'a mut Vec<AuditLogRow>) -> Self {
        Self {
            event_type: recorded.event_type.as_str().into(),
            user_agent: recorded.metadata.user_agent.as_deref().map(Into::into),
            recorded,
            rows,
            next: 0,
        }
    }

    /// Writes down one change.
    ///
    /// # Errors
    /// When the event has more changes than a position has audit ids.
    pub fn add<R: Row>(&mut self, change: &Change<R>) -> Result<(), Fault> {
        let (Some(changed), action) = (match (&change.before, &change.after) {
            (None, after) => (after.as_ref(), "INSERT"),
            (Some(_), Some(after)) => (Some(after), "UPDATE"),
            (Some(before), None) => (Some(before), "DELETE"),
        }) else {
            return Ok(());
        };
        if self.next >= IDS_PER_POSITION {
            return Err(Fault::TooMany(usize::try_from(self.next).unwrap_or(usize::MAX)));
        }
        let Change { before, after } = change;
        let metadata = &self.recorded.metadata;
        self.rows.push(AuditLogRow {
            id: self.recorded.position * IDS_PER_POSITION + self.next,
            user_id: metadata.actor_id,
            action,
            entity_type: R::TABLE,
            entity_id: changed.entity(),
            old_values: before.as_ref().map(|row| JsonText(row.json(after.as_ref()))),
            new_values: after.as_ref().map(|row| JsonText(row.json(before.as_ref()))),
            ip_address: metadata.ip_address,
            created_at: self.recorded.recorded_at,
            position: self.recorded.position,
            event_type: self.event_type.clone(),
            stream_id: self.recorded.stream_id,
            version: self.recorded.version,
            correlation_id: metadata.correlation_id,
            session_id: metadata.session_id,
            user_agent: self.user_agent.clone(),
        });
        self.next += 1;
        Ok(())
    }
}
