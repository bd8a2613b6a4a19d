//! The worker: owns lanes, reads the log merged by position, posts it in batches.

mod batch;
mod kafka;
pub(crate) mod lanes;
mod outcome;
pub(crate) mod ownership;
mod owning;
pub(crate) mod post;
mod reading;
mod run;

use std::time::Duration;

use uuid::Uuid;

use crate::together::At;

pub use kafka::{KafkaOptions, WHY_IDLE};
pub use ownership::{Ownership, ownership, switch_ownership};
pub use run::Worker;

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// The worker's id; a fresh one each time.
    pub id: Uuid,
    /// The machine's name, for people.
    pub host: String,
    /// The most events of one batch, which is one transaction.
    pub max_batch: usize,
    /// How long a silent worker keeps its lanes.
    pub lease: Duration,
    /// How often the lease is renewed and the lanes are shared anew.
    pub renew: Duration,
    /// The shortest time from one batch's start to the next one's, unless the batch was full:
    /// bounds the checkpoints that are written a second.
    pub pause: Duration,
    /// How often another worker's checkpoints are looked at while an event waits for them.
    pub poll: Duration,
    /// How long Kafka may bring nothing of a lane that the log has more of, before the worker reads
    /// the log itself.
    pub stalled: Duration,
}

impl WorkerOptions {
    /// The defaults for a worker of this id.
    #[must_use]
    pub fn new(id: Uuid) -> Self {
        Self {
            id,
            host: String::from("localhost"),
            max_batch: 1000,
            lease: Duration::from_secs(6),
            renew: Duration::from_secs(1),
            pause: Duration::from_millis(5),
            poll: Duration::from_millis(10),
            stalled: Duration::from_secs(3),
        }
    }
}

/// Why a worker cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The settings for Kafka cannot be used.
    #[error("the settings for Kafka cannot be used: {reason}")]
    Kafka {
        /// Why.
        reason: String,
    },
}

/// Why a batch was not posted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    /// Another worker owns one of its lanes now, or a checkpoint moved: what is in memory is void.
    #[error("another worker owns a lane of the batch")]
    Fenced,
    /// The event with this index in the batch cannot be posted.
    #[error("{reason}")]
    Event {
        /// Its index in the batch.
        index: usize,
        /// Why.
        reason: String,
    },
    /// One of the events cannot be posted, and PostgreSQL does not say which.
    #[error("{0}")]
    Refused(String),
    /// To be tried again as it is.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl PostError {
    /// One event of the batch cannot be read, or does not fit its rows.
    pub(crate) fn event(at: At<impl std::fmt::Display>) -> Self {
        Self::Event { index: at.index, reason: at.error.to_string() }
    }

    /// Tells what is our fault (data and constraints) from what passes (connections, locks, room).
    pub(crate) fn sort(error: sqlx::Error) -> Self {
        let refused = match &error {
            sqlx::Error::Database(database) => database
                .code()
                .is_some_and(|code| matches!(code.get(..2), Some("22" | "23")) || code == "P0001"),
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Encode(_) => {
                true
            }
            _ => false,
        };
        if refused { Self::Refused(error.to_string()) } else { Self::Database(error) }
    }
}
