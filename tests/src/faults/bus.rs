//! Three brokers and their controller, and what is done to them and to the topic of events.

use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use nix::sys::signal::Signal;
use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::Offset;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::Kafka;

const PREFIX: &str = "faults.";
const TOPIC: &str = "faults.daybook.events";
const LANES: i32 = 64;
/// A topic of our own, by which it is seen that too few copies are in sync.
const PROBE: &str = "faults.probe";
/// How long the cluster may take to see that brokers are gone.
const SEEN_WITHIN: Duration = Duration::from_secs(30);
/// How long the brokers may take to do what they are asked for; they may be away themselves.
const STEP: Duration = Duration::from_secs(5);

/// What is done to Kafka.
#[derive(Debug, Clone, Copy)]
pub(super) enum Harm {
    /// kill -9 of one broker, which comes back.
    Kill,
    /// kill -9 of two of three: the cluster works, and has too few copies in sync for anything to be
    /// written, until they come back. They do not before a produce was refused for it.
    KillTwo,
    /// kill -9 of the controller: brokers go on, and nobody says who leads what.
    KillController,
    /// One stands still for a while.
    Freeze,
    /// The topic of events is deleted.
    Delete,
    /// All that the topic has is forgotten, as a short retention would.
    Expire,
}

/// What was done to Kafka, and how often.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Harmed {
    /// Brokers that were killed.
    pub brokers_killed: u64,
    /// Times that produces came back because too few copies were in sync.
    pub too_few_copies: u64,
    /// Times that the controller was killed.
    pub controllers_killed: u64,
    /// Brokers that were frozen.
    pub brokers_frozen: u64,
    /// Times that the topic of events was deleted.
    pub topics_deleted: u64,
    /// Times that it forgot all that it had.
    pub topics_expired: u64,
}

impl AddAssign for Harmed {
    fn add_assign(&mut self, more: Self) {
        self.brokers_killed += more.brokers_killed;
        self.too_few_copies += more.too_few_copies;
        self.controllers_killed += more.controllers_killed;
        self.brokers_frozen += more.brokers_frozen;
        self.topics_deleted += more.topics_deleted;
        self.topics_expired += more.topics_expired;
    }
}

/// The brokers.
#[derive(Debug)]
pub(super) struct Bus {
    brokers: Arc<Mutex<Kafka>>,
    harmed: Arc<std::sync::Mutex<Harmed>>,
}

impl Bus {
    /// Starts them. `None` where there can be none.
    pub(super) async fn open() -> Option<Self> {
        let brokers = Kafka::cluster().await?;
        let probe = NewTopic::new(PROBE, 1, TopicReplication::Fixed(3));
        let made = admin(&brokers).expect("a client").create_topics([&probe], &wait()).await;
        assert!(made.expect("an answer").iter().all(Result::is_ok), "no topic {PROBE}");
        let brokers = Arc::new(Mutex::new(brokers));
        Some(Self { brokers, harmed: Arc::default() })
    }

    /// What our processes need in their environment.
    pub(super) async fn settings(&self) -> Vec<(&'static str, String)> {
        self.brokers.lock().await.settings(PREFIX)
    }

    /// Begins to do harm, unless some is still being done; it is over by itself.
    pub(super) fn harm(&self, harm: Harm, random: &mut Rng) {
        // Drawn whether or not it comes to it, so that what follows is the same.
        let (which, rest) = (random.usize(..), Duration::from_millis(random.u64(200..8_000)));
        let Ok(brokers) = Arc::clone(&self.brokers).try_lock_owned() else { return };
        let which = which % brokers.brokers();
        let harmed = Arc::clone(&self.harmed);
        tokio::spawn(async move {
            let done = suffer(brokers, harm, which, rest).await;
            *harmed.lock().expect("nobody panics with it") += done;
        });
    }

    /// Waits until nothing is harmed any more; tells what was done.
    pub(super) async fn heal(&self) -> Harmed {
        let _whole = self.brokers.lock().await;
        *self.harmed.lock().expect("nobody panics with it")
    }
}

async fn suffer(
    mut brokers: OwnedMutexGuard<Kafka>,
    harm: Harm,
    which: usize,
    rest: Duration,
) -> Harmed {
    let mut harmed = Harmed::default();
    match harm {
        Harm::Kill => {
            brokers.kill(which);
            tokio::time::sleep(rest).await;
            brokers.restart(which).await;
            harmed.brokers_killed = 1;
        }
        Harm::KillTwo => {
            let other = (which + 1) % brokers.brokers();
            brokers.kill(which);
            brokers.kill(other);
            harmed.too_few_copies = u64::from(starves(&brokers).await);
            tokio::time::sleep(rest).await;
            brokers.restart(other).await;
            brokers.restart(which).await;
            harmed.brokers_killed = 2;
        }
        Harm::KillController => {
            brokers.kill_controller();
            tokio::time::sleep(rest).await;
            brokers.restart_controller().await;
            harmed.controllers_killed = 1;
        }
        Harm::Freeze => {
            brokers.signal(which, Signal::SIGSTOP);
            tokio::time::sleep(rest).await;
            brokers.signal(which, Signal::SIGCONT);
            harmed.brokers_frozen = 1;
        }
        Harm::Delete => harmed.topics_deleted = u64::from(delete(&brokers).await.unwrap_or(false)),
        Harm::Expire => harmed.topics_expired = u64::from(expire(&brokers).await.unwrap_or(false)),
    }
    harmed
}

fn admin(brokers: &Kafka) -> KafkaResult<AdminClient<DefaultClientContext>> {
    brokers.client().set("log_level", "0").create()
}

fn wait() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(STEP)).operation_timeout(Some(STEP))
}

/// Whether a produce comes back because too few copies are in sync, before this takes too long.
async fn starves(brokers: &Kafka) -> bool {
    let mut config = brokers.client();
    config.set("log_level", "0").set("message.send.max.retries", "0");
    let producer: FutureProducer =
        config.set("message.timeout.ms", "3000").create().expect("a producer");
    let until = tokio::time::Instant::now() + SEEN_WITHIN;
    while tokio::time::Instant::now() < until {
        let record = FutureRecord::<str, str>::to(PROBE).payload("");
        match producer.send(record, Duration::ZERO).await {
            Err((
                KafkaError::MessageProduction(
                    RDKafkaErrorCode::NotEnoughReplicas
                    | RDKafkaErrorCode::NotEnoughReplicasAfterAppend,
                ),
                _,
            )) => return true,
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    false
}

/// Whether it was there, and is not any more.
async fn delete(brokers: &Kafka) -> KafkaResult<bool> {
    let done = admin(brokers)?.delete_topics(&[TOPIC], &wait()).await?;
    Ok(done.iter().all(Result::is_ok))
}

/// Whether something was there to be forgotten.
async fn expire(brokers: &Kafka) -> KafkaResult<bool> {
    let mut all = TopicPartitionList::new();
    for lane in 0..LANES {
        all.add_partition_offset(TOPIC, lane, Offset::End)?;
    }
    let done = admin(brokers)?.delete_records(&all, &wait()).await?;
    Ok(done.elements().iter().any(|lane| lane.error().is_ok()))
}
