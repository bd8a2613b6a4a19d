//! The rows out of which a batch's arrays are made.

use chrono::{DateTime, Utc};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::PgRecordEncoder;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo};
use sqlx::types::Json;
use sqlx::types::ipnetwork::IpNetwork;
use sqlx::{Encode, Postgres, Type};
use uuid::Uuid;

use super::prepared::Prepared;
use crate::request::{CommandKey, Life, NewEvent};

/// Writes down a row as the composite type of `journal` that carries it: its fields in their order.
macro_rules! composite {
    ($Row:ident $(<$life:lifetime>)?, $name:literal, |$row:ident| $($field:expr),+ $(,)?) => {
        impl Type<Postgres> for $Row$(<$life>)? {
            fn type_info() -> PgTypeInfo {
                PgTypeInfo::with_name($name)
            }
        }

        impl PgHasArrayType for $Row$(<$life>)? {
            fn array_type_info() -> PgTypeInfo {
                PgTypeInfo::array_of($name)
            }
        }

        impl Encode<'_, Postgres> for $Row$(<$life>)? {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                let $row = self;
                let mut record = PgRecordEncoder::new(buffer);
                $(record.encode($field)?;)+
                record.finish();
                Ok(IsNull::No)
            }
        }
    };
}

/// JSON that was checked, sent as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonText<'a>(pub(super) &'a str);

impl Type<Postgres> for JsonText<'_> {
    fn type_info() -> PgTypeInfo {
        <Json<()> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for JsonText<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        // The binary form of jsonb is a version, 1, and the text.
        buffer.push(1);
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

/// A stream that the batch writes.
#[derive(Debug)]
pub(super) struct StreamRow<'a> {
    pub(super) stream: Uuid,
    pub(super) kind: &'a str,
    pub(super) lane: i16,
    pub(super) expected: i64,
    pub(super) version: i64,
    pub(super) first: i32,
    pub(super) last: i32,
    /// The event that made its row exist, counted in the stream's lane.
    pub(super) made: Option<i32>,
    pub(super) closed: Option<i32>,
    pub(super) opened: bool,
    /// The request that writes it first.
    pub(super) request: usize,
}

composite!(
    StreamRow<'_>,
    "journal.append_stream",
    |row| row.stream,
    row.kind,
    row.lane,
    row.expected,
    row.version,
    row.first,
    row.last,
    row.made,
    row.closed,
    row.opened
);

/// A stream that must be where it was read, and what its reader is told when it is not.
#[derive(Debug, Clone, Copy)]
pub(super) struct GuardRow {
    pub(super) stream: Uuid,
    pub(super) version: i64,
    pub(super) request: usize,
    /// The request names it as its own: a conflict, not a move.
    pub(super) own: bool,
}

composite!(GuardRow, "journal.append_guard", |row| row.stream, row.version);

/// A stream that must exist, and the requests that say so.
#[derive(Debug)]
pub(super) struct ReferenceRow {
    pub(super) stream: Uuid,
    pub(super) open: bool,
    pub(super) requests: Vec<usize>,
}

composite!(ReferenceRow, "journal.append_reference", |row| row.stream, row.open);

/// A business key as the batch changes it.
#[derive(Debug)]
pub(super) struct ClaimRow<'a> {
    pub(super) scope: &'a str,
    pub(super) key: &'a str,
    pub(super) asker: Uuid,
    pub(super) holder: Option<Uuid>,
    /// The lane of the event that released it last, and that event's number in the lane.
    pub(super) released: Option<(i16, i32)>,
    pub(super) request: usize,
}

composite!(
    ClaimRow<'_>,
    "journal.append_claim",
    |row| row.scope,
    row.key,
    row.asker,
    row.holder,
    row.released.map(|(lane, _)| lane),
    row.released.map(|(_, offset)| offset)
);

/// An event of the batch on which others of it depend.
#[derive(Debug, Clone, Copy)]
pub(super) struct InnerRow {
    pub(super) event: i32,
    pub(super) lane: i16,
    pub(super) lane_offset: i32,
}

composite!(InnerRow, "journal.append_inner", |row| row.event, row.lane, row.lane_offset);

/// A hold that is taken, or ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct HoldRow {
    pub(super) target: Uuid,
    pub(super) holder: Uuid,
    pub(super) expires: Option<DateTime<Utc>>,
    pub(super) taken: bool,
}

composite!(HoldRow, "journal.append_hold", |row| row.target, row.holder, row.expires, row.taken);

/// A request's answer, but for the head on which it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestRow {
    pub(super) command: CommandKey,
    pub(super) stream: Uuid,
    pub(super) version: i64,
    pub(super) created: bool,
    /// The batch's events up to this request's last.
    pub(super) last: i32,
    pub(super) events: i32,
}

composite!(
    RequestRow,
    "journal.append_request",
    |row| row.command.scope,
    row.command.id,
    &row.command.fingerprint[..],
    row.stream,
    row.version,
    row.created,
    row.last,
    row.events
);

/// One event's columns.
#[derive(Debug)]
pub(super) struct EventRow<'a> {
    pub(super) stream: Uuid,
    pub(super) version: i64,
    pub(super) lane: i16,
    pub(super) lane_offset: i32,
    pub(super) event: &'a NewEvent,
    pub(super) prepared: &'a Prepared,
    /// The places that it is posted after; in their number, the references come first, then the
    /// claims, then the inner ones.
    pub(super) dependencies: Option<Vec<i32>>,
}

composite!(
    EventRow<'_>,
    "journal.append_event",
    |row| row.stream,
    row.version,
    row.lane,
    row.lane_offset,
    row.event.event_type,
    row.event.schema_version,
    JsonText(&row.event.data),
    row.event.occurred_at,
    row.prepared.request.command.id,
    row.prepared.request.metadata.actor_id,
    row.prepared.request.metadata.correlation_id,
    row.prepared.request.metadata.tenant_id,
    row.prepared.request.metadata.causation_id,
    row.prepared.request.metadata.session_id,
    row.prepared.request.metadata.ip_address.map(IpNetwork::from),
    row.prepared.request.metadata.user_agent.as_deref(),
    row.prepared.request.metadata.traceparent.as_deref(),
    row.dependencies.as_deref(),
    row.event.life == Life::Removes
);
