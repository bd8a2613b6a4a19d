//! The rows out of which a batch's arrays are made.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo};
use sqlx::types::Json;
use sqlx::{Encode, Postgres, Type};
use uuid::Uuid;

use crate::request::NewEvent;

/// JSON that was checked, sent as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonText<'a>(pub(super) &'a str);

impl Type<Postgres> for JsonText<'_> {
    fn type_info() -> PgTypeInfo {
        <Json<()> as Type<Postgres>>::type_info()
    }
}

impl PgHasArrayType for JsonText<'_> {
    fn array_type_info() -> PgTypeInfo {
        <Json<()> as PgHasArrayType>::array_type_info()
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
    pub(super) made: Option<i32>,
    pub(super) closed: Option<i32>,
    pub(super) opened: bool,
    /// The request that writes it first.
    pub(super) request: usize,
}

/// A stream that must be where it was read, and what its reader is told when it is not.
#[derive(Debug, Clone, Copy)]
pub(super) struct GuardRow {
    pub(super) stream: Uuid,
    pub(super) version: i64,
    pub(super) request: usize,
    /// The request names it as its own: a conflict, not a move.
    pub(super) own: bool,
}

/// A stream that must exist, and the requests that say so.
#[derive(Debug)]
pub(super) struct ReferenceRow {
    pub(super) stream: Uuid,
    pub(super) open: bool,
    pub(super) requests: Vec<usize>,
}

/// A business key as the batch changes it.
#[derive(Debug)]
pub(super) struct ClaimRow<'a> {
    pub(super) scope: &'a str,
    pub(super) key: &'a str,
    pub(super) asker: Uuid,
    pub(super) holder: Option<Uuid>,
    pub(super) released: Option<i32>,
    pub(super) request: usize,
}

/// A request's answer, but for the head on which it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestRow {
    pub(super) stream: Uuid,
    pub(super) version: i64,
    pub(super) created: bool,
    /// The batch's events up to this request's last.
    pub(super) last: i32,
    pub(super) events: i32,
}

/// One event's columns.
#[derive(Debug)]
pub(super) struct EventRow<'a> {
    pub(super) stream: Uuid,
    pub(super) version: i64,
    pub(super) lane: i16,
    pub(super) lane_offset: i32,
    pub(super) event: &'a NewEvent,
    pub(super) request: usize,
    pub(super) dependency_from: i32,
    pub(super) dependency_to: i32,
}
