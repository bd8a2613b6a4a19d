//! The group: who is a member, and what it is told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::inbox::Shared;
use crate::kafka::connection::Connection;
use crate::kafka::log;
use crate::kafka::refusal::{Heard, Refusal};

/// How long a member that is silent keeps its lanes.
const SESSION: &str = "10000";

/// A member's settings.
pub(super) fn config(connection: &Connection, instance: Option<&str>) -> ClientConfig {
    let mut config = connection.config();
    config
        .set("group.id", connection.naming.projector_group())
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // A topic that was made anew, or records that are past their time: from what there is.
        .set("auto.offset.reset", "earliest")
        .set("allow.auto.create.topics", "false")
        .set("session.timeout.ms", SESSION)
        .set("heartbeat.interval.ms", "2000")
        // A topic that is made anew is found within seconds.
        .set("topic.metadata.refresh.interval.ms", "5000")
        // What is fetched ahead of the inbox.
        .set("queued.max.messages.kbytes", "32768")
        .set("fetch.queue.backoff.ms", "20")
        .set("fetch.error.backoff.ms", "200");
    if let Some(instance) = instance {
        config.set("group.instance.id", instance);
    }
    config
}

/// Makes a member, which joins once it subscribes.
pub(super) fn member(config: &ClientConfig, shared: &Arc<Shared>) -> KafkaResult<Member> {
    config.create_with_context(Hears { shared: Arc::clone(shared), heard: Heard::default() })
}

/// A member.
pub(super) type Member = BaseConsumer<Hears>;

/// Hears what the group says.
pub(super) struct Hears {
    shared: Arc<Shared>,
    pub(super) heard: Heard,
}

impl ClientContext for Hears {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log::line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.heard.hear(&error, reason);
    }
}

impl ConsumerContext for Hears {
    fn pre_rebalance(&self, member: &Member, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            let lanes = lanes_of(partitions);
            if !member.assignment_lost() {
                commit(member, &self.shared, Some(&lanes));
            }
            tracing::info!(lanes = lanes.len(), "Kafka takes lanes back");
            self.shared.revoke(lanes);
        }
    }

    fn post_rebalance(&self, _: &Member, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => {
                let lanes = lanes_of(partitions);
                if !lanes.is_empty() {
                    tracing::info!(lanes = lanes.len(), "Kafka gives out lanes");
                    self.shared.assign(lanes);
                }
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => tracing::warn!(%error, "the group could not rebalance"),
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::debug!(%error, "offsets were not committed; nothing rests on them");
        }
    }
}

fn lanes_of(partitions: &TopicPartitionList) -> Vec<i16> {
    let elements = partitions.elements();
    elements.iter().filter_map(|element| i16::try_from(element.partition()).ok()).collect()
}

/// Commits what is posted and was not committed.
pub(super) fn commit(member: &Member, shared: &Shared, only: Option<&[i16]>) {
    let offsets = shared.to_commit(only);
    if offsets.is_empty() {
        return;
    }
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (lane, offset) in offsets {
        let added = list.add_partition_offset(&shared.topic, lane.into(), Offset::Offset(offset));
        if let Err(error) = added {
            tracing::debug!(%error, lane, offset, "not an offset");
        }
    }
    if let Err(error) = member.commit(&list, CommitMode::Async) {
        tracing::debug!(%error, "offsets were not committed; nothing rests on them");
    }
}

/// Pauses or goes on, by lane.
pub(super) fn tend(member: &Member, shared: &Shared) {
    let tending = shared.tend();
    let list = |lanes: &[i16]| {
        let mut list = TopicPartitionList::with_capacity(lanes.len());
        for lane in lanes {
            list.add_partition(&shared.topic, (*lane).into());
        }
        list
    };
    for (what, lanes, result) in [
        ("pause", &tending.pause, paused(member, &list(&tending.pause))),
        ("resume", &tending.resume, resumed(member, &list(&tending.resume))),
    ] {
        if let Err(error) = result {
            tracing::warn!(%error, what, ?lanes, "Kafka does not pause lanes as it was told to");
        }
    }
}

fn paused(member: &Member, list: &TopicPartitionList) -> KafkaResult<()> {
    if list.count() == 0 { Ok(()) } else { member.pause(list) }
}

fn resumed(member: &Member, list: &TopicPartitionList) -> KafkaResult<()> {
    if list.count() == 0 { Ok(()) } else { member.resume(list) }
}

/// Tells of errors that pass, now and then.
#[derive(Debug, Default)]
pub(super) struct Complaint {
    told_at: Option<Instant>,
}

impl Complaint {
    const EVERY: Duration = Duration::from_secs(30);

    pub(super) fn of(&mut self, error: &KafkaError, refusal: Option<Refusal>) {
        if self.told_at.is_some_and(|at| at.elapsed() < Self::EVERY) {
            return;
        }
        self.told_at = Some(Instant::now());
        match refusal {
            Some(Refusal { what, mend }) => {
                tracing::error!(
                    what,
                    mend,
                    "Kafka does not let this process in; lanes wait for it"
                );
            }
            None => {
                tracing::warn!(%error, "Kafka does not answer as it should; lanes wait for it");
            }
        }
    }
}
