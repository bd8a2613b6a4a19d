//! The order in which commands that were sent together may be decided.
//!
//! Lines of one batch that touch the same stream are decided in the order of
//! the lines. A line starts once those before it are on their way to the log;
//! should it have to be decided again, it first waits until they are through.

use tokio::sync::watch;

/// How far a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Not decided yet.
    Waiting,
    /// Handed over to the appender.
    Enqueued,
    /// Answered, one way or the other.
    Done,
}

/// A command's own progress, for those after it.
#[derive(Debug)]
pub struct Progress(watch::Sender<Stage>);

impl Default for Progress {
    fn default() -> Self {
        Self(watch::Sender::new(Stage::Waiting))
    }
}

impl Progress {
    /// Notes that it is on its way.
    pub fn enqueued(&self) {
        self.0.send_if_modified(|stage| {
            let first = *stage == Stage::Waiting;
            if first {
                *stage = Stage::Enqueued;
            }
            first
        });
    }

    /// A view of it for a later command.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Stage> {
        self.0.subscribe()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.send_replace(Stage::Done);
    }
}

/// The commands that come before this one.
#[derive(Debug, Default)]
pub struct Predecessors(Vec<watch::Receiver<Stage>>);

impl Predecessors {
    /// These commands come first.
    #[must_use]
    pub fn new(earlier: Vec<watch::Receiver<Stage>>) -> Self {
        Self(earlier)
    }

    /// Waits until this attempt (from 1) may begin.
    pub async fn before_attempt(&self, attempt: u32) {
        let needed = if attempt == 1 { Stage::Enqueued } else { Stage::Done };
        for earlier in &self.0 {
            // A sender that is gone sent `Done` last.
            let _ = earlier.clone().wait_for(|stage| *stage >= needed).await;
        }
    }

    /// Whether one of them is not through yet.
    #[must_use]
    pub fn pending(&self) -> bool {
        self.0.iter().any(|earlier| *earlier.borrow() != Stage::Done)
    }
}
