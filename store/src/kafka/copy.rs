//! A stretch of the log in a topic that is not ours to keep: records as in the topic of events.
//!
//! In transactions under one name for each topic, and each event once: who goes on after an
//! interruption asks the topic what it has.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::producer::{BaseProducer, Producer};

use super::relay::{RelayError, ends_of};
use super::rows::Hears;
use super::topics::{LARGEST_RECORD, Topics};
use super::{Connection, Record, delivered};
use crate::recorded::Recorded;

/// How long one step of a transaction may take.
const STEP: Duration = Duration::from_secs(20);
/// Events of one transaction.
const TOGETHER: usize = 5_000;

/// Writes to the topic.
pub struct TopicCopy {
    producer: BaseProducer<Hears>,
    topic: String,
    epoch: i64,
    /// The last place of each lane that the topic has.
    has: BTreeMap<i32, i64>,
    /// Events of the transaction under way.
    under_way: usize,
}

impl TopicCopy {
    /// Makes the topic where it is missing, as the topic of events is made, and begins; another one
    /// that writes to it is ended.
    ///
    /// # Errors
    /// When the brokers refuse, or do not answer; when the topic has other partitions.
    pub async fn begin(
        connection: &Connection,
        topic: &str,
        epoch: i64,
    ) -> Result<Self, RelayError> {
        Topics::new(connection)?.ensure(topic).await?;
        let (connection, topic) = (connection.clone(), topic.to_owned());
        tokio::task::spawn_blocking(move || {
            let producer: BaseProducer<Hears> = connection
                .config()
                .set("transactional.id", format!("daybook-replay-{topic}"))
                .set("message.max.bytes", LARGEST_RECORD)
                .set("compression.type", "lz4")
                .set("linger.ms", "5")
                .create_with_context(Hears)?;
            producer.init_transactions(STEP)?;
            let has = ends_of(&connection, &topic)?;
            Ok(Self { producer, topic, epoch, has, under_way: 0 })
        })
        .await?
    }

    /// Whether the topic had nothing of ours when this began.
    #[must_use]
    pub fn was_empty(&self) -> bool {
        self.has.is_empty()
    }

    /// Writes an event, unless the topic has it; gives the bytes of its data. Blocks.
    ///
    /// # Errors
    /// When it cannot be written. Then this is of no more use.
    pub fn take(&mut self, event: &Recorded) -> Result<u64, RelayError> {
        let record = Record::of(event, self.epoch)
            .map_err(|error| RelayError::Unreadable { position: event.position, error })?;
        let bytes = record.value.get().len() as u64;
        if self.has.get(&record.partition).is_some_and(|has| event.lane_seq <= *has) {
            return Ok(bytes);
        }
        if self.under_way == 0 {
            self.producer.begin_transaction()?;
        }
        delivered::send(&self.producer, record.to(&self.topic), || None)?;
        self.under_way += 1;
        if self.under_way >= TOGETHER {
            self.settle()?;
        }
        Ok(bytes)
    }

    /// Lets whoever reads what is committed see all that was taken. Blocks.
    ///
    /// # Errors
    /// When it cannot be written. Then this is of no more use.
    pub fn settle(&mut self) -> Result<(), RelayError> {
        if self.under_way > 0 {
            delivered::wait(&self.producer, STEP, || None)?;
            self.producer.commit_transaction(STEP)?;
            self.under_way = 0;
        }
        Ok(())
    }
}
