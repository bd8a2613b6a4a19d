//! How many events wait for an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts them; clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Outstanding(Arc<AtomicUsize>);

/// So many that are counted, as long as this is there.
#[derive(Debug)]
pub(super) struct Counted {
    all: Outstanding,
    events: usize,
}

impl Outstanding {
    /// So many more. A request without events counts like one event.
    pub(super) fn count(&self, events: usize) -> Counted {
        let events = events.max(1);
        self.0.fetch_add(events, Ordering::Relaxed);
        Counted { all: self.clone(), events }
    }

    /// How many there are.
    pub(super) fn number(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counted {
    /// How many these are.
    pub(super) fn number(&self) -> usize {
        self.events
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.all.0.fetch_sub(self.events, Ordering::Relaxed);
    }
}
