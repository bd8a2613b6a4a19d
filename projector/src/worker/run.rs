//! The worker's loop.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use daybook_store::{Log, Recorded};
use sqlx::{PgConnection, PgPool};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::batch::Batch;
use super::lanes::{Lane, Lanes, Standing};
use super::post::{Poster, SETTINGS};
use super::reading::{Answer, Request};
use super::{PostError, WorkerError, WorkerOptions, ownership};
use crate::parked;

/// The longest pause after an error.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often superseded checkpoints are deleted.
const PRUNE_EVERY: Duration = Duration::from_secs(15);

/// Posts events to the read tables: all lanes when alone, a fair share when there are several.
#[derive(Debug)]
pub struct Worker {
    options: WorkerOptions,
    pool: PgPool,
    log: Log,
    head: watch::Receiver<i64>,
    posted: watch::Sender<i64>,
    poster: Poster,
    lanes: Lanes,
    /// Up to where the log was read for all lanes that are not behind.
    cursor: i64,
    /// Post one event at a time up to here: one of them cannot be posted, and we must know which.
    careful_to: i64,
    balance_at: Instant,
    prune_at: Instant,
    told: Vec<(i16, Standing)>,
    /// This worker's own connection; opened anew after an error.
    connection: Option<PgConnection>,
}

/// Something went wrong that passes.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Read(#[from] daybook_store::ReadError),
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
    /// When this database does not give out lanes by lease.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), WorkerError> {
        let mut trouble = 0_u32;
        while !cancel.is_cancelled() {
            match self.turn(&cancel).await {
                Ok(Some(error)) => return Err(error),
                Ok(None) => trouble = 0,
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
        if let Some(connection) = &mut self.connection
            && let Err(error) = ownership::release(&self.options, connection).await
        {
            tracing::warn!(%error, "the lanes were not given back; their lease ends by itself");
        }
        Ok(())
    }

    /// One turn: lanes when it is time, then read and post at once, then wait if there was nothing.
    async fn turn(&mut self, cancel: &CancellationToken) -> Result<Option<WorkerError>, Trouble> {
        if self.connection.is_none() {
            let mut connection = self.pool.acquire().await?.detach();
            sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
            self.connection = Some(connection);
            if let Some(error) = self.begin().await? {
                return Ok(Some(error));
            }
        }
        if Instant::now() >= self.balance_at {
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
        let read = self.post_and_read(batch).await?;
        self.announce();
        if posted == 0 && read == 0 && before == self.cursor {
            self.wait(cancel).await;
        } else if posted < self.options.max_batch / 4 && self.careful_to == 0 {
            tokio::time::sleep_until((started + self.options.pause).into()).await;
        }
        Ok(None)
    }

    /// Posts a batch while the next page is read. Gives the number of events read.
    async fn post_and_read(&mut self, batch: Batch) -> Result<usize, Trouble> {
        let head = *self.head.borrow_and_update();
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

    async fn post(&mut self, batch: Batch) -> Result<(), Trouble> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        if batch.events.is_empty() {
            return Ok(());
        }
        let moves = batch.moves();
        let epochs: BTreeMap<i16, i64> =
            self.lanes.own.iter().map(|(number, lane)| (*number, lane.epoch)).collect();
        // What comes before a parked event may be posted long after it was parked.
        let passes = |seq: i64, lane: &Lane| lane.parked_row.is_some_and(|parked| parked <= seq);
        let unparked: Vec<i16> = moves
            .iter()
            .filter(|moved| {
                self.lanes.own.get(&moved.lane).is_some_and(|lane| passes(moved.lane_seq, lane))
            })
            .map(|moved| moved.lane)
            .collect();
        let outcome = self.poster.post(&batch, &epochs, &unparked, connection, &self.pool).await;
        match outcome {
            Ok(rows) => {
                metrics::counter!("daybook_projector_events_total")
                    .increment(batch.events.len() as u64);
                metrics::counter!("daybook_projector_rows_total").increment(rows as u64);
                for moved in moves {
                    if let Some(lane) = self.lanes.own.get_mut(&moved.lane) {
                        lane.posted.lane_seq = moved.lane_seq;
                        lane.posted.position = moved.position;
                        if passes(moved.lane_seq, lane) {
                            lane.parked_row = None;
                        }
                    }
                }
                Ok(())
            }
            Err(error) => self.failed(batch, error).await,
        }
    }

    async fn failed(&mut self, batch: Batch, error: PostError) -> Result<(), Trouble> {
        match error {
            PostError::Fenced => {
                tracing::info!("another worker owns a lane of the batch: dropped");
                self.lanes = Lanes::default();
                self.balance().await?;
            }
            PostError::Event { index, reason } => {
                let culprit = batch.events.get(index).cloned();
                batch.undo(&mut self.lanes);
                if let Some(event) = culprit {
                    self.park(&event, &reason).await?;
                }
            }
            PostError::Refused(reason) => {
                let culprit = (batch.events.len() == 1).then(|| batch.events[0].clone());
                self.careful_to = batch.events.last().map_or(0, |event| event.position);
                batch.undo(&mut self.lanes);
                if let Some(event) = culprit {
                    self.park(&event, &reason).await?;
                }
            }
            PostError::Database(error) => {
                batch.undo(&mut self.lanes);
                let again = error.as_database_error().and_then(|error| error.code());
                if !matches!(again.as_deref(), Some("40001" | "40P01")) {
                    // Whether the commit took effect is not known: start from the checkpoints.
                    self.lanes = Lanes::default();
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    async fn park(&mut self, event: &Recorded, reason: &str) -> Result<(), Trouble> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        tracing::error!(
            lane = event.lane, position = event.position, event = %event.event_type, reason,
            "an event could not be posted: it is parked, and its lane stops"
        );
        parked::park(event, reason, connection).await?;
        if let Some(lane) = self.lanes.own.get_mut(&event.lane) {
            lane.parked_at = Some(event.lane_seq);
            lane.parked_row = Some(event.lane_seq);
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<Option<WorkerError>, Trouble> {
        let Some(connection) = &mut self.connection else { return Ok(None) };
        let mode: String = sqlx::query_scalar("SELECT mode FROM projector.ownership")
            .fetch_one(&mut *connection)
            .await?;
        if mode != "lease" {
            return Ok(Some(WorkerError::OtherOwnership { mode }));
        }
        ownership::prepare(connection).await?;
        self.lanes = Lanes::default();
        self.balance().await?;
        Ok(None)
    }

    /// Renews the lease and takes in what changed hands.
    async fn balance(&mut self) -> Result<(), Trouble> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let owned = ownership::balance(&self.options, connection).await?;
        self.balance_at = Instant::now() + self.options.renew;
        let same = |number: &i16, lane: &Lane| owned.get(number) == Some(&lane.epoch);
        self.lanes.own.retain(|number, lane| same(number, lane));
        let new: Vec<i16> =
            owned.keys().filter(|number| !self.lanes.own.contains_key(number)).copied().collect();
        if !new.is_empty() {
            // Other tables may be live now, which are not as far.
            self.posted.send_replace(0);
            // Checkpoints first, then the head: a lane posted up to its head has nothing unread below it.
            let checkpoints = ownership::checkpoints(connection).await?;
            let parked = parked::lanes(connection).await?;
            let head = self.log.head().await?;
            let alone = self.lanes.own.is_empty();
            for number in new {
                let posted = checkpoints.get(&number).copied().unwrap_or_default();
                let last = usize::try_from(number).ok().and_then(|at| head.lane_heads.get(at));
                let idle = last.is_none_or(|last| *last <= posted.lane_seq);
                let lane = Lane {
                    epoch: owned.get(&number).copied().unwrap_or_default(),
                    posted,
                    parked_row: parked.get(&number).map(|parked| parked.lane_seq),
                    behind: (!idle).then_some(posted.position),
                    ..Lane::default()
                };
                self.lanes.own.insert(number, lane);
            }
            if alone {
                self.start_from(head.position);
            }
            tracing::info!(lanes = self.lanes.own.len(), "lanes owned");
        }
        self.tell().await
    }

    /// Where all lanes are new, the one cursor starts where the first of them has something to read.
    fn start_from(&mut self, head: i64) {
        let first = self.lanes.own.values().filter_map(|lane| lane.behind).min();
        self.cursor = first.unwrap_or(head);
        for lane in self.lanes.own.values_mut() {
            lane.behind = None;
        }
    }

    /// What others should know and what others ask: retries of parked events, lanes that wait, lag.
    async fn tell(&mut self) -> Result<(), Trouble> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let own: Vec<i16> = self.lanes.own.keys().copied().collect();
        let parked = parked::lanes(connection).await?;
        for (number, lane) in &mut self.lanes.own {
            let row = parked.get(number);
            if lane.parked_at.is_some() && row.is_none_or(|row| row.retry) {
                lane.parked_at = None;
                lane.standing = Standing::Flows;
                lane.parked_row = row.map(|row| row.lane_seq);
            }
        }
        let standing: Vec<(i16, Standing)> =
            self.lanes.own.iter().map(|(number, lane)| (*number, lane.standing)).collect();
        if standing != self.told {
            parked::tell_waiting(&self.lanes, &own, connection).await?;
            self.told = standing;
        }
        if Instant::now() >= self.prune_at {
            ownership::prune(&own, connection).await?;
            self.prune_at = Instant::now() + PRUNE_EVERY;
        }
        Ok(())
    }

    async fn see_others(&mut self) -> Result<(), Trouble> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        self.lanes.others = ownership::checkpoints(connection).await?;
        Ok(())
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
        if let Some(position) = self.lanes.posted_to(self.cursor) {
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
