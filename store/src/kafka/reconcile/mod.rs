//! Holds the topic of events against the log, record by record.
//!
//! The topic is read once from where retention has left it to its end, the log once beside it. Of
//! each record some forty bytes are kept in memory while that happens.

mod compare;
mod repair;
mod seen;

use std::time::Duration;

use futures::{StreamExt, pin_mut};
use rdkafka::error::KafkaError;
use serde::Serialize;

use self::compare::Comparison;
pub use self::repair::repair;
use self::seen::Lanes;
use super::{Connection, TopicError, Topics};
use crate::error::ReadError;
use crate::log::Log;

/// How long a relay that is alive is given to publish what the log had when the comparison began.
const PATIENCE: Duration = Duration::from_secs(15);

/// What can be wrong with a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The log has the event, the topic has not.
    Missing,
    /// The topic has the event more than once.
    Duplicated,
    /// The event comes after a later one of its lane.
    Reordered,
    /// The log does not know it.
    Foreign,
    /// It says something else than the log.
    Differing,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What is wrong.
    pub kind: Kind,
    /// Where the record lies, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// The place in the lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane_seq: Option<i64>,
    /// The position in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// Why a record cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One partition against its lane.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Partition {
    /// Its number, which is the lane's.
    pub partition: i32,
    /// The first offset that is kept; above 0 retention has taken records away.
    pub first_offset: i64,
    /// The offset after the last record.
    pub end_offset: i64,
    /// How many records there are.
    pub records: u64,
    /// How many events of the lane are missing.
    pub missing: u64,
    /// How many records are there again.
    pub duplicated: u64,
    /// How many come after a later one.
    pub reordered: u64,
    /// How many the log does not know.
    pub foreign: u64,
    /// How many say something else.
    pub differing: u64,
    /// Some of the differences.
    pub differences: Vec<Difference>,
    /// Whether something is wrong besides missing events at the end.
    pub broken: bool,
}

impl Partition {
    /// Whether it has what the log has.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.missing + self.duplicated + self.reordered + self.foreign + self.differing == 0
    }
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The topic.
    pub topic: String,
    /// Up to where the topic must have what the log has.
    pub position: i64,
    /// Each partition.
    pub partitions: Vec<Partition>,
}

impl Report {
    /// Whether the topic is what the log says.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.partitions.iter().all(Partition::is_same)
    }

    /// Whether publishing what is missing at the ends makes it so.
    #[must_use]
    pub fn only_lacks_its_end(&self) -> bool {
        self.partitions.iter().all(|partition| !partition.broken)
    }
}

/// How far a comparison is: events of the log that were looked at, of how many.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// So many.
    pub done: i64,
    /// Of so many.
    pub total: i64,
}

/// Why topic and log cannot be compared, or the topic not mended.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The topic cannot be used.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// There is no topic.
    #[error(
        "there is no topic {0}: a process with the role relay makes it, or `daybook reconcile --repair`"
    )]
    NoTopic(String),
    /// The brokers do not answer.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The database does not answer.
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// The topic does not become what the log says.
    #[error("the topic is not filled: {0}")]
    NotFilled(String),
    /// A thread of this process broke.
    #[error("a task ended badly: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Compares the topic of events with the log. Of the differences, `examples` of each partition are
/// named; all are counted.
///
/// # Errors
/// When topic or log cannot be read.
pub async fn compare(
    log: &Log,
    connection: &Connection,
    examples: usize,
    tell: &(dyn Fn(Progress) + Sync),
) -> Result<Report, ReconcileError> {
    let topic = connection.naming.events();
    if Topics::new(connection)?.describe(&topic).await?.is_none() {
        return Err(ReconcileError::NoTopic(topic));
    }
    let before = log.head().await?;
    let said = published(log, &topic, before.position).await?;
    let lanes = {
        let (connection, topic) = (connection.clone(), topic.clone());
        tokio::task::spawn_blocking(move || Lanes::read(&connection, &topic)).await??
    };
    // Later than the last record that was read: what the log does not have by now it never will.
    let after = log.head().await?;
    let mut comparison = Comparison::new(lanes, before.position, &said, examples);
    let begin = comparison.first_position() - 1;
    let events = log.copy(begin, after.position);
    pin_mut!(events);
    while let Some(events) = events.next().await {
        for event in events? {
            tell(Progress { done: event.position - begin, total: after.position - begin });
            comparison.take(&event, after.epoch);
        }
    }
    Ok(Report { topic, position: before.position, partitions: comparison.finish() })
}

/// Gives a relay that is alive the time to publish up to `position`; gives the places that were said
/// to be in the topic.
async fn published(log: &Log, topic: &str, position: i64) -> Result<Vec<i64>, sqlx::Error> {
    let mut waited = Duration::ZERO;
    loop {
        let row: Option<(bool, i64, Vec<i64>)> = sqlx::query_as(
            "SELECT lease_until > clock_timestamp(), position, lane_seqs
             FROM journal.relays WHERE topic = $1",
        )
        .bind(topic)
        .fetch_optional(log.pool())
        .await?;
        match row {
            None => return Ok(Vec::new()),
            Some((alive, reached, lane_seqs)) => {
                if !alive || reached >= position || waited >= PATIENCE {
                    return Ok(lane_seqs);
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        waited += Duration::from_millis(100);
    }
}
