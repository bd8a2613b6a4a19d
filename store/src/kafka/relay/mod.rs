//! The relay: reads the log in order and publishes it to the topic of events. Nothing else does.
//!
//! One relay publishes at a time. It does so in transactions under one name, so that Kafka itself
//! ends a relay that was replaced and did not notice, and those who read what is committed see each
//! event once, in the order of its lane. What is in the topic is learnt from the topic, when it begins
//! and after any error. Commands never wait for it.

mod learn;
mod lease;
mod publisher;
mod session;

use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use self::learn::{ends_of, missing};
use super::{Connection, TopicError, Topics};
use crate::error::ReadError;
use crate::log::Log;

/// How long one waits that is not the one that publishes, before it asks again.
const STANDS_BY: Duration = Duration::from_secs(1);
const FIRST_RETRY: Duration = Duration::from_millis(200);
const LAST_RETRY: Duration = Duration::from_secs(5);
/// How long brokers may take to say what an error comes of.
const EXPLAINED_WITHIN: Duration = Duration::from_secs(3);
/// How long a relay leads, with nothing to publish, until what stopped it before is over.
const WELL_AFTER: Duration = Duration::from_secs(60);

/// How a relay works.
#[derive(Debug, Clone)]
pub struct RelayOptions {
    /// Which relay it is: fresh for each process.
    pub id: Uuid,
    /// On which machine, for people.
    pub host: String,
    /// The most events in one transaction.
    pub batch: usize,
}

impl RelayOptions {
    /// Up to 5,000 events in one transaction.
    #[must_use]
    pub fn new(id: Uuid, host: String) -> Self {
        Self { id, host, batch: 5000 }
    }
}

/// Publishes the log.
#[derive(Debug)]
pub struct Relay {
    log: Log,
    connection: Connection,
    topic: String,
    head: watch::Receiver<i64>,
    published: watch::Sender<i64>,
    options: RelayOptions,
}

/// Why publishing ended for now. It is always begun again.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The brokers do not answer, or refuse.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// The brokers work, and have too few copies in sync to take anything.
    #[error(
        "{starved} partitions of the topic have fewer than {wanted} copies in sync: brokers take nothing (NOT_ENOUGH_REPLICAS) until those that are down are back"
    )]
    TooFewCopies {
        /// How many partitions.
        starved: usize,
        /// How many copies are wanted in sync.
        wanted: i32,
    },
    /// The topic cannot be used.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The database does not answer.
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// Another relay has the lease.
    #[error("another relay has taken over")]
    LeaseLost,
    /// The log is in another life: what it has must be compared again.
    #[error("the log is in another epoch")]
    AnotherEpoch,
    /// The topic is not the one that it was.
    #[error("partition {lane} has lost records: the topic was deleted, made again or cut off")]
    Replaced {
        /// The partition.
        lane: i32,
    },
    /// Somebody else writes to the topic, in a transaction that is not ended.
    #[error(
        "another producer has a transaction open in partition {lane}: nothing but the relay may write to the topic"
    )]
    OpenTransaction {
        /// The partition.
        lane: i32,
    },
    /// The topic has what the log has not.
    #[error(
        "partition {lane} ends with an event of position {position}, which the log has not: a failover lost what was published, or somebody else wrote it. `daybook reconcile` compares, `daybook reconcile --repair` makes the topic again from the log"
    )]
    NotInTheLog {
        /// The partition.
        lane: i32,
        /// The position that the record says.
        position: i64,
    },
    /// A lane of the log has a hole.
    #[error(
        "lane {lane} of the log has a hole before position {position}; `daybook doctor` says more"
    )]
    Hole {
        /// The lane.
        lane: i16,
        /// The position after the hole.
        position: i64,
    },
    /// An event's data is no JSON.
    #[error("the event at position {position} cannot be read: {error}")]
    Unreadable {
        /// Its position.
        position: i64,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// A thread of this process broke.
    #[error("a task of the relay ended badly: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl RelayError {
    /// What kind of trouble it is: while the kind is the same, it is not said again.
    fn kind(&self) -> &'static str {
        match self {
            Self::LeaseLost => REPLACED,
            Self::Kafka(error) => match error.rdkafka_error_code() {
                Some(
                    RDKafkaErrorCode::Fenced
                    | RDKafkaErrorCode::ProducerFenced
                    | RDKafkaErrorCode::InvalidProducerEpoch,
                ) => REPLACED,
                _ => "Kafka",
            },
            Self::TooFewCopies { .. } => "too few copies",
            Self::Topic(TopicError::Partitions { .. }) => "partitions",
            Self::Topic(TopicError::Refused(_)) => "refused",
            Self::Topic(_) => "Kafka",
            Self::Log(_) | Self::Database(_) => "database",
            Self::AnotherEpoch => "epoch",
            Self::Replaced { .. } => "replaced topic",
            Self::OpenTransaction { .. } => "open transaction",
            Self::NotInTheLog { .. } => "not in the log",
            Self::Hole { .. } => "hole",
            Self::Unreadable { .. } => "unreadable",
            Self::Task(_) => "task",
        }
    }
}

/// Another relay was begun, which is no trouble.
const REPLACED: &str = "replaced";

/// How a relay's time as the one that publishes ended well.
enum Ended {
    /// Another relay publishes.
    Standby,
    /// It was told to stop.
    Stopped,
}

impl Relay {
    /// Publishes `log` to these brokers. `head` tells when it grows.
    #[must_use]
    pub fn new(
        log: Log,
        connection: Connection,
        head: watch::Receiver<i64>,
        options: RelayOptions,
    ) -> Self {
        let topic = connection.naming.events();
        Self { log, connection, topic, head, published: watch::channel(0).0, options }
    }

    /// The position up to which the topic has the log, as this relay knows it: told when it begins to
    /// publish, and with each transaction.
    #[must_use]
    pub fn published(&self) -> watch::Receiver<i64> {
        self.published.subscribe()
    }

    /// Works until it is cancelled: publishes, or stands by while another relay does. Whatever fails
    /// is tried again, for ever; what changes is said once.
    pub async fn run(self, cancel: CancellationToken) {
        let mut said = "";
        let mut pause = FIRST_RETRY;
        while !cancel.is_cancelled() {
            let began = Instant::now();
            let mut published = false;
            let outcome = session::run(&self, &cancel, &mut published).await;
            // To begin is not to be well: with too few copies in sync, that much works every time.
            if published || began.elapsed() > WELL_AFTER {
                (said, pause) = ("", FIRST_RETRY);
            }
            let wait = match outcome {
                Ok(Ended::Stopped) => break,
                Ok(Ended::Standby) => {
                    if said != "standby" {
                        tracing::info!(topic = self.topic, "another relay publishes; standing by");
                        said = "standby";
                    }
                    STANDS_BY
                }
                Err(error) => {
                    let error = self.explained(error).await;
                    self.say(&error, said);
                    said = error.kind();
                    if said == REPLACED {
                        STANDS_BY
                    } else {
                        pause = (pause * 2).min(LAST_RETRY);
                        pause
                    }
                }
            };
            tokio::select! {
                () = cancel.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// With too few copies in sync a transaction takes too long, or the one before cannot be ended:
    /// neither says why. The topic does.
    async fn explained(&self, error: RelayError) -> RelayError {
        if !matches!(error, RelayError::Kafka(_)) || error.kind() == REPLACED {
            return error;
        }
        let asked = async { Topics::new(&self.connection)?.starved().await };
        match tokio::time::timeout(EXPLAINED_WITHIN, asked).await {
            Ok(Ok(starved)) if starved > 0 => {
                RelayError::TooFewCopies { starved, wanted: self.connection.topics.min_insync }
            }
            Ok(Ok(_) | Err(_)) | Err(_) => error,
        }
    }

    fn say(&self, error: &RelayError, said: &str) {
        metrics::counter!("daybook_relay_interruptions_total").increment(1);
        let kind = error.kind();
        if said == kind {
            tracing::debug!(topic = self.topic, %error, "still not publishing");
        } else if kind == REPLACED {
            tracing::info!(topic = self.topic, "another relay has taken over");
        } else {
            tracing::warn!(topic = self.topic, %error, "not publishing; trying again. Commands go on");
        }
    }

    /// How far the topic is behind the log, as numbers for Prometheus.
    async fn show_lag(&self, position: i64) {
        let lag = sqlx::query_as(include_str!("lag.sql")).bind(position).fetch_one(self.log.pool());
        let Ok((events, seconds)) = lag.await.map(|lag: (i64, f64)| lag) else { return };
        #[allow(clippy::cast_precision_loss, reason = "a number to look at")]
        metrics::gauge!("daybook_relay_lag_events").set(events as f64);
        metrics::gauge!("daybook_relay_lag_seconds").set(seconds);
    }
}
