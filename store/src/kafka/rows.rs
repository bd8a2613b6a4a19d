//! Topics of rows: each row's latest state by its key, for the databases around Daybook.
//!
//! What the rows are is for others to say; here they are published. In transactions under one name:
//! a publisher that was replaced and did not notice completes nothing more, so that no older state
//! ever follows a newer one.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use super::connection::Connection;
use super::topics::{TopicError, Topics};
use super::{delivered, log};

/// Partitions of a topic of rows.
const PARTITIONS: i32 = 8;
/// How long brokers may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// How long one step of a transaction may take before all is begun again.
const STEP: Duration = Duration::from_secs(20);

/// A row's state, or that it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRecord {
    /// The table.
    pub table: &'static str,
    /// The key.
    pub key: String,
    /// The row; `None`: there is none with this key.
    pub value: Option<String>,
}

/// Publishes rows.
pub struct RowProducer {
    connection: Connection,
    producer: BaseProducer<Hears>,
}

/// Hears what brokers say, and makes little of it.
pub(super) struct Hears;

impl ClientContext for Hears {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log::line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }
}

impl ProducerContext for Hears {
    type DeliveryOpaque = ();

    /// What did not arrive fails the transaction, which says so.
    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// Makes the topics of these tables where they are missing: compacted, so that the latest state of
/// each row is kept for ever. Topics that are there keep their settings. Gives the tables whose topics
/// were made now.
///
/// # Errors
/// When the brokers refuse, or do not answer.
pub async fn ensure_row_topics<'t>(
    connection: &Connection,
    tables: &[&'t str],
) -> Result<Vec<&'t str>, TopicError> {
    // Whoever may not come in is told so here, and not that the brokers took too long.
    Topics::new(connection)?.brokers().await?;
    let admin: AdminClient<DefaultClientContext> = connection.config().create()?;
    let names: Vec<String> = tables.iter().map(|table| connection.naming.rows(table)).collect();
    let copies = connection.topics.replication;
    let in_sync = connection.topics.min_insync.to_string();
    let topics: Vec<NewTopic<'_>> = names
        .iter()
        .map(|name| {
            NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(copies))
                .set("cleanup.policy", "compact")
                .set("min.insync.replicas", &in_sync)
        })
        .collect();
    let options = AdminOptions::new()
        .request_timeout(Some(ANSWERS_WITHIN))
        .operation_timeout(Some(ANSWERS_WITHIN));
    let mut new = Vec::new();
    for made in admin.create_topics(&topics, &options).await? {
        match made {
            Ok(topic) => {
                tracing::info!(topic, "made a topic of rows");
                new.extend(
                    names.iter().position(|name| *name == topic).and_then(|at| tables.get(at)),
                );
            }
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(KafkaError::AdminOp(code).into()),
        }
    }
    Ok(new)
}

impl RowProducer {
    /// Begins to publish; from now on nothing of those who began before arrives any more. Blocks.
    ///
    /// # Errors
    /// When the brokers refuse, or do not answer.
    pub fn begin(connection: &Connection) -> KafkaResult<Self> {
        let name = format!("{}daybook.rows", connection.naming.prefix);
        let producer: BaseProducer<Hears> = connection
            .config()
            .set("transactional.id", name)
            .set("allow.auto.create.topics", "false")
            .set("compression.type", "lz4")
            .set("linger.ms", "2")
            // Like Kafka's own clients, so that a key is in one partition whoever asks.
            .set("partitioner", "murmur2_random")
            .create_with_context(Hears)?;
        producer.init_transactions(STEP)?;
        Ok(Self { connection: connection.clone(), producer })
    }

    /// Publishes these, all or none of them. Blocks.
    ///
    /// # Errors
    /// When nothing of it was published, or it is not known: then it is to be done again, by a
    /// publisher that begins anew.
    pub fn publish(&self, records: &[RowRecord]) -> KafkaResult<()> {
        if records.is_empty() {
            return Ok(());
        }
        self.producer.begin_transaction()?;
        for record in records {
            let topic = self.connection.naming.rows(record.table);
            let mut next = BaseRecord::to(&topic).key(record.key.as_str());
            if let Some(value) = &record.value {
                next = next.payload(value.as_str());
            }
            delivered::send(&self.producer, next, || None)?;
        }
        delivered::wait(&self.producer, STEP, || None)?;
        self.producer.commit_transaction(STEP)
    }
}
