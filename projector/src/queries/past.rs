//! One stream's rows as they were: its events folded by its projection, in memory.

use chrono::{DateTime, Utc};
use daybook_domain::message::DecodeError;
use daybook_store::{Log, ReadError, Recorded};
use futures::TryStreamExt;
use serde::Serialize;
use uuid::Uuid;

use crate::catalog::Rows;
use crate::rows::{Fault, SeenRow};
use crate::together;

/// How many events are read at a time.
pub(super) const PAGE: i64 = 2_000;
/// How many of them are folded at a time, while the server sends those that follow.
const PART: usize = 128;

/// Up to where a stream is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upto {
    /// This version of it.
    Version(i64),
    /// This position of the log.
    Position(i64),
    /// What was recorded by this instant.
    Instant(DateTime<Utc>),
}

/// A stream as it was.
#[derive(Debug)]
pub struct Past {
    /// The position that this stands on: the one asked for, the last one by the instant, or the
    /// version's own.
    pub position: i64,
    /// The stream's version there; 0: it did not exist.
    pub version: i64,
    /// The event that made it so; `None`: it did not exist.
    pub made_by: Option<MadeBy>,
    /// Its rows.
    pub rows: Vec<SeenRow>,
}

/// The last event of a stream as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MadeBy {
    /// Where it is in the log.
    pub position: i64,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Its full type.
    pub event_type: String,
    /// Who asked for it.
    pub actor_id: Uuid,
    /// By which command.
    pub command_id: Uuid,
}

/// Why the past cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The log could not be read, or what is asked for has not come to be.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An event that this build does not know.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// An event that does not fit what came before it.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A row that cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// The position that `upto` stands for; `None`: a version says so itself.
///
/// # Errors
/// What lies in the future, and a server that does not answer.
pub async fn position(log: &Log, upto: Upto) -> Result<Option<i64>, PastError> {
    match upto {
        Upto::Version(_) => Ok(None),
        Upto::Instant(instant) => Ok(Some(log.position_at(instant).await?)),
        Upto::Position(asked) => {
            log.require_reached(asked).await?;
            Ok(Some(asked))
        }
    }
}

/// The rows that a stream's events up to there make.
///
/// # Errors
/// What lies in the future, events that cannot be understood, and a server that does not answer.
pub async fn fold(log: &Log, stream: Uuid, upto: Upto) -> Result<Past, PastError> {
    let position = position(log, upto).await?;
    let last_version = match upto {
        Upto::Version(version) => version,
        Upto::Position(_) | Upto::Instant(_) => i64::MAX,
    };
    let last_position = position.unwrap_or(i64::MAX);
    let mut rows = Rows::of_empty_tables();
    let mut version = 0;
    let mut made_by = None;
    while version < last_version {
        let until = version.saturating_add(PAGE).min(last_version);
        let events = log.each_of_stream(stream, version, (until, last_position));
        let parts = events.try_chunks(PART).map_err(|cut_off| cut_off.1);
        futures::pin_mut!(parts);
        let mut last = None;
        while let Some(mut part) = parts.try_next().await? {
            fold_part(&part, &mut rows)?;
            last = part.pop();
        }
        let Some(last) = last else { break };
        version = last.version;
        made_by = Some(MadeBy {
            position: last.position,
            recorded_at: last.recorded_at,
            actor_id: last.metadata.actor_id,
            command_id: last.command_id,
            event_type: last.event_type,
        });
        if version < until {
            break;
        }
    }
    let stands_on = made_by.as_ref().map_or(0, |event| event.position);
    Ok(Past { position: position.unwrap_or(stands_on), version, made_by, rows: rows.seen()? })
}

/// Folds some events. They are announced together: every table is asked what is touched by them.
fn fold_part(part: &[Recorded], rows: &mut Rows) -> Result<(), PastError> {
    let (events, touched) = together::read(part).map_err(|at| at.error)?;
    rows.begin(touched);
    for (event, recorded) in events.iter().zip(part) {
        event.project(recorded, rows)?;
    }
    Ok(())
}
