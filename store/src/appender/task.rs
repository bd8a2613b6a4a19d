//! The task: gather, compose, send, answer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{mpsc, watch};

use super::AppenderOptions;
use super::arguments::Batch;
use super::call::{self, Answer, CallError};
use super::compose::{Waiting, compose};
use super::refusal::{self, Verdicts};
use super::rows::RequestRow;
use crate::error::AppendError;
use crate::request::Appended;

/// The first wait before a batch is sent again; doubles up to a second.
const FIRST_BACKOFF: Duration = Duration::from_millis(20);

/// The longest that a batch waits for more requests.
const LONGEST_LINGER: Duration = Duration::from_micros(250);

/// What the statements of an append want of the planner: each finds a few rows by a key, in tables
/// of any size, and is planned once in the connection's life.
const PLANS: [(&str, &str); 6] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_bitmapscan", "off"),
    ("jit", "off"),
];

pub(super) struct Task {
    connect: PgConnectOptions,
    connection: Option<PgConnection>,
    options: AppenderOptions,
    max_ahead: chrono::Duration,
    head: watch::Sender<i64>,
    /// How many requests are known to be about: those that the last batch answered, and those that
    /// waited meanwhile.
    about: usize,
    /// How long the next may wait for as many.
    linger: Duration,
}

impl Task {
    pub(super) fn new(
        connect: Arc<PgConnectOptions>,
        options: AppenderOptions,
        head: watch::Sender<i64>,
    ) -> Self {
        let lock_timeout = options.lock_timeout.as_millis().max(1).to_string();
        let statement_timeout = options.call_timeout.as_millis().max(1).to_string();
        let connect = (*connect).clone().options([
            ("lock_timeout", lock_timeout.as_str()),
            ("statement_timeout", statement_timeout.as_str()),
            ("idle_in_transaction_session_timeout", "1000"),
            ("default_transaction_isolation", "read committed"),
        ]);
        let connect = connect.options(PLANS);
        let max_ahead = chrono::Duration::from_std(options.max_clock_ahead)
            .unwrap_or_else(|_| chrono::Duration::days(1));
        let (about, linger) = (1, Duration::ZERO);
        Self { connect, connection: None, options, max_ahead, head, about, linger }
    }

    /// Works until every sender is gone and the queue is empty.
    pub(super) async fn run(mut self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut queue = VecDeque::new();
        loop {
            if queue.is_empty() {
                match waiting.recv().await {
                    Some(first) => queue.push_back(first),
                    None => break,
                }
            }
            self.gather(&mut queue, &mut waiting).await;
            let batch =
                compose(&mut queue, self.options.max_batch_requests, self.options.max_batch_events);
            let begun = Instant::now();
            let left = queue.len();
            self.commit(batch, || left + waiting.len()).await;
            self.linger = (begun.elapsed() / 4).min(LONGEST_LINGER);
        }
        if let Some(connection) = self.connection {
            drop(connection.close().await);
        }
    }

    /// Takes in what waits. Who was answered together comes back together, a moment later than the
    /// first of them: a batch that left at once would leave the others for the one after it, and
    /// two batches cost twice what one does. So it lingers until as many are here as are known to be
    /// about, but never long in proportion to what a call takes.
    async fn gather(&self, queue: &mut VecDeque<Waiting>, waiting: &mut mpsc::Receiver<Waiting>) {
        let until = Instant::now() + self.linger;
        loop {
            while queue.len() < self.options.queue.max(1)
                && let Ok(next) = waiting.try_recv()
            {
                queue.push_back(next);
            }
            if queue.len() >= self.about || Instant::now() >= until {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Answers every request of the batch. `waiting` says how many came meanwhile.
    async fn commit(&mut self, batch: Vec<Waiting>, waiting: impl Fn() -> usize) {
        let size = batch.len();
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            while !part.is_empty() {
                match self.send(&part).await {
                    Outcome::Appended(answers) => {
                        self.about = (size + waiting()).min(self.options.max_batch_requests);
                        for (waiting, answer) in part.drain(..).zip(answers) {
                            waiting.answer(Ok(answer));
                        }
                    }
                    Outcome::Refused(verdicts) => part = settle(part, verdicts),
                    Outcome::Failed(AppendError::Data(_)) if part.len() > 1 => {
                        // The culprit is in one of the halves.
                        parts.push(part.split_off(part.len() / 2));
                    }
                    Outcome::Failed(error) => fail(&mut part, &error),
                }
                if let Some(rest) = parts.pop() {
                    parts.push(without_broken(rest));
                }
            }
        }
    }

    /// Sends until there is an answer or the time for trying is over.
    async fn send(&mut self, part: &[Waiting]) -> Outcome {
        let batch = Batch::new(part.iter().map(|waiting| &waiting.prepared));
        let started = Instant::now();
        let mut backoff = FIRST_BACKOFF;
        loop {
            let now = (self.options.clock)();
            match self.call(&batch, now).await {
                Ok(Answer::Appended { head, counted_from }) => {
                    let seconds = started.elapsed().as_secs_f64();
                    return self.appended(&batch, head, counted_from, seconds);
                }
                Ok(Answer::Refused(failures)) => {
                    let verdicts = refusal::verdicts(&batch, &failures, now);
                    return Outcome::Refused(verdicts);
                }
                Err(CallError::Data(text)) => return Outcome::Failed(AppendError::Data(text)),
                Err(CallError::Fatal(text)) => {
                    tracing::error!(error = %text, "append failed");
                    return Outcome::Failed(AppendError::Unavailable(text));
                }
                Err(CallError::Transient(text)) => {
                    metrics::counter!("daybook_append_retries_total").increment(1);
                    if started.elapsed() + backoff >= self.options.retry_for {
                        tracing::error!(error = %text, "append gave up");
                        return Outcome::Failed(AppendError::Unavailable(text));
                    }
                    tracing::warn!(error = %text, "append is sent again");
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(Duration::from_secs(1));
                }
            }
        }
    }

    /// One call. A connection on which anything went wrong is not used again: what it still does
    /// is found by the command ids when the batch is sent again.
    async fn call(&mut self, batch: &Batch<'_>, now: DateTime<Utc>) -> Result<Answer, CallError> {
        let limit = self.options.call_timeout + Duration::from_secs(1);
        let called = tokio::time::timeout(limit, async {
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => self.connect.connect().await?,
            };
            let answer = call::append(&mut connection, batch, now, self.max_ahead).await;
            // A refusal of the data leaves the connection as it was.
            if matches!(answer, Ok(_) | Err(CallError::Data(_))) {
                self.connection = Some(connection);
            }
            answer
        });
        called.await.unwrap_or_else(|_| {
            Err(CallError::Transient(format!("no answer within {} s", limit.as_secs())))
        })
    }

    fn appended(&self, batch: &Batch<'_>, head: i64, from: DateTime<Utc>, seconds: f64) -> Outcome {
        let events = batch.events.len();
        metrics::histogram!("daybook_append_seconds").record(seconds);
        #[expect(clippy::cast_precision_loss, reason = "a batch is bounded far below 2^52")]
        metrics::histogram!("daybook_append_batch_events").record(events as f64);
        #[expect(clippy::cast_precision_loss, reason = "a batch is bounded far below 2^52")]
        metrics::histogram!("daybook_append_batch_requests").record(batch.requests.len() as f64);
        let new_head = head + i64::try_from(events).unwrap_or(0);
        self.head.send_if_modified(|head| {
            let moves = new_head > *head;
            *head = new_head.max(*head);
            moves
        });
        Outcome::Appended(batch.requests.iter().map(|row| answered(row, head, from)).collect())
    }
}

fn answered(row: &RequestRow, head: i64, counted_from: DateTime<Utc>) -> Appended {
    Appended {
        stream_id: row.stream,
        version: row.version,
        created: row.created,
        position: head + i64::from(row.last),
        events: i64::from(row.events),
        recorded_at: counted_from + chrono::Duration::microseconds(i64::from(row.last.max(1))),
        replayed: false,
    }
}

enum Outcome {
    Appended(Vec<Appended>),
    Refused(Verdicts),
    Failed(AppendError),
}

/// Answers those with a verdict; the others go again at once.
fn settle(part: Vec<Waiting>, verdicts: Verdicts) -> Vec<Waiting> {
    let mut rest = Vec::with_capacity(part.len());
    for (waiting, verdict) in part.into_iter().zip(verdicts) {
        match verdict {
            None => rest.push(waiting),
            Some(verdict) => {
                if let Err(error) = &verdict {
                    metrics::counter!("daybook_append_refusals_total", "reason" => error.reason())
                        .increment(1);
                }
                waiting.answer(verdict);
            }
        }
    }
    rest
}

/// All of them fail. Chains break before anyone hears of it.
fn fail(part: &mut Vec<Waiting>, error: &AppendError) {
    for waiting in part.iter() {
        waiting.prepared.break_chains();
    }
    for waiting in part.drain(..) {
        waiting.answer(Err(error.clone()));
    }
}

/// Drops what was decided on something that has failed meanwhile.
fn without_broken(part: Vec<Waiting>) -> Vec<Waiting> {
    let mut rest = Vec::with_capacity(part.len());
    for waiting in part {
        if waiting.prepared.is_broken() {
            waiting.prepared.break_chains();
            waiting.answer(Err(AppendError::Moved));
        } else {
            rest.push(waiting);
        }
    }
    rest
}
