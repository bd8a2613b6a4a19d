//! One line to the log: a connection, and the batch on it, which it sends until every request has
//! its answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::watch;

use super::AppenderOptions;
use super::arguments::Batch;
use super::call::{self, Answer, CallError};
use super::compose::Waiting;
use super::refusal::{self, Verdicts};
use super::rows::RequestRow;
use crate::error::AppendError;
use crate::request::Appended;

/// The first wait before a batch is sent again; doubles up to a second.
const FIRST_BACKOFF: Duration = Duration::from_millis(20);

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

/// A way to the log that carries one batch at a time.
pub(super) struct Line {
    connect: PgConnectOptions,
    connection: Option<PgConnection>,
    options: Arc<AppenderOptions>,
    max_ahead: chrono::Duration,
    head: watch::Sender<i64>,
}

impl Line {
    pub(super) fn new(
        connect: &PgConnectOptions,
        options: Arc<AppenderOptions>,
        head: watch::Sender<i64>,
    ) -> Self {
        let lock_timeout = options.lock_timeout.as_millis().max(1).to_string();
        let statement_timeout = options.call_timeout.as_millis().max(1).to_string();
        let connect = connect.clone().options([
            ("lock_timeout", lock_timeout.as_str()),
            ("statement_timeout", statement_timeout.as_str()),
            ("idle_in_transaction_session_timeout", "1000"),
            ("default_transaction_isolation", "read committed"),
        ]);
        let connect = connect.options(PLANS);
        let max_ahead = chrono::Duration::from_std(options.max_clock_ahead)
            .unwrap_or_else(|_| chrono::Duration::days(1));
        Self { connect, connection: None, options, max_ahead, head }
    }

    /// Says good-bye to the server.
    pub(super) async fn close(self) {
        if let Some(connection) = self.connection {
            drop(connection.close().await);
        }
    }

    /// Answers every request of the batch. `before_answering` is called when the log has taken
    /// some of them and nobody has heard of it.
    pub(super) async fn commit(&mut self, batch: Vec<Waiting>, before_answering: impl Fn()) {
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            while !part.is_empty() {
                match self.send(&part).await {
                    Outcome::Appended(answers) => {
                        before_answering();
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
