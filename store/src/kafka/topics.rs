//! The topic of events: made once, looked at, never widened.
//!
//! A lane is a partition, for ever: a topic with another number of partitions is of no use. More of
//! them are a new generation, which has a topic of its own that is filled from the log.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication, TopicResult,
};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::Connection;
use super::refusal::{self, Quiet, Refusal};
use crate::lane::LANES;

/// How long brokers may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// The largest record that a topic of events takes, in bytes: well above the largest event.
pub(crate) const LARGEST_RECORD: &str = "8388608";

/// What to do about it, where there are fewer brokers than copies are wanted.
fn copies(reason: RDKafkaErrorCode) -> &'static str {
    match reason {
        RDKafkaErrorCode::InvalidReplicationFactor => {
            "; set DAYBOOK_KAFKA_REPLICATION to no more than there are brokers"
        }
        _ => "",
    }
}

/// Why a topic cannot be used, or looked at.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The brokers do not answer, or refuse.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// The brokers do not let us in.
    #[error("Kafka: {0}")]
    Refused(Refusal),
    /// It cannot be made.
    #[error("topic {topic} cannot be made: {reason}{}", copies(*reason))]
    NotMade {
        /// The topic.
        topic: String,
        /// What the brokers say.
        reason: RDKafkaErrorCode,
    },
    /// It cannot be taken away.
    #[error("topic {topic} cannot be deleted: {reason}")]
    NotDeleted {
        /// The topic.
        topic: String,
        /// What the brokers say.
        reason: RDKafkaErrorCode,
    },
    /// It has another number of partitions than the log has lanes.
    #[error(
        "topic {topic} has {partitions} partitions, and the log has {LANES} lanes: a topic is never widened. \
         Set a new generation (DAYBOOK_KAFKA_GENERATION), whose topic is made and filled from the log"
    )]
    Partitions {
        /// The topic.
        topic: String,
        /// How many it has.
        partitions: usize,
    },
    /// A thread of this process broke.
    #[error("a task of the relay ended badly: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// A topic as the brokers describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// How many partitions it has.
    pub partitions: usize,
    /// The fewest copies that a partition of it has.
    pub replication: usize,
    /// Partitions with fewer copies in sync than they have copies.
    pub behind: usize,
    /// Partitions with fewer copies in sync than there must be for anything to be written.
    pub starved: usize,
    /// Partitions that nobody leads.
    pub leaderless: usize,
    /// Its settings.
    pub settings: BTreeMap<String, String>,
}

/// What is not as it was asked for, and how it is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub mend: String,
}

/// Asks brokers about topics.
pub struct Topics {
    connection: Connection,
    admin: AdminClient<Quiet>,
}

impl Topics {
    /// Asks these brokers.
    ///
    /// # Errors
    /// Settings that librdkafka refuses.
    pub fn new(connection: &Connection) -> Result<Self, TopicError> {
        Ok(Self {
            connection: connection.clone(),
            admin: connection.config().create_with_context(Quiet::default())?,
        })
    }

    /// How many brokers there are.
    ///
    /// # Errors
    /// When none answers.
    pub async fn brokers(&self) -> Result<usize, TopicError> {
        let connection = self.connection.clone();
        tokio::task::spawn_blocking(move || {
            Ok(refusal::metadata(&connection, None)?.brokers().len())
        })
        .await?
    }

    /// The topic as it is; `None`: there is none.
    ///
    /// # Errors
    /// When no broker answers, or they refuse.
    pub async fn describe(&self, topic: &str) -> Result<Option<Described>, TopicError> {
        let Some(mut described) = self.partitions(topic).await? else { return Ok(None) };
        let specifier = ResourceSpecifier::Topic(topic);
        let resources = self.admin.describe_configs([&specifier], &options()).await?;
        for resource in resources {
            match resource {
                Ok(resource) => {
                    let named = resource.entries.into_iter();
                    described.settings =
                        named.filter_map(|entry| Some((entry.name, entry.value?))).collect();
                }
                Err(RDKafkaErrorCode::UnknownTopicOrPartition) => return Ok(None),
                Err(code) => return Err(KafkaError::AdminOp(code).into()),
            }
        }
        Ok(Some(described))
    }

    async fn partitions(&self, topic: &str) -> Result<Option<Described>, TopicError> {
        let connection = self.connection.clone();
        let topic = topic.to_owned();
        let wanted = usize::try_from(connection.topics.min_insync).unwrap_or(1);
        tokio::task::spawn_blocking(move || {
            let metadata = refusal::metadata(&connection, Some(&topic))?;
            let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
                return Ok(None);
            };
            match found.error().map(RDKafkaErrorCode::from) {
                Some(
                    RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic,
                ) => return Ok(None),
                Some(code) => return Err(KafkaError::MetadataFetch(code).into()),
                None => {}
            }
            let partitions = found.partitions();
            Ok((!partitions.is_empty()).then(|| Described {
                partitions: partitions.len(),
                replication: partitions.iter().map(|p| p.replicas().len()).min().unwrap_or(0),
                behind: partitions.iter().filter(|p| p.isr().len() < p.replicas().len()).count(),
                starved: partitions.iter().filter(|p| p.isr().len() < wanted).count(),
                leaderless: partitions.iter().filter(|p| p.leader() < 0).count(),
                settings: BTreeMap::new(),
            }))
        })
        .await?
    }

    /// How many partitions of the topic of events have too few copies in sync.
    pub(super) async fn starved(&self) -> Result<usize, TopicError> {
        let found = self.partitions(&self.connection.naming.events()).await?;
        Ok(found.map_or(0, |found| found.starved))
    }

    /// Makes the topic of events where it is missing, as the settings say; one that is there keeps
    /// its settings. Gives whether it was made now.
    ///
    /// # Errors
    /// When it has another number of partitions, cannot be made, or nobody answers.
    pub async fn ensure_events(&self) -> Result<bool, TopicError> {
        self.ensure(&self.connection.naming.events()).await
    }

    /// The same for a topic of another name.
    pub(super) async fn ensure(&self, topic: &str) -> Result<bool, TopicError> {
        match self.partitions(topic).await? {
            Some(found) if found.partitions == usize::try_from(LANES).unwrap_or(0) => Ok(false),
            Some(found) => Err(TopicError::Partitions {
                topic: topic.to_owned(),
                partitions: found.partitions,
            }),
            None => self.make_events(topic).await,
        }
    }

    async fn make_events(&self, topic: &str) -> Result<bool, TopicError> {
        let wanted = &self.connection.topics;
        let in_sync = wanted.min_insync.to_string();
        let retention = wanted.retention.as_millis().to_string();
        let new =
            NewTopic::new(topic, i32::from(LANES), TopicReplication::Fixed(wanted.replication))
                .set("cleanup.policy", "delete")
                .set("min.insync.replicas", &in_sync)
                .set("retention.ms", &retention)
                .set("max.message.bytes", LARGEST_RECORD)
                // A copy that missed acknowledged records never leads.
                .set("unclean.leader.election.enable", "false");
        match first(self.admin.create_topics([&new], &options()).await?) {
            Ok(()) => Ok(true),
            // Another relay was faster, or it is being deleted: whoever asks again sees which.
            Err(reason) => Err(TopicError::NotMade { topic: topic.to_owned(), reason }),
        }
    }

    /// Deletes the topic and makes it again, empty.
    ///
    /// # Errors
    /// When the brokers refuse either, or do not answer.
    pub async fn make_events_again(&self) -> Result<(), TopicError> {
        let topic = self.connection.naming.events();
        match first(self.admin.delete_topics(&[&topic], &options()).await?) {
            Ok(()) | Err(RDKafkaErrorCode::UnknownTopicOrPartition) => {}
            Err(reason) => return Err(TopicError::NotDeleted { topic, reason }),
        }
        let mut tried = 0;
        loop {
            match self.make_events(&topic).await {
                Ok(_) => return Ok(()),
                // Deleting takes the brokers a moment.
                Err(TopicError::NotMade {
                    reason: RDKafkaErrorCode::TopicAlreadyExists, ..
                }) if tried < 100 => {
                    tried += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What of the topic of events is not as the settings want it. No objections: it is.
    ///
    /// # Errors
    /// When the brokers do not answer.
    pub async fn objections(&self) -> Result<Vec<Objection>, TopicError> {
        let topic = self.connection.naming.events();
        let Some(found) = self.describe(&topic).await? else {
            return Ok(vec![Objection {
                what: format!("there is no topic {topic}"),
                mend: "start a process with the role relay: it makes the topic and fills it".into(),
            }]);
        };
        Ok(objections(&topic, &found, &self.connection))
    }
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(ANSWERS_WITHIN))
        .operation_timeout(Some(ANSWERS_WITHIN))
}

fn first(results: Vec<TopicResult>) -> Result<(), RDKafkaErrorCode> {
    results.into_iter().next().map_or(Ok(()), |result| result.map(|_| ()).map_err(|(_, code)| code))
}

fn objections(topic: &str, found: &Described, connection: &Connection) -> Vec<Objection> {
    let wanted = &connection.topics;
    let mut objections = Vec::new();
    let mut object = |what: String, mend: String| objections.push(Objection { what, mend });
    if found.partitions != usize::try_from(LANES).unwrap_or(0) {
        object(
            format!("{topic} has {} partitions, the log has {LANES} lanes", found.partitions),
            "never widen it: set a new generation (DAYBOOK_KAFKA_GENERATION)".into(),
        );
    }
    if i32::try_from(found.replication).is_ok_and(|copies| copies < wanted.replication) {
        object(
            format!("{topic} has {} copies, {} are wanted", found.replication, wanted.replication),
            "add copies with kafka-reassign-partitions, or lower DAYBOOK_KAFKA_REPLICATION".into(),
        );
    }
    if found.leaderless > 0 {
        object(
            format!("{} partitions of {topic} have no leader", found.leaderless),
            "start the brokers that have them".into(),
        );
    }
    if found.starved > 0 {
        object(
            format!(
                "{} partitions of {topic} have fewer than {} copies in sync: nothing can be written to them",
                found.starved, wanted.min_insync
            ),
            "start the brokers that are down".into(),
        );
    }
    if found.behind > 0 {
        object(
            format!("{} partitions of {topic} have copies that are behind", found.behind),
            "start the brokers that are down, and wait until they have caught up".into(),
        );
    }
    let expected = [
        ("cleanup.policy", "delete".to_owned()),
        ("min.insync.replicas", wanted.min_insync.to_string()),
        ("retention.ms", wanted.retention.as_millis().to_string()),
        ("max.message.bytes", LARGEST_RECORD.to_owned()),
        ("unclean.leader.election.enable", "false".to_owned()),
    ];
    for (name, value) in expected {
        let actual = found.settings.get(name).map_or("", String::as_str);
        if actual != value {
            object(
                format!("{name} of {topic} is {actual:?}, {value:?} is wanted"),
                format!(
                    "kafka-configs --alter --topic {topic} --add-config {name}={value}, or change the setting"
                ),
            );
        }
    }
    objections
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> Described {
        let settings = [
            ("cleanup.policy", "delete"),
            ("min.insync.replicas", "2"),
            ("retention.ms", "604800000"),
            ("max.message.bytes", LARGEST_RECORD),
            ("unclean.leader.election.enable", "false"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Described {
            partitions: 64,
            replication: 3,
            behind: 0,
            starved: 0,
            leaderless: 0,
            settings: settings.into(),
        }
    }

    #[test]
    fn what_is_not_as_it_should_be_is_said_with_what_to_do() {
        let connection = Connection::default();
        assert_eq!(objections("t", &described(), &connection), []);
        let broken = Described {
            partitions: 32,
            replication: 1,
            behind: 2,
            starved: 1,
            leaderless: 1,
            settings: BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]),
        };
        let said = objections("t", &broken, &connection);
        assert_eq!(said.len(), 10, "{said:?}");
        assert!(said.iter().all(|one| !one.mend.is_empty()));
        assert!(said[0].mend.contains("generation"), "{said:?}");
    }
}
