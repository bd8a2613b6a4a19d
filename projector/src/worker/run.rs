//! The worker's loop.

use std::time::{Duration, Instant};

use daybook_store::Log;
use sqlx::{PgConnection, PgPool};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::batch::Batch;
use super::kafka::{KafkaOptions, Source};
use super::lanes::{Lanes, Standing};
use super::post::{Poster, SETTINGS};
use super::reading::{Answer, Request};
use super::{WorkerError, WorkerOptions, ownership};

/// The longest pause after an error.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often superseded checkpoints are deleted: posting waits for it, and the fewer there are the less.
pub(super) const PRUNE_EVERY: Duration = Duration::from_secs(1);
/// How many times as long as deleting took is posted before the next time: under a long snapshot what
/// was deleted is still there to be passed over.
pub(super) const PRUNE_SHARE: u32 = 50;
/// But no longer than this, however long it took: one that was held up is no reason to let them grow.
pub(super) const PRUNE_LATEST: Duration = Duration::from_secs(60);

/// Posts events to the read tables: all lanes when alone, a fair share when there are several.
#[derive(Debug)]
pub struct Worker {
    pub(super) options: WorkerOptions,
    pub(super) pool: PgPool,
    pub(super) log: Log,
    pub(super) head: watch::Receiver<i64>,
    pub(super) posted: watch::Sender<i64>,
    pub(super) poster: Poster,
    pub(super) lanes: Lanes,
    /// Up to where the log was read for all lanes that are not behind.
    pub(super) cursor: i64,
    /// Post one event at a time up to here: one of them cannot be posted, and we must know which.
    pub(super) careful_to: i64,
    pub(super) balance_at: Instant,
    pub(super) prune_at: Instant,
    pub(super) told: Vec<(i16, Standing)>,
    /// This worker's own connection; opened anew after an error.
    pub(super) connection: Option<PgConnection>,
    /// How to come by lanes through Kafka, where that is known.
    pub(super) kafka: Option<KafkaOptions>,
    pub(super) source: Source,
    /// Which life of the log this is; records of another one are not believed.
    pub(super) epoch: i64,
}

/// Something went wrong that passes.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Read(#[from] daybook_store::ReadError),
    /// And this does not.
    #[error(transparent)]
    Hopeless(#[from] WorkerError),
}

impl Worker {
    /// A worker that posts through `pool` (role `daybook_projector`) what `log` has. `head` says how
    /// far the log is: the appender's own, or [`Log::follow`]'s.
    #[must_use]
    pub fn new(pool: PgPool, log: Log, head: watch::Receiver<i64>, options: WorkerOptions) -> Self {
        let now = Instant::now();
        Self {
            poster: Poster::new(options.id),
            options,
            pool,
            log,
            head,
            posted: watch::channel(0).0,
            lanes: Lanes::default(),
            cursor: 0,
            careful_to: 0,
            balance_at: now,
            prune_at: now + PRUNE_EVERY,
            told: Vec::new(),
            connection: None,
            kafka: None,
            source: Source::Log,
            epoch: 0,
        }
    }

    /// Up to which position everything is posted, as far as this worker knows: it knows nothing
    /// while it does not own all lanes.
    #[must_use]
    pub fn posted(&self) -> watch::Receiver<i64> {
        self.posted.subscribe()
    }

    /// Works until it is cancelled, then gives its lanes back. Errors that pass are waited out.
    ///
    /// # Errors
    /// When lanes come from Kafka, and its settings cannot be used.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), WorkerError> {
        let mut trouble = 0_u32;
        while !cancel.is_cancelled() {
            match self.turn(&cancel).await {
                Ok(()) => trouble = 0,
                Err(Trouble::Hopeless(error)) => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "the projector could not go on; it tries again");
                    self.connection = None;
                    trouble += 1;
                    let pause = Duration::from_millis(50) * trouble.min(40);
                    let _ =
                        tokio::time::timeout(pause.min(LONGEST_PAUSE), cancel.cancelled()).await;
                }
            }
        }
        if let Source::Kafka(group) = std::mem::replace(&mut self.source, Source::Log) {
            group.leave().await;
        }
        if let Some(connection) = &mut self.connection
            && let Err(error) = ownership::release(&self.options, connection).await
        {
            tracing::warn!(%error, "the lanes were not given back; their lease ends by itself");
        }
        Ok(())
    }

    /// One turn: lanes when it is time, then read and post at once, then wait if there was nothing.
    async fn turn(&mut self, cancel: &CancellationToken) -> Result<(), Trouble> {
        if self.connection.is_none() {
            let mut connection = self.pool.acquire().await?.detach();
            sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
            self.connection = Some(connection);
            self.begin().await?;
        }
        if Instant::now() >= self.balance_at || self.lanes_moved() {
            self.balance().await?;
        }
        if self.lanes.wait_for_others() {
            self.see_others().await?;
        }
        let started = Instant::now();
        if self.lanes_next() > self.careful_to {
            self.careful_to = 0;
        }
        let limit = if self.careful_to > 0 { 1 } else { self.options.max_batch };
        let batch = Batch::compose(&mut self.lanes, limit);
        let before = self.cursor;
        let posted = batch.events.len();
        let brought = self.take_brought().await?;
        let read = self.post_and_read(batch).await? + brought;
        self.announce();
        if posted == 0 && read == 0 && before == self.cursor {
            self.wait(cancel).await;
        } else if posted < self.options.max_batch / 4 && self.careful_to == 0 {
            tokio::time::sleep_until((started + self.options.pause).into()).await;
        }
        Ok(())
    }

    /// Posts a batch while the next page is read. Gives the number of events read.
    async fn post_and_read(&mut self, batch: Batch) -> Result<usize, Trouble> {
        let head = *self.head.borrow_and_update();
        // What Kafka brings is not read as well.
        let head = if matches!(self.source, Source::Log) { head } else { 0 };
        let request = Request::next(&self.lanes, self.cursor, head, self.options.max_batch);
        let log = self.log.clone();
        let reading = async move {
            match request {
                Some(request) => request.read(&log).await.map(Some),
                None => Ok(None),
            }
        };
        let (posted, answer) = tokio::join!(self.post(batch), reading);
        // Both have ended: what was read is taken in even if posting failed, and the other way round.
        let read = match answer {
            Ok(answer) => Ok(self.take_in(answer)),
            Err(error) => Err(error),
        };
        posted?;
        Ok(read?)
    }

    fn take_in(&mut self, answer: Option<Answer>) -> usize {
        let count =
            |lanes: &Lanes| lanes.own.values().map(|lane| lane.pending.len()).sum::<usize>();
        let before = count(&self.lanes);
        if let Some(answer) = answer {
            answer.take_in(&mut self.lanes, &mut self.cursor);
        }
        count(&self.lanes).saturating_sub(before)
    }

    /// The lowest position that is read and could be posted.
    fn lanes_next(&self) -> i64 {
        let fronts = self.lanes.own.values().filter(|lane| lane.standing == Standing::Flows);
        fronts
            .filter_map(|lane| lane.pending.front())
            .map(|event| event.position)
            .min()
            .unwrap_or(i64::MAX)
    }

    fn announce(&self) {
        // What Kafka has not brought yet is not known.
        if matches!(self.source, Source::Log)
            && let Some(position) = self.lanes.posted_to(self.cursor)
        {
            self.posted.send_if_modified(|known| {
                let moves = position > *known;
                *known = position.max(*known);
                moves
            });
        }
    }

    async fn wait(&mut self, cancel: &CancellationToken) {
        let until = if self.lanes.wait_for_others() {
            Instant::now() + self.options.poll
        } else {
            self.balance_at
        };
        if let Source::Kafka(group) = &self.source {
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep_until(until.into()) => {}
                () = group.changed() => {}
            }
            return;
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep_until(until.into()) => {}
            changed = self.head.changed() => if changed.is_err() {
                // Nobody says any more how far the log is; the lease still has to be renewed.
                tokio::time::sleep_until(until.into()).await;
            }
        }
    }
}
