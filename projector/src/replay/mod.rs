//! History, written out: all of the log or a slice of it, in the order in which it happened.
//!
//! What holds: two replays of one order over one stretch of the log write the same bytes and have the
//! same digest, also when one of them was interrupted and went on. Secrets and their hashes are left
//! out. Absent on purpose: anything that could act on what it reads. Events are read, put into another
//! form and written to a file, or to a topic that is none of ours; no command and no table is within
//! reach of this code.

mod digest;
mod error;
#[cfg(test)]
mod examples;
mod kept;
mod line;
mod order;
mod pace;
mod sheets;
mod sink;
mod text;
mod topic;
mod typed;
mod writing;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use daybook_store::Log;
use daybook_store::kafka::Connection;
use futures::{StreamExt, pin_mut};
use tokio::sync::mpsc;

pub use self::error::ReplayError;
use self::kept::Kept;
pub use self::order::{Format, Order, describe};
use self::pace::Pace;
pub(crate) use self::text::csv_field;
pub use self::writing::Summary;
use self::writing::{Message, Writing};

/// Pieces that wait to be written, at most: what a slow disk keeps in memory.
const WAITING: usize = 4;

/// Where a replay is written to.
#[derive(Debug, Clone)]
pub enum Destination {
    /// Standard output: nothing is kept, and nothing can go on later.
    Stdout,
    /// A file, or a folder of files, with the state of an unfinished replay beside it.
    Path {
        /// The file or folder.
        path: PathBuf,
        /// Whether what is there is thrown away, finished or not.
        anew: bool,
    },
    /// A Kafka topic, which is made where it is missing.
    Topic {
        /// The brokers.
        connection: Box<Connection>,
        /// The topic: none that the relay or a projector writes to.
        topic: String,
        /// The state of an unfinished replay is kept beside this.
        path: PathBuf,
    },
}

impl Destination {
    /// Beside what the state of an unfinished replay is kept.
    pub(self) fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::Stdout => None,
            Self::Path { path, .. } | Self::Topic { path, .. } => Some(path),
        }
    }
}

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Positions passed.
    pub done: i64,
    /// Positions to pass.
    pub total: i64,
}

/// A replay that knows its stretch of the log, and may begin.
#[derive(Debug)]
pub struct Replay {
    order: Order,
    destination: Destination,
    /// After this position.
    after: i64,
    /// Up to and including this one.
    up_to: i64,
    epoch: i64,
    /// What an interrupted run left.
    kept: Option<Kept>,
}

impl Replay {
    /// Finds the stretch of the log, and what an interrupted run of the same order left: its
    /// stretch then. Nothing is written yet.
    ///
    /// # Errors
    /// What is there is of another order, of another life of the log, or finished; the log cannot be
    /// read.
    pub async fn plan(
        log: &Log,
        order: Order,
        destination: Destination,
    ) -> Result<Self, ReplayError> {
        let kept = Kept::find(&destination)?;
        let epoch = log.head().await?.epoch;
        if let Some(kept) = kept {
            kept.fits(&order, epoch)?;
            let (after, up_to) = (kept.after, kept.up_to);
            return Ok(Self { order, destination, after, up_to, epoch, kept: Some(kept) });
        }
        let (after, up_to) = log.stretch(order.after, &order.filter).await?;
        Ok(Self { order, destination, after, up_to: up_to.max(after), epoch, kept: None })
    }

    /// Where an interrupted run had come to, if this one goes on from there.
    #[must_use]
    pub fn resumes_after(&self) -> Option<i64> {
        self.kept.as_ref().map(|kept| kept.reached)
    }

    /// Writes it. Dropped before its end, it leaves a state from which another run goes on.
    ///
    /// # Errors
    /// See [`ReplayError`].
    pub async fn run(
        self,
        log: &Log,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Summary, ReplayError> {
        let begun = Instant::now();
        let reached = self.resumes_after().unwrap_or(self.after);
        let (sender, receiver) = mpsc::channel(WAITING);
        let topic = topic::begin(&self).await?;
        let writing = Writing::begin(&self, topic)?;
        let written = tokio::task::spawn_blocking(move || writing.run(receiver));
        let fed = self.feed(log, reached, &sender, progress).await;
        if fed.is_ok() {
            let _ = sender.send(Message::End).await;
        }
        drop(sender);
        // The writer's own fault says more than that it no longer takes anything.
        let summary = written.await.map_err(|panic| ReplayError::Fault(panic.to_string()))?;
        fed?;
        summary?
            .ok_or_else(|| ReplayError::Fault("the writer ended early".to_owned()))
            .map(|summary| summary.took(begun.elapsed()))
    }

    async fn feed(
        &self,
        log: &Log,
        reached: i64,
        sender: &mpsc::Sender<Message>,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(), ReplayError> {
        let mut pace = Pace::new(self.order.speed);
        let (up_to, filter) = (self.up_to, &self.order.filter);
        let pieces = match self.order.speed {
            None => log.history(reached, up_to, filter),
            Some(_) => log.history_in_pages(reached, up_to, filter),
        };
        pin_mut!(pieces);
        while let Some(piece) = pieces.next().await {
            let mut piece = piece?;
            while let Some(due) = pace.due(&mut piece.events).await {
                let reached = due.last().map_or(reached, |event| event.position);
                if sender.send(Message::Piece { events: due, reached }).await.is_err() {
                    return Ok(());
                }
            }
            let end = Message::Piece { events: piece.events, reached: piece.reached };
            if sender.send(end).await.is_err() {
                return Ok(());
            }
            progress(Progress { done: piece.reached - self.after, total: self.up_to - self.after });
        }
        Ok(())
    }
}

/// How often an unfinished replay's state is renewed, at least, while events come slowly.
const RENEWED: Duration = Duration::from_secs(2);
