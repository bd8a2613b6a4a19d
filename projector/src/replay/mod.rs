//! History, written out: all of the log or a slice of it, in the order in which it happened.
//!
//! What holds: two replays of one order over one stretch of the log write the same bytes and have the
//! same digest, also when one of them was interrupted and went on. Secrets and their hashes are left
//! out. Absent on purpose: anything that could act on what it reads. Events are read, put into another
//! form and written to a file, to a topic that is none of ours or to a schema that nothing else
//! looks at; no command and no live table is within reach of this code.

mod claim;
mod error;
#[cfg(test)]
mod examples;
mod kept;
mod line;
mod order;
mod pace;
mod schema;
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
use serde_json::Value;
use sqlx::PgPool;
use tokio::sync::mpsc;

use self::claim::Claim;
pub use self::error::ReplayError;
use self::kept::Kept;
pub use self::order::{Format, Order, describe};
use self::pace::Pace;
use self::schema::Schema;
pub use self::sink::Sink;
pub(crate) use self::text::csv_field;
use self::topic::Topic;
pub use self::writing::Summary;
use self::writing::{Message, Writing};
use crate::as_of;

/// Pieces that wait to be written, at most: what a slow disk keeps in memory.
const WAITING: usize = 4;

/// Where a replay is written to.
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
        /// Whether the state of an unfinished replay is thrown away.
        anew: bool,
        /// The state of an unfinished replay is kept beside this.
        path: PathBuf,
    },
    /// Read tables in a schema of their own; see [`crate::as_of`].
    Schema {
        /// Connections that work as the owner (`daybook_migrator`).
        migrators: PgPool,
        /// The schema; its position is that of the replay.
        order: Box<as_of::Order>,
        /// Whether what is there is thrown away, finished or not.
        anew: bool,
        /// The state of an unfinished replay is kept beside this.
        path: PathBuf,
    },
    /// Whatever else takes events.
    Sink {
        /// It.
        sink: Option<Box<dyn Sink>>,
        /// What a run that goes on must have in common with the one that was broken off.
        bound_to: String,
        /// Whether the state of an unfinished replay is thrown away.
        anew: bool,
        /// The state of an unfinished replay is kept beside this.
        path: PathBuf,
    },
}

impl Destination {
    /// What is asked for, with what a run that goes on is bound to besides.
    #[must_use]
    pub fn describe(&self, order: &Order) -> Value {
        let mut described = order.described();
        if let Self::Sink { bound_to, .. } = self {
            described["bound_to"] = bound_to.as_str().into();
        }
        described
    }

    /// Beside what the state of an unfinished replay is kept.
    pub(self) fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::Stdout => None,
            Self::Path { path, .. }
            | Self::Topic { path, .. }
            | Self::Schema { path, .. }
            | Self::Sink { path, .. } => Some(path),
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
    /// Keeps others from the same output; the writer has it, once there is one.
    claim: Option<Claim>,
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
        let head = log.head().await?;
        order.require_stretch(head.position)?;
        let claim = destination.path().map(|path| Claim::of(path)).transpose()?;
        let (kept, epoch) = (Kept::find(&destination)?, head.epoch);
        let (after, up_to) = match &kept {
            Some(kept) => {
                kept.fits(&destination.describe(&order), epoch)?;
                (kept.after, kept.up_to)
            }
            None => log.stretch(order.after, &order.filter).await?,
        };
        let up_to = up_to.max(after);
        Ok(Self { order, destination, after, up_to, epoch, kept, claim })
    }

    fn described(&self) -> Value {
        self.destination.describe(&self.order)
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
        mut self,
        log: &Log,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Summary, ReplayError> {
        let begun = Instant::now();
        let reached = self.resumes_after().unwrap_or(self.after);
        let (sender, receiver) = mpsc::channel(WAITING);
        let ready = self.ready(log).await?;
        let claim = self.claim.take();
        let writing = Writing::begin(&self, ready, claim)?;
        let written = tokio::task::spawn_blocking(move || writing.run(receiver));
        let fed = self.feed(log, reached, &sender, progress).await;
        if fed.is_ok() {
            let _ = sender.send(Message::End).await;
        }
        drop(sender);
        // The writer's own fault says more than that it no longer takes anything.
        let summary = written.await.map_err(|panic| ReplayError::Fault(panic.to_string()))?;
        if let (Err(ReplayError::Cut { .. }), Some(path)) = (&summary, self.destination.path()) {
            // It would end there again.
            kept::remove(&kept::place(path))?;
        }
        fed?;
        summary?
            .ok_or_else(|| ReplayError::Fault("the writer ended early".to_owned()))
            .map(|summary| summary.took(begun.elapsed()))
    }

    /// Opens what is no file; `None`: it is one.
    async fn ready(&mut self, log: &Log) -> Result<Option<Box<dyn Sink>>, ReplayError> {
        if let Destination::Sink { sink, .. } = &mut self.destination {
            return Ok(sink.take());
        }
        Ok(match &self.destination {
            Destination::Stdout | Destination::Path { .. } | Destination::Sink { .. } => None,
            Destination::Topic { connection, topic, .. } => {
                Some(Box::new(Topic::begin(self, connection, topic).await?))
            }
            Destination::Schema { migrators, order, anew, .. } => {
                Some(Box::new(Schema::begin(self, log, (migrators, order, *anew)).await?))
            }
        })
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
