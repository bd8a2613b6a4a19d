//! The read model made again from the log, by the same projections as live.
//!
//! - [`check`] fills temporary tables and compares them with the live ones, row by row.
//! - [`in_place`] empties the live tables and fills them, in one transaction.
//!
//! Memory is bounded by [`Memory`]: of each table at most so many rows are held. A row that no later event
//! changes (a settled transaction, an audit row) is copied out at once; of the others, the least
//! recently used are written when there are too many, and loaded again should they be needed.

mod check;
mod drift;
mod fill;
mod in_place;
mod indexes;
mod policies;
mod reconcile;

use daybook_domain::message::DecodeError;
use daybook_store::ReadError;

use crate::rows::Fault;

pub use check::{DifferentRow, Report, TableReport, check};
pub use in_place::{Rebuilt, in_place};
pub use reconcile::{Reconciled, ReconciledCount, ReconciledRow, reconcile};

/// How much a rebuild holds in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Rows of each table that may still change.
    pub kept: usize,
    /// Audit rows that are gathered before everything settled is written.
    pub gathered: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Self { kept: 50_000, gathered: 20_000 }
    }
}

/// How far a rebuild has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Events folded.
    pub done: i64,
    /// Events to be folded.
    pub total: i64,
}

/// Told how far it is, now and then.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Why a rebuild failed. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The database refused or did not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// An event that this build does not understand.
    #[error("position {position}: {source}")]
    Decode {
        /// Its position.
        position: i64,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// A projection and its rows do not fit.
    #[error("position {position}: {fault}")]
    Fault {
        /// The event's position.
        position: i64,
        /// What does not fit.
        fault: Fault,
    },
    /// An event that the live tables were posted from is not in the log.
    #[error("lane {lane} ends at {found} in the log, but is posted up to {posted}")]
    LogTooShort {
        /// The lane.
        lane: i16,
        /// Its last place in the log.
        found: i64,
        /// Where the checkpoint is.
        posted: i64,
    },
}
