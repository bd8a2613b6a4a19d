//! Why a rebuild failed.

use daybook_domain::message::DecodeError;
use daybook_store::{ReadError, Recorded};

use crate::rows::Fault;
use crate::together::At;

/// Why a rebuild failed. The live tables are as they were then.
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
    /// Somebody else rebuilds, or migrates.
    #[error("another rebuild is under way, which `daybook rebuild --status` shows, or a migration")]
    Busy,
    /// Something is bound to the live tables that a second set would not take over.
    #[error("the read tables cannot be replaced while these are bound to them: {}", .0.join("; "))]
    Unmoved(Vec<String>),
    /// More is appended than can be posted beside it.
    #[error(
        "the new tables come no nearer to what they follow: {posted} events were posted at last, {per_second} a \
         second, and more came meanwhile. Run it again when less is appended; what is filled is kept, nothing is \
         filled twice"
    )]
    Outrun {
        /// How many events were posted at last, at one go.
        posted: i64,
        /// How many of them a second.
        per_second: i64,
    },
    /// The tables could not be locked for a moment, for as long as was to be waited.
    #[error(
        "the new tables are complete, but could not take their place: {0}. Run it again to try again; nothing is filled twice"
    )]
    HeldUp(String),
    /// A table that was taken over as it was, and is not so any more.
    #[error(
        "{0} was changed by hand while others were made again, and would lose that change: nothing was taken; run it again"
    )]
    ChangedMeanwhile(String),
    /// There is no set of tables to go back to.
    #[error(
        "there are no tables to go back to: nothing was rebuilt, or a later rebuild has begun to swap"
    )]
    NoneBefore,
    /// The tables to go back to lack what a migration did since.
    #[error(
        "the tables to go back to are older than migration {0}, which changed the live ones and not them: \
         rebuild instead"
    )]
    Migrated(String),
}

impl RebuildError {
    /// One of these events is not understood.
    pub(crate) fn decode(events: &[Recorded]) -> impl FnOnce(At<DecodeError>) -> Self {
        |at| Self::Decode { position: at.position(events), source: at.error }
    }

    /// One of these events does not fit the rows.
    pub(crate) fn fault(events: &[Recorded]) -> impl FnOnce(At<Fault>) -> Self {
        |at| Self::Fault { position: at.position(events), fault: at.error }
    }
}
