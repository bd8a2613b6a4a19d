//! What is asked of the log, and what it answers.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One request: all of it is appended, or nothing.
#[derive(Debug, Clone)]
pub struct AppendRequest {
    /// By which it is recognised when it is sent again.
    pub command: CommandKey,
    /// Who asks, and from where; goes with every event.
    pub metadata: Metadata,
    /// Events, by stream; the answer speaks of the first one, or of the one that is removed
    /// ([`AppendRequest::subject`]).
    /// A stream stands here once. No events at all is a request too: its id is spent.
    pub writes: Vec<StreamWrite>,
    /// Streams that were only read, with the version that was seen.
    pub guards: Vec<Guard>,
    /// The in-process states that this request was decided on before they were
    /// durable. When a request of a chain fails, all later ones of it fail as well.
    pub chains: Vec<Chain>,
}

impl AppendRequest {
    /// The write that the answer speaks of: the one that removes its stream, which comes last,
    /// after what others lose with it; else the first.
    #[must_use]
    pub fn subject(&self) -> Option<&StreamWrite> {
        let removes = |write: &&StreamWrite| {
            write.events.last().is_some_and(|event| event.life == Life::Removes)
        };
        self.writes.last().filter(removes).or(self.writes.first())
    }
}

/// A command's identity: its id within its scope, and what it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommandKey {
    /// The tenant or the actor within which the id is unique.
    pub scope: Uuid,
    /// The id.
    pub id: Uuid,
    /// SHA-256 of what was asked; the same id with another one is an error.
    pub fingerprint: [u8; 32],
}

/// What every event of a request carries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The user who asked. Their stream must exist (or begin in this request).
    pub actor_id: Uuid,
    /// The organization on whose behalf.
    pub tenant_id: Option<Uuid>,
    /// What ties several commands together.
    pub correlation_id: Uuid,
    /// The event or command that caused this one.
    pub causation_id: Option<Uuid>,
    /// The session in which it was asked.
    pub session_id: Option<Uuid>,
    /// The client's address.
    pub ip_address: Option<IpAddr>,
    /// The client's own name.
    pub user_agent: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// New events of one stream.
#[derive(Debug, Clone)]
pub struct StreamWrite {
    /// The stream.
    pub stream_id: Uuid,
    /// `context.aggregate`, such as `banking.account`.
    pub kind: &'static str,
    /// The version on which the events were decided; 0 for a new stream.
    pub expected_version: i64,
    /// The events, oldest first; their versions follow `expected_version`. May be empty:
    /// then the stream is only named in the answer, and guarded at `expected_version`.
    pub events: Vec<NewEvent>,
}

/// An event before it has a place.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The full type, such as `banking.account.withdrawn`.
    pub event_type: &'static str,
    /// The version of its shape.
    pub schema_version: i16,
    /// Its fields as a JSON object.
    pub data: String,
    /// When it happened in the world, where that was said.
    pub occurred_at: Option<DateTime<Utc>>,
    /// What it does to its stream's life.
    pub life: Life,
    /// Business keys taken.
    pub claims: Vec<ClaimKey>,
    /// Business keys given back.
    pub releases: Vec<ClaimKey>,
    /// Streams that must exist and be open, and whose rows this event's rows refer to.
    pub references: Vec<Uuid>,
    /// Holds taken on other streams.
    pub holds: Vec<HoldTaken>,
    /// Streams on which this stream's hold ends.
    pub unholds: Vec<Uuid>,
}

/// What an event does to its stream's life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Life {
    /// Nothing.
    #[default]
    Goes,
    /// Makes the row that others refer to.
    Opens,
    /// Nothing may refer to the stream any more; refused while it is held.
    Closes,
    /// Open again.
    Reopens,
    /// Closes it, and the row that others referred to is removed: depends on all that came before.
    Removes,
}

/// A business key that at most one stream has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimKey {
    /// Its kind, such as `user.email`.
    pub scope: &'static str,
    /// The normalised key.
    pub key: String,
}

/// A hold on a stream: it may not close while the hold lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldTaken {
    /// The stream held.
    pub target: Uuid,
    /// When the hold ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A stream that a decision read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// The stream.
    pub stream_id: Uuid,
    /// The version that was seen; 0 when it did not exist.
    pub version: i64,
}

/// A shared mark: requests decided on one another's undurable outcome hold the
/// same one, and the appender breaks it when one of them fails, before it sends
/// anything later.
#[derive(Debug, Clone, Default)]
pub struct Chain(Arc<AtomicBool>);

impl Chain {
    /// A new, whole chain.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Marks it broken: what was decided on it must be decided again.
    pub fn break_it(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether both are the same mark.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What all clones of it have in common, and nothing else that is held at the same time.
    pub(crate) fn mark(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Whether it is broken.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The answer to a request that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The first stream written (nil for a request that named none).
    pub stream_id: Uuid,
    /// Its version after the request.
    pub version: i64,
    /// Whether the request began that stream.
    pub created: bool,
    /// Position of the request's last event; the log's head where it has none.
    pub position: i64,
    /// How many events the request has; their positions end at `position` and are contiguous.
    pub events: i64,
    /// When the log took it.
    pub recorded_at: DateTime<Utc>,
    /// Whether this is the first answer given again.
    pub replayed: bool,
}
