//! Group commit: one task a process gathers the requests that wait, and appends them with one
//! call that commits before it answers. While it does, the next batch gathers; and where that
//! shares nothing with the first, it leaves at once on a line of its own, so that it stands before
//! the lock when the first lets go of it.
//!
//! Absent on purpose: a batch decided on the outcome of one that is under way, which could not be
//! taken back; and more than two under way, which would only wait for each other's lock.

mod arguments;
mod call;
mod compose;
mod json;
mod line;
mod outstanding;
mod prepared;
mod refusal;
mod rows;
mod task;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use self::compose::Waiting;
use self::outstanding::Outstanding;
use self::prepared::Prepared;
use crate::error::AppendError;
use crate::request::{AppendRequest, Appended};

/// Tells the time: the appender's own, against which the database's is checked.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// How an [`Appender`] works.
#[derive(Clone)]
pub struct AppenderOptions {
    /// Events in one transaction, at most; a single larger request goes alone.
    pub max_batch_events: usize,
    /// Requests in one transaction, at most.
    pub max_batch_requests: usize,
    /// Requests that may wait; beyond that, [`AppendError::Overloaded`].
    pub queue: usize,
    /// How long a call waits for other processes' turns.
    pub lock_timeout: Duration,
    /// How long a call may take altogether before its connection is given up.
    pub call_timeout: Duration,
    /// How long a batch is sent again after a failure that may pass.
    pub retry_for: Duration,
    /// The process's clock.
    pub clock: Clock,
    /// How far the database's clock may be ahead of the process's.
    pub max_clock_ahead: Duration,
}

impl AppenderOptions {
    /// The usual limits, with this clock.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            max_batch_events: 4096,
            max_batch_requests: 512,
            queue: 8192,
            lock_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(15),
            retry_for: Duration::from_secs(20),
            clock,
            max_clock_ahead: Duration::from_secs(60),
        }
    }
}

impl fmt::Debug for AppenderOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AppenderOptions")
            .field("max_batch_events", &self.max_batch_events)
            .field("max_batch_requests", &self.max_batch_requests)
            .field("queue", &self.queue)
            .field("lock_timeout", &self.lock_timeout)
            .field("call_timeout", &self.call_timeout)
            .field("retry_for", &self.retry_for)
            .field("max_clock_ahead", &self.max_clock_ahead)
            .finish_non_exhaustive()
    }
}

/// The way into the log. Cheap to clone; the task ends when the last clone is gone and every
/// waiting request is answered.
#[derive(Debug, Clone)]
pub struct Appender {
    queue: mpsc::Sender<Waiting>,
    outstanding: Outstanding,
    head: watch::Receiver<i64>,
    pool: PgPool,
}

impl Appender {
    /// Starts the task. It keeps two connections of its own, made like those of `pool`, whose role
    /// must be `daybook_writer`; the second only when several clients write at once.
    #[must_use]
    pub fn start(pool: PgPool, options: AppenderOptions) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(options.queue.max(1));
        let (head_sender, head) = watch::channel(0);
        let outstanding = Outstanding::default();
        let task =
            task::Task::new(&pool.connect_options(), options, &head_sender, outstanding.clone());
        let handle = tokio::spawn(task.run(waiting));
        (Self { queue, outstanding, head, pool }, handle)
    }

    /// Appends, and answers when it is durable.
    ///
    /// # Errors
    /// See [`AppendError`]; nothing was appended, but for `Unavailable`.
    pub async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        self.enqueue(request)?.await
    }

    /// Puts a request into the queue. Requests to one stream are appended in the order in which
    /// they were put here, so a caller may do this under a lock and wait outside it.
    ///
    /// # Errors
    /// `Data` and `Claimed` for what is wrong with the request itself; `Overloaded`; `Unavailable`
    /// when the task has ended. The request is not in the queue then.
    pub fn enqueue(&self, request: AppendRequest) -> Result<Pending, AppendError> {
        let prepared = Prepared::new(request)?;
        let (answer, receiver) = oneshot::channel();
        let counted = self.outstanding.count(prepared.events);
        self.queue.try_send(Waiting { prepared, answer, counted }).map_err(
            |error| match error {
                mpsc::error::TrySendError::Full(_) => AppendError::Overloaded,
                mpsc::error::TrySendError::Closed(_) => stopped(),
            },
        )?;
        Ok(Pending(receiver))
    }

    /// The last position that this process appended; 0 before the first.
    #[must_use]
    pub fn head(&self) -> watch::Receiver<i64> {
        self.head.clone()
    }

    /// Keeps a stream's folded state at a version, unless a later one of the same shape is kept.
    ///
    /// # Errors
    /// `Data` if it is not JSON that the database takes; `Unavailable`.
    pub async fn save_snapshot(
        &self,
        stream: Uuid,
        version: i64,
        shape: &str,
        state_json: &str,
    ) -> Result<(), AppendError> {
        sqlx::query(include_str!("save_snapshot.sql"))
            .bind(stream)
            .bind(version)
            .bind(shape)
            .bind(state_json)
            .execute(&self.pool)
            .await
            .map_err(|error| match call::CallError::from(error) {
                call::CallError::Data(text) => AppendError::Data(text),
                call::CallError::Transient(text) | call::CallError::Fatal(text) => {
                    AppendError::Unavailable(text)
                }
            })?;
        Ok(())
    }
}

fn stopped() -> AppendError {
    AppendError::Unavailable("the appender has stopped".to_owned())
}

/// A request that waits for its answer. Dropping it does not take the request back.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Result<Appended, AppendError>>);

impl Future for Pending {
    type Output = Result<Appended, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or_else(|_| Err(stopped())))
    }
}
