//! What can go wrong with the log.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Why a request was not appended. Nothing of it is in the log, but for
/// [`AppendError::Unavailable`], after which the same request must be sent again to know.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AppendError {
    /// A stream is not at the version that was expected.
    #[error("stream {stream} is at version {actual}, expected {expected}")]
    Conflict {
        /// The stream.
        stream: Uuid,
        /// What the request expected.
        expected: i64,
        /// What it is.
        actual: i64,
    },
    /// A stream that was only read has moved on, or what the request was decided
    /// on never became durable: decide again.
    #[error("what the decision was based on has moved on; decide again")]
    Moved,
    /// The command id was used for something else.
    #[error("command id {id} was used before with another content")]
    CommandReused {
        /// The id.
        id: Uuid,
    },
    /// Another stream has the business key.
    #[error("{scope} {key:?} is taken by {holder}")]
    Claimed {
        /// Its kind.
        scope: String,
        /// The key.
        key: String,
        /// Who has it.
        holder: Uuid,
    },
    /// A referenced stream does not exist.
    #[error("stream {stream} does not exist")]
    ReferenceMissing {
        /// The stream.
        stream: Uuid,
    },
    /// A referenced stream is closed.
    #[error("stream {stream} is closed")]
    ReferenceClosed {
        /// The stream.
        stream: Uuid,
    },
    /// The stream may not close while others hold it.
    #[error("stream {stream} is held by {} other(s)", holders.len())]
    Held {
        /// The stream.
        stream: Uuid,
        /// Who holds it, at most 10.
        holders: Vec<Uuid>,
    },
    /// The database refuses the data, such as `\u0000` in JSON.
    #[error("the database refuses this data: {0}")]
    Data(String),
    /// The database's clock is ahead of the appender's by more than the bound.
    #[error(
        "the database's clock says {database}, this process's {process}: refused until they agree"
    )]
    ClockAhead {
        /// The database's time.
        database: DateTime<Utc>,
        /// The process's.
        process: DateTime<Utc>,
    },
    /// The database could not be reached or did not answer. Whether the request
    /// is durable is known by sending it again with the same id.
    #[error("the log is unavailable: {0}")]
    Unavailable(String),
    /// The queue of waiting requests is full.
    #[error("too many requests are waiting")]
    Overloaded,
}

impl AppendError {
    /// A short, stable name, for metrics and logs.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "conflict",
            Self::Moved => "moved",
            Self::CommandReused { .. } => "command_reused",
            Self::Claimed { .. } => "claimed",
            Self::ReferenceMissing { .. } => "reference_missing",
            Self::ReferenceClosed { .. } => "reference_closed",
            Self::Held { .. } => "held",
            Self::Data(_) => "data",
            Self::ClockAhead { .. } => "clock_ahead",
            Self::Unavailable(_) => "unavailable",
            Self::Overloaded => "overloaded",
        }
    }
}

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database could not be reached or did not answer.
    #[error("the log is unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// What is stored cannot be understood.
    #[error("the log is corrupt at {place}: {reason}")]
    Corrupt {
        /// Where.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The instant has not passed yet, or cannot be answered here yet.
    #[error("the state at {asked} cannot be told yet: the log's last moment is {last}")]
    NotYet {
        /// What was asked.
        asked: DateTime<Utc>,
        /// Up to when it can be answered.
        last: DateTime<Utc>,
    },
    /// The position has not been reached.
    #[error("the log's last position is {head}, {asked} has not been reached")]
    Ahead {
        /// What was asked.
        asked: i64,
        /// The log's head.
        head: i64,
    },
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error)
    }
}
