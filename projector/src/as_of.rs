//! One entity as it was: its stream folded by the projections, in memory, without a question to the
//! read tables. Each row is written from one stream only, so the stream is all that is needed.

use chrono::{DateTime, Utc};
use daybook_domain::message::DecodeError;
use daybook_store::{Log, ReadError};
use uuid::Uuid;

use crate::catalog::{Event, Rows, Touched};
use crate::rows::{Fault, SeenRow};

/// Up to where the past is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upto {
    /// Everything.
    Now,
    /// Up to and including this version of the stream.
    Version(i64),
    /// Up to and including this position of the log.
    Position(i64),
    /// Everything recorded at or before this instant.
    Instant(DateTime<Utc>),
}

/// An entity as it was.
#[derive(Debug, Clone, serde::Serialize)]
pub struct PastState {
    /// The stream.
    pub stream_id: Uuid,
    /// Its version then; 0 when it had not begun.
    pub version: i64,
    /// The position that the answer stands on: nothing later was looked at.
    pub position: i64,
    /// When the last of its events then was recorded.
    pub recorded_at: Option<DateTime<Utc>>,
    /// Its rows, by table and key, without secrets.
    pub rows: Vec<SeenRow>,
}

/// Why the past cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum AsOfError {
    /// The log could not be read, or the instant cannot be answered yet.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// This build does not understand an event.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A fault in a projection.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A row that is no JSON: a fault in a column's type.
    #[error("a row is no JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// The rows of a stream as they were.
///
/// # Errors
/// See [`AsOfError`]; an instant in the future is refused.
pub async fn state_at(log: &Log, stream: Uuid, upto: Upto) -> Result<PastState, AsOfError> {
    let (version, position) = match upto {
        Upto::Now => (None, log.head().await?.position),
        Upto::Version(version) => (Some(version), log.head().await?.position),
        Upto::Position(position) => (None, position.min(log.head().await?.position)),
        Upto::Instant(instant) => (None, log.position_at(instant).await?),
    };
    let mut state =
        PastState { stream_id: stream, version: 0, position, recorded_at: None, rows: Vec::new() };
    let mut rows = Rows::of_empty_tables();
    for recorded in log.stream(stream, 0, version).await? {
        if recorded.position > position {
            break;
        }
        let event = Event::decode(&recorded)?;
        let mut touched = Touched::default();
        event.touches(&recorded, &mut touched);
        rows.begin(touched);
        event.project(&recorded, &mut rows)?;
        state.version = recorded.version;
        state.recorded_at = Some(recorded.recorded_at);
    }
    state.rows = rows.seen()?;
    Ok(state)
}
