//! Topics of rows: each row of a read table in its latest state, for the databases around Daybook.
//!
//! The log says which rows an event touches; once it is posted, those rows are read and published
//! as they are, or that they are gone; then the checkpoint moves. A crash in between publishes some
//! of them again. So each row's latest state arrives at least once, and no older one after it: who
//! publishes does so alone, and Kafka fences whoever was replaced.

mod connect;
mod turn;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daybook_domain::message::DecodeError;
use daybook_store::kafka::{Connection, RowProducer, ensure_row_topics};
use daybook_store::{Filter, Log, ReadError};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use self::connect::{Form, records};
use self::turn::Turn;
use crate::catalog::{TABLES, Tables};
use crate::platform::audit_log::AuditLogRow;
use crate::posted::{Posted, WaitError};
use crate::table::{LIVE, Row};
use crate::together;

/// The most events whose rows are published in one transaction.
const PAGE: i64 = 1_000;
/// How often the turn is kept, and how long one waits for it.
const KEPT_EVERY: Duration = Duration::from_secs(1);
/// How long rows may take to be posted before the turn has to be kept again.
const POSTED_WITHIN: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Which tables are published, and where.
#[derive(Debug, Clone)]
pub struct RowOptions {
    /// Which publisher it is: a fresh id for each process.
    pub id: Uuid,
    /// The brokers.
    pub connection: Connection,
    /// The tables' names.
    pub tables: Vec<String>,
}

/// Publishes rows.
#[derive(Debug)]
pub struct RowTopics {
    pool: PgPool,
    log: Log,
    posted: Posted,
    head: watch::Receiver<i64>,
    connection: Connection,
    id: Uuid,
    forms: BTreeMap<&'static str, Form>,
    topics: BTreeMap<&'static str, String>,
    tables: Tables,
}

/// Why publishing ended for now. It is begun again.
#[derive(Debug, thiserror::Error)]
pub enum RowTopicError {
    /// A table that cannot be published.
    #[error("{0:?} is not a read table whose rows can be published: {1}")]
    Table(String, String),
    /// The brokers do not answer, or refuse.
    #[error("Kafka: {0}")]
    Kafka(#[from] daybook_store::kafka::KafkaError),
    /// The topics cannot be used.
    #[error(transparent)]
    Topic(#[from] daybook_store::kafka::TopicError),
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// An event that this build does not know.
    #[error("the event at position {0}: {1}")]
    Event(i64, DecodeError),
    /// Another process publishes now.
    #[error("another process publishes rows now")]
    Replaced,
    /// A thread of this process broke.
    #[error("a task ended badly: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// The tables whose rows can be published: all but `audit_logs`, which only grows and is in the log
/// as events.
#[must_use]
pub fn publishable() -> Vec<&'static str> {
    TABLES.iter().map(|table| table.name).filter(|name| *name != AuditLogRow::TABLE).collect()
}

/// Has the rows of a table published again from the beginning. Gives whether anybody publishes it.
///
/// # Errors
/// When the server does not answer.
pub async fn publish_again(pool: &PgPool, topic: &str) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("DELETE FROM projector.row_topics WHERE topic = $1")
        .bind(topic)
        .execute(pool)
        .await?;
    Ok(done.rows_affected() > 0)
}

impl RowTopics {
    /// Publishes the rows of these tables. `pool` is of role `daybook_projector`; `head` says how far
    /// the log is.
    ///
    /// # Errors
    /// A table that there is not.
    pub fn new(
        pool: PgPool,
        head: watch::Receiver<i64>,
        options: RowOptions,
    ) -> Result<Self, RowTopicError> {
        let mut forms = BTreeMap::new();
        let mut topics = BTreeMap::new();
        for name in &options.tables {
            let known = TABLES.iter().find(|table| table.name == name);
            let Some(table) = known.filter(|table| table.name != AuditLogRow::TABLE) else {
                return Err(RowTopicError::Table(name.clone(), publishable().join(", ")));
            };
            forms.insert(table.name, Form::of(table));
            topics.insert(table.name, options.connection.naming.rows(table.name));
        }
        Ok(Self {
            log: Log::new(pool.clone()),
            posted: Posted::new(pool.clone()),
            pool,
            head,
            connection: options.connection,
            id: options.id,
            forms,
            topics,
            tables: Tables::of(LIVE),
        })
    }

    /// Publishes until it is cancelled. What goes wrong is waited out: nobody waits for this.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut trouble = 0_u32;
        while !cancel.is_cancelled() {
            let began = Instant::now();
            match self.session(&cancel).await {
                Ok(()) => trouble = 0,
                Err(RowTopicError::Replaced) => {
                    tracing::info!("another process publishes rows now; this one stands by");
                }
                Err(error) => {
                    trouble = if began.elapsed() > LONGEST_PAUSE { 1 } else { trouble + 1 };
                    if trouble.is_power_of_two() {
                        tracing::warn!(%error, "rows could not be published; it is tried again");
                    }
                }
            }
            let pause = KEPT_EVERY * trouble.clamp(1, 5);
            let _ = tokio::time::timeout(pause.min(LONGEST_PAUSE), cancel.cancelled()).await;
        }
    }

    /// Publishes for as long as it is this process's turn and nothing goes wrong.
    async fn session(&mut self, cancel: &CancellationToken) -> Result<(), RowTopicError> {
        let prefix = &self.connection.naming.prefix;
        let Some(turn) = Turn::take(&self.pool, prefix, self.id).await? else { return Ok(()) };
        let published = self.publish(&turn, cancel).await;
        turn.release().await?;
        published
    }

    async fn publish(
        &mut self,
        turn: &Turn,
        cancel: &CancellationToken,
    ) -> Result<(), RowTopicError> {
        let names: Vec<&str> = self.topics.keys().copied().collect();
        for table in ensure_row_topics(&self.connection, &names).await? {
            // Whatever it had is gone, if it was ever there.
            if let Some(topic) = self.topics.get(table) {
                publish_again(&self.pool, topic).await?;
            }
        }
        let connection = self.connection.clone();
        let begun = tokio::task::spawn_blocking(move || RowProducer::begin(&connection)).await?;
        let producer = Arc::new(begun?);
        tracing::info!(tables = names.join(","), "publishing rows");
        let mut keep_at = Instant::now();
        while !cancel.is_cancelled() {
            if Instant::now() >= keep_at {
                if !turn.keep().await? {
                    return Err(RowTopicError::Replaced);
                }
                keep_at = Instant::now() + KEPT_EVERY;
            }
            if !self.step(turn, &producer).await? {
                tokio::select! {
                    () = cancel.cancelled() => {}
                    _ = tokio::time::timeout_at(keep_at.into(), self.head.changed()) => {}
                }
            }
        }
        Ok(())
    }

    /// Publishes what the next events touch, of the topics that are least far. `false`: there is
    /// nothing to publish yet.
    async fn step(
        &mut self,
        turn: &Turn,
        producer: &Arc<RowProducer>,
    ) -> Result<bool, RowTopicError> {
        self.head.borrow_and_update();
        let positions = turn.positions(&self.topics).await?;
        let Some(after) = positions.values().copied().min() else { return Ok(false) };
        let next = positions.values().copied().filter(|position| *position > after).min();
        let filter = Filter { up_to_position: next, ..Filter::default() };
        let page = self.log.page(after, &filter, PAGE).await?;
        if page.scanned_to <= after {
            return Ok(false);
        }
        match self.posted.wait_for(page.scanned_to, POSTED_WITHIN).await {
            Ok(()) => {}
            Err(WaitError::TimedOut { .. }) => return Ok(false),
            Err(WaitError::Read(error)) => return Err(error.into()),
        }
        let tables: Vec<&'static str> = positions
            .iter()
            .filter(|(_, position)| **position == after)
            .map(|(table, _)| *table)
            .collect();
        let (_, touched) = together::read(&page.events)
            .map_err(|at| RowTopicError::Event(at.position(&page.events), at.error))?;
        let forms: BTreeMap<&'static str, Form> = tables
            .iter()
            .filter_map(|table| Some((*table, self.forms.get(table)?.clone())))
            .collect();
        let mut connection = self.pool.acquire().await?;
        let records = touched.records(&forms, &self.tables, &mut connection).await?;
        drop(connection);
        let count = records.len() as u64;
        let publishing = Arc::clone(producer);
        tokio::task::spawn_blocking(move || publishing.publish(&records)).await??;
        metrics::counter!("daybook_rows_published_total").increment(count);
        let topics: Vec<&str> =
            tables.iter().filter_map(|table| self.topics.get(table).map(String::as_str)).collect();
        if !turn.advance(&topics, after, page.scanned_to).await? && !turn.keep().await? {
            return Err(RowTopicError::Replaced);
        }
        Ok(true)
    }
}
