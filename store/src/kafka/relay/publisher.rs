//! Transactions into the topic. Everything here blocks.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use super::RelayError;
use crate::kafka::reader::Reader;
use crate::kafka::topics::LARGEST_RECORD;
use crate::kafka::{Connection, Record, delivered, log};
use crate::recorded::Recorded;

/// How long one step of a transaction may take before all is begun again.
const STEP: Duration = Duration::from_secs(8);

/// The one that publishes: whoever begins after it ends it.
pub(super) struct Publisher {
    producer: BaseProducer<Deliveries>,
    reader: Reader,
    topic: String,
    epoch: i64,
    /// The offset after the last record that is known, by lane.
    ends: Mutex<Vec<i64>>,
}

/// What became of the records of the transaction under way.
#[derive(Default)]
struct Deliveries {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    delivered: usize,
    /// First and last offset, by partition.
    offsets: BTreeMap<i32, (i64, i64)>,
    failed: Option<KafkaError>,
}

impl Deliveries {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log::line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let mut seen = self.seen();
        match result {
            Ok(message) => {
                seen.delivered += 1;
                let offset = message.offset();
                let span = seen.offsets.entry(message.partition()).or_insert((offset, offset));
                *span = (span.0.min(offset), span.1.max(offset));
            }
            Err((error, _)) => seen.failed = Some(error.clone()),
        }
    }
}

impl Publisher {
    /// Begins under the relay's name: from here on no other relay's transaction is completed, and
    /// one that was under way is taken back.
    pub(super) fn begin(
        connection: &Connection,
        topic: &str,
        epoch: i64,
    ) -> Result<Self, RelayError> {
        let producer: BaseProducer<Deliveries> = connection
            .config()
            .set("transactional.id", format!("daybook-relay-{topic}"))
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // One that is deleted is made again by us, with the partitions that it needs.
            .set("allow.auto.create.topics", "false")
            .set("transaction.timeout.ms", "30000")
            .set("message.timeout.ms", "20000")
            .set("message.max.bytes", LARGEST_RECORD)
            .set("compression.type", "lz4")
            .set("linger.ms", "2")
            .set("queue.buffering.max.messages", "50000")
            .create_with_context(Deliveries::default())?;
        producer.init_transactions(STEP)?;
        // Marks of transactions are written after the commit was answered: what is not committed counts.
        let reader = Reader::new(connection, topic, true)?;
        Ok(Self { producer, reader, topic: topic.to_owned(), epoch, ends: Mutex::default() })
    }

    /// Sets from which offsets on the partitions go.
    pub(super) fn goes_on_from(&self, ends: Vec<i64>) {
        *self.ends() = ends;
    }

    fn ends(&self) -> MutexGuard<'_, Vec<i64>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes events in one transaction: those who read what is committed see all or none of them.
    pub(super) fn publish(&self, events: &[Recorded]) -> Result<(), RelayError> {
        *self.producer.context().seen() = Seen::default();
        self.producer.begin_transaction()?;
        let failed = || self.producer.context().seen().failed.take();
        for event in events {
            let record = Record::of(event, self.epoch)
                .map_err(|error| RelayError::Unreadable { position: event.position, error })?;
            delivered::send(&self.producer, record.to(&self.topic), failed)?;
        }
        delivered::wait(&self.producer, STEP, failed)?;
        let seen = std::mem::take(&mut *self.producer.context().seen());
        if let Some(error) = seen.failed {
            return Err(error.into());
        }
        if seen.delivered != events.len() {
            return Err(KafkaError::Flush(RDKafkaErrorCode::MessageTimedOut).into());
        }
        let mut ends = self.ends();
        for (lane, (first, _)) in &seen.offsets {
            let end = usize::try_from(*lane).ok().and_then(|lane| ends.get(lane));
            if end.is_none_or(|end| first < end) {
                return Err(RelayError::Replaced { lane: *lane });
            }
        }
        self.producer.commit_transaction(STEP)?;
        for (lane, (_, last)) in seen.offsets {
            if let Some(end) = usize::try_from(lane).ok().and_then(|lane| ends.get_mut(lane)) {
                *end = last + 1;
            }
        }
        Ok(())
    }

    /// Looks whether the topic still has what it had: one that was deleted, made again or cut off
    /// while nothing was published does not show otherwise.
    pub(super) fn look(&self) -> Result<(), RelayError> {
        let now = self.reader.ends()?;
        for (lane, (now, known)) in (0..).zip(now.iter().zip(self.ends().iter())) {
            if now < known {
                return Err(RelayError::Replaced { lane });
            }
        }
        Ok(())
    }
}
