//! What an aggregate is, what its events do to the log beyond being in it, and
//! the language in which its tests are written.

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::context::Context;
use crate::message::{CommandMessage, EventMessage};

/// A consistency boundary: the state of one stream, how it decides, and how it changes.
///
/// Absent on purpose: any I/O, the clock, randomness, other streams. What a
/// decision needs from other streams comes in as `Facts`, read under a guard.
pub trait Aggregate:
    Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// `context.aggregate`, such as `banking.account`; the prefix of its event types.
    const KIND: &'static str;
    /// What can be asked of it.
    type Command: CommandMessage;
    /// What can have happened to it.
    type Event: EventMessage;
    /// Why it may refuse.
    type Error: Refusal;
    /// What `decide` must know of other streams; `()` for most.
    type Facts: Default;

    /// Decides a command on this state. No events means: it is already so.
    ///
    /// # Errors
    /// The rule that forbids it, with its numbers.
    fn decide(
        &self,
        command: &Self::Command,
        facts: &Self::Facts,
        context: &Context,
    ) -> Result<Vec<Self::Event>, Self::Error>;

    /// Changes the state by what happened. Never fails, never judges.
    fn apply(&mut self, event: &Self::Event);

    /// What the event of stream `stream` does beyond the stream, given the state just before it.
    fn effects(&self, stream: Uuid, event: &Self::Event) -> Effects;
}

/// What an event asks of the log besides being appended; checked under the append lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Whether the stream opens, closes or opens again.
    pub lifecycle: Lifecycle,
    /// Business keys taken: refused if another stream has one of them.
    pub claims: Vec<Claim>,
    /// Business keys given back.
    pub releases: Vec<Claim>,
    /// Streams that must exist and be open.
    pub references: Vec<Uuid>,
    /// Streams that may not close while this hold lasts.
    pub holds: Vec<Hold>,
    /// Targets of holds of this stream that end.
    pub unholds: Vec<Uuid>,
}

/// What an event does to its stream's life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lifecycle {
    /// Nothing.
    #[default]
    Goes,
    /// The first event; the row that others refer to is made by it.
    Opens,
    /// The stream is closed: nothing new may refer to it; refused while held.
    Closes,
    /// A closed stream is open again.
    Reopens,
    /// The stream is closed for good and its row is really removed; refused while held. Whatever
    /// came before it, in all lanes, is posted before it is.
    Removes,
}

/// A business key that at most one stream has at a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Claim {
    /// The kind of key, such as `user.email`.
    pub scope: &'static str,
    /// The key, normalised (lower case where case does not count).
    pub key: String,
}

impl Claim {
    /// A claim of `key` (already normalised) in `scope`.
    #[must_use]
    pub fn new(scope: &'static str, key: impl Into<String>) -> Self {
        Self { scope, key: key.into() }
    }
}

/// A hold of the event's stream on another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The stream that may not close.
    pub target: Uuid,
    /// When the hold ends by itself, if it does.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Why a command was refused.
pub trait Refusal: std::error::Error + Send + Sync + 'static {
    /// A stable name in kebab case, such as `insufficient-funds`.
    fn code(&self) -> &'static str;
    /// What sort of refusal it is.
    fn sort(&self) -> RefusalSort;
}

/// The sorts of refusal; each is one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalSort {
    /// There is no such thing.
    NotFound,
    /// It exists already.
    Exists,
    /// This actor may not.
    Forbidden,
    /// The command makes no sense, whatever the state.
    Invalid,
    /// A rule forbids it in this state.
    Rule,
}

/// The state after `events`.
#[must_use]
pub fn fold<A: Aggregate>(events: &[A::Event]) -> A {
    let mut state = A::default();
    for event in events {
        state.apply(event);
    }
    state
}

/// Starts a test: the stream's past.
#[must_use]
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut state = A::default();
    for event in events {
        state.apply(&event);
    }
    Given { state, facts: A::Facts::default() }
}

/// A past, ready to decide on.
#[derive(Debug)]
pub struct Given<A: Aggregate> {
    /// The folded state.
    pub state: A,
    facts: A::Facts,
}

impl<A: Aggregate> Given<A> {
    /// What is known of other streams.
    #[must_use]
    pub fn knowing(mut self, facts: A::Facts) -> Self {
        self.facts = facts;
        self
    }

    /// Decides, and gives the events or the refusal.
    ///
    /// # Errors
    /// What `decide` refuses with.
    pub fn decide(
        &self,
        command: impl Into<A::Command>,
        context: &Context,
    ) -> Result<Vec<A::Event>, A::Error> {
        self.state.decide(&command.into(), &self.facts, context)
    }
}
