//! The read model made again from the log, by the same projections as live.
//!
//! - [`check`] fills temporary tables and compares them with the live ones, row by row.
//! - [`blue_green`] fills a second set of tables beside the live one, compares, and takes its place.
//!   Of some projections only ([`Scope`]), the rows of the others are copied as they are.
//! - [`roll_back`] goes back to the set that was live before.
//!
//! Memory is bounded by [`Memory`]: of each table at most so many rows are held. A row that no later event
//! changes (a settled transaction, an audit row) is copied out at once; of the others, the least
//! recently used are written when there are too many, and loaded again should they be needed.

mod blue_green;
pub(crate) mod catch_up;
mod check;
mod compare;
pub(crate) mod drift;
mod error;
pub(crate) mod fill;
mod left_over;
mod part;
pub(crate) mod reached;
mod reconcile;
mod scope;
mod second;
mod set;
mod state;
mod swap;

pub use blue_green::{Options, Rebuilt, blue_green, forget, roll_back};
pub use check::{check, check_of};
pub use compare::{Behind, DifferentRow, Report, TableReport};
pub use error::RebuildError;
pub use scope::{Scope, UnknownProjection};
pub use state::{Rebuild, alone, rebuilds};

pub use reconcile::{Reconciled, ReconciledCount, ReconciledRow, reconcile};

/// The schema in which a new set of read tables is made.
pub const NEXT: &str = "read_model_next";
/// The schema in which the set is kept that was live before.
pub const BEFORE: &str = "read_model_before";

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
    /// What it is doing.
    pub stage: &'static str,
    /// Events folded, or other steps of this stage.
    pub done: i64,
    /// All of them.
    pub total: i64,
    /// What is counted.
    pub unit: Unit,
}

/// What the steps of a stage are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Events of the log.
    Events,
    /// Bytes of the tables that are worked on.
    Bytes,
    /// Seconds of the time that there is for it.
    Seconds,
    /// Something else, such as tables.
    Steps,
}

impl Unit {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Bytes => "bytes",
            Self::Seconds => "seconds",
            Self::Steps => "steps",
        }
    }
}

/// Told how far it is, now and then.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);
