//! The states of recently used streams, bounded in number.
//!
//! A slot may run ahead of the log: its state includes decisions that are on
//! their way. That is safe, because every append says which version it was
//! decided on, and because all that was decided on an outcome that never came
//! holds the same broken [`Chain`]. Nothing here is ever the truth.

use std::any::Any;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use daybook_domain::aggregate::Aggregate;
use daybook_store::{AppendError, Appended, Chain};
use futures::future::{BoxFuture, Shared};
use lru::LruCache;
use uuid::Uuid;

/// An append on its way, which several may wait for.
pub type Settling = Shared<BoxFuture<'static, Result<Appended, AppendError>>>;

/// The state of one stream, if it is known, and how it is tied to what is on its way.
#[derive(Default)]
pub struct Slot {
    state: Option<Box<dyn Any + Send>>,
    version: i64,
    chain: Chain,
    last: Option<Settling>,
}

impl Slot {
    /// The state, if it is here and nothing that it rests on has failed.
    #[must_use]
    pub fn state<A: Aggregate>(&self) -> Option<&A> {
        if self.chain.is_broken() {
            return None;
        }
        self.state.as_ref()?.downcast_ref()
    }

    /// Whether what the state rests on has failed, so that it must not be used. This can come to
    /// pass at any moment, also while somebody holds the slot.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.chain.is_broken()
    }

    /// The state, to change it.
    pub fn state_mut<A: Aggregate>(&mut self) -> Option<&mut A> {
        self.state.as_mut()?.downcast_mut()
    }

    /// Puts in what the log says, on a new chain.
    pub fn fill<A: Aggregate>(&mut self, state: A, version: i64) {
        *self = Self { state: Some(Box::new(state)), version, chain: Chain::new(), last: None };
    }

    /// Forgets the state; the next user reads the log.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The version of the state, decisions on their way included.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.version
    }

    /// Moves the version on by so many events.
    pub fn advance(&mut self, events: i64) {
        self.version += events;
    }

    /// What everything decided on this state has in common.
    #[must_use]
    pub fn chain(&self) -> Chain {
        self.chain.clone()
    }

    /// Notes the newest append that this state includes.
    pub fn settle_with(&mut self, settling: Settling) {
        self.last = Some(settling);
    }

    /// The newest append that this state includes and that is not known to be durable.
    #[must_use]
    pub fn unsettled(&self) -> Option<Settling> {
        self.last.clone().filter(|settling| !matches!(settling.peek(), Some(Ok(_))))
    }
}

/// Slots by stream; the least recently used go first.
pub struct StreamCache {
    slots: Mutex<LruCache<Uuid, Arc<tokio::sync::Mutex<Slot>>>>,
}

impl StreamCache {
    /// A cache of at most `streams` states (at least one).
    #[must_use]
    pub fn new(streams: usize) -> Self {
        let bound = NonZeroUsize::new(streams).unwrap_or(NonZeroUsize::MIN);
        Self { slots: Mutex::new(LruCache::new(bound)) }
    }

    /// The slot of a stream, empty where it was not here. While somebody holds
    /// it, it works also after the cache has dropped it.
    #[must_use]
    pub fn slot(&self, stream: Uuid) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.get_or_insert(stream, Arc::default))
    }

    /// How many states are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
