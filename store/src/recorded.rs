//! An event that has its place in the log.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::request::Metadata;

/// A durable event.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its place in the one order, from 1, without gaps.
    pub position: i64,
    /// When the log took it; grows strictly with `position`.
    pub recorded_at: DateTime<Utc>,
    /// When it happened in the world, where that was said.
    pub occurred_at: Option<DateTime<Utc>>,
    /// Its lane, 0 to 63.
    pub lane: i16,
    /// Its place in its lane, from 1, without gaps.
    pub lane_seq: i64,
    /// Its stream.
    pub stream_id: Uuid,
    /// Its place in its stream, from 1, without gaps.
    pub version: i64,
    /// The full type, such as `banking.account.withdrawn`.
    pub event_type: String,
    /// The version of its shape.
    pub schema_version: i16,
    /// Its fields, as stored.
    pub data: Box<RawValue>,
    /// The id of the command that made it.
    pub command_id: Uuid,
    /// Who, from where, on whose behalf.
    pub metadata: Metadata,
    /// The events that must be posted before this one.
    pub after: Vec<Dependency>,
}

impl Recorded {
    /// When it happened in the world: `occurred_at`, or `recorded_at` where none was given.
    #[must_use]
    pub fn happened_at(&self) -> DateTime<Utc> {
        self.occurred_at.unwrap_or(self.recorded_at)
    }

    /// `context.aggregate`: the type without its last part.
    #[must_use]
    pub fn kind(&self) -> &str {
        kind_of(&self.event_type)
    }
}

/// The kind of stream that a full type is of: `context.aggregate`, the type without its last part.
#[must_use]
pub fn kind_of(event_type: &str) -> &str {
    event_type.rsplit_once('.').map_or("", |(kind, _)| kind)
}

/// An event of another lane that must be posted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependency {
    /// Its lane.
    pub lane: i16,
    /// Its place in that lane.
    pub lane_seq: i64,
}
