//! The whole read model as it stood at an instant, in a schema of its own: the same projections, the
//! same names, keys and indexes. Auditors read it by SQL; nobody writes it; it goes when its time is up.
//!
//! Its `audit_logs` is a view of the live trail up to that position: the trail is only added to.
//! It is made from the nearest earlier state of the same build where that is shorter, otherwise from the
//! beginning. [`Digests`](State::digests) say what is in it: two states of one instant have the same.
//!
//! What changed between two instants can be kept in such a schema too (see [`changes()`]), and what a
//! slice of history makes ([`replay`](crate::replay)).

mod build;
mod changes;
mod digest;
mod list;
mod slice;

use chrono::{DateTime, Utc};
use serde_json::Value;

pub use build::{Order, build};
pub use changes::changes;
pub use digest::digest_statement;
pub use list::{drop, states};
pub(crate) use slice::Slice;

use crate::rebuild::RebuildError;

/// A state of the whole read model, what changed between two, or what a slice of history makes.
#[derive(Debug, Clone, PartialEq, serde::Serialize, sqlx::FromRow)]
pub struct State {
    /// Its schema.
    pub schema_name: String,
    /// Everything up to here is in it, and nothing after.
    pub position: i64,
    /// Where it holds what changed: since which position. `None`: it is a state.
    pub from_position: Option<i64>,
    /// Where it holds what a slice of history makes: which. `None`: it is of all of history.
    pub slice: Option<Value>,
    /// The instant that was asked for, or when the event at that position was recorded.
    pub instant: DateTime<Utc>,
    /// Which life of the log it is of.
    pub log_epoch: i64,
    /// The version of the read model.
    pub model_version: i32,
    /// The build whose projections made it.
    pub build: String,
    /// Whether it is whole; one whose making was cut short is not, and is made anew.
    pub complete: bool,
    /// The position of the earlier state that it was made from; `None`: from the beginning.
    pub made_from: Option<i64>,
    /// Rows written.
    pub rows_written: Option<i64>,
    /// By table, the SHA-256 of what `COPY … TO STDOUT` says of it; see [`digest_statement`].
    pub digests: Option<Value>,
    /// Who logged in to make it.
    pub made_by: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// When it goes; `None`: when it is dropped by name.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Why a state could not be made. Nothing of it is left to be read.
#[derive(Debug, thiserror::Error)]
pub enum AsOfError {
    /// The log, the projections or the database; as in a rebuild.
    #[error(transparent)]
    Rebuild(#[from] RebuildError),
    /// A name that is none.
    #[error(
        "{0:?} is no name for a schema: small letters, digits and underscores, at most 63, no word of SQL, and not one of those that a rebuild takes"
    )]
    Name(String),
    /// A schema that is something else.
    #[error("there is a schema {0} already; `daybook as-of list` shows those that can be dropped")]
    Taken(String),
    /// What an unfinished replay was to go on with.
    #[error(
        "the schema {0} is not what the unfinished replay left, or another build filled it; --anew begins again"
    )]
    NotLeft(String),
    /// No such state.
    #[error("there is no state {0}; `daybook as-of list` shows those that there are")]
    Unknown(String),
    /// There are as many as may be.
    #[error(
        "there are {0} states already, which is as many as may be (as_of_quota); drop one with `daybook as-of drop NAME`"
    )]
    Quota(i64),
    /// The trail that it would show is not posted so far.
    #[error(
        "the read tables are posted up to position {posted} only: wait until they have reached {asked}"
    )]
    NotPosted {
        /// The position asked for.
        asked: i64,
        /// Up to where everything is posted.
        posted: i64,
    },
    /// Another state of this name is being made.
    #[error("a state of that name is being made right now")]
    Busy,
}

impl From<sqlx::Error> for AsOfError {
    fn from(error: sqlx::Error) -> Self {
        Self::Rebuild(error.into())
    }
}

impl From<daybook_store::ReadError> for AsOfError {
    fn from(error: daybook_store::ReadError) -> Self {
        Self::Rebuild(error.into())
    }
}
