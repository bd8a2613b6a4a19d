//! Partitions from an offset to their ends, as consumers see them that read what is committed.
//!
//! Everything here blocks; callers in async code go through `spawn_blocking`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Offset, TopicPartitionList};

use super::Connection;
use super::refusal::Quiet;
use crate::lane::LANES;

/// How long a broker may take to answer a question.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// How long nothing may come before reading is given up.
const STALLED: Duration = Duration::from_secs(20);

/// How long a topic may be unknown to a broker before that is an error.
const KNOWN_WITHIN: Duration = Duration::from_secs(3);
/// How long a partition may be without a leader that knows that it is one.
const LED_WITHIN: Duration = Duration::from_secs(10);

/// How long this may be answered before it is an error: after a topic is made or a broker ends,
/// brokers hear of it one after the other.
fn passes_within(error: &KafkaError) -> Duration {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownPartition) => {
            KNOWN_WITHIN
        }
        Some(
            RDKafkaErrorCode::NotLeaderForPartition
            | RDKafkaErrorCode::LeaderNotAvailable
            | RDKafkaErrorCode::FencedLeaderEpoch
            | RDKafkaErrorCode::UnknownLeaderEpoch
            | RDKafkaErrorCode::OffsetNotAvailable,
        ) => LED_WITHIN,
        _ => Duration::ZERO,
    }
}

/// Reads the partitions of one topic of events; belongs to no group.
pub(super) struct Reader {
    consumer: BaseConsumer<Quiet>,
    topic: String,
}

/// Where each partition of a topic begins and ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bounds {
    /// The offset of the first record that is kept, by partition.
    pub(super) first: Vec<i64>,
    /// The offset after the last record, by partition.
    pub(super) end: Vec<i64>,
}

impl Reader {
    /// Reads `topic`: what is committed, or (`uncommitted`) all that is there.
    pub(super) fn new(
        connection: &Connection,
        topic: &str,
        uncommitted: bool,
    ) -> Result<Self, KafkaError> {
        let consumer = connection
            .config()
            // Offsets are always given: nothing is ever committed under this name.
            .set("group.id", format!("{topic}.reader"))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "error")
            .set("isolation.level", if uncommitted { "read_uncommitted" } else { "read_committed" })
            .set("fetch.wait.max.ms", "20")
            .set("queued.max.messages.kbytes", "32768")
            .create_with_context(Quiet::default())?;
        Ok(Self { consumer, topic: topic.to_owned() })
    }

    /// Where the partitions begin and end.
    pub(super) fn bounds(&self) -> Result<Bounds, KafkaError> {
        Ok(Bounds { first: self.offsets(Offset::Beginning)?, end: self.ends()? })
    }

    /// The offset after the last record of each partition.
    pub(super) fn ends(&self) -> Result<Vec<i64>, KafkaError> {
        self.offsets(Offset::End)
    }

    /// Asks until every partition has a leader that knows that it is one.
    fn offsets(&self, which: Offset) -> Result<Vec<i64>, KafkaError> {
        let begun = Instant::now();
        loop {
            match self.ask(which) {
                Err(error) if begun.elapsed() < passes_within(&error) => {
                    std::thread::sleep(Duration::from_millis(100));
                }
                answer => return answer,
            }
        }
    }

    /// One question to each leader, for all partitions that it leads.
    fn ask(&self, which: Offset) -> Result<Vec<i64>, KafkaError> {
        let mut asked = TopicPartitionList::new();
        asked.add_partition_range(&self.topic, 0, i32::from(LANES) - 1);
        asked.set_all_offsets(which)?;
        let answered = self.consumer.offsets_for_times(asked, ANSWERS_WITHIN)?;
        let mut offsets = vec![-1; usize::try_from(LANES).unwrap_or(64)];
        for element in answered.elements() {
            element.error()?;
            let place = usize::try_from(element.partition()).ok().and_then(|n| offsets.get_mut(n));
            if let (Some(place), Offset::Offset(offset)) = (place, element.offset()) {
                *place = offset;
            }
        }
        if offsets.contains(&-1) {
            return Err(KafkaError::OffsetFetch(RDKafkaErrorCode::UnknownPartition));
        }
        Ok(offsets)
    }

    /// Hands over every record from these offsets to the end of each partition, in order within each.
    pub(super) fn read(
        &self,
        from: &BTreeMap<i32, i64>,
        mut each: impl FnMut(&BorrowedMessage<'_>),
    ) -> Result<(), KafkaError> {
        let mut wanted = TopicPartitionList::new();
        for (partition, offset) in from {
            wanted.add_partition_offset(&self.topic, *partition, Offset::Offset(*offset))?;
        }
        let mut pending: Vec<i32> = from.keys().copied().collect();
        self.consumer.assign(&wanted)?;
        let mut last = Instant::now();
        while !pending.is_empty() {
            match self.consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => {
                    last = Instant::now();
                    each(&message);
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    last = Instant::now();
                    pending.retain(|open| *open != partition);
                }
                // A broker that is away for a moment.
                Some(Err(KafkaError::MessageConsumption(
                    RDKafkaErrorCode::BrokerTransportFailure
                    | RDKafkaErrorCode::AllBrokersDown
                    | RDKafkaErrorCode::OperationTimedOut,
                )))
                | None => {}
                Some(Err(error)) => return Err(error),
            }
            if last.elapsed() > STALLED {
                return Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut));
            }
        }
        self.consumer.unassign()
    }
}
