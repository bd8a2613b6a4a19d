//! Faults: real processes under load, disturbed on purpose, and what must hold afterwards.
//!
//! A run starts a PostgreSQL, several processes of each role behind a TCP proxy, and clients that
//! move money. While they do, processes are killed and stopped, the server is restarted as if it
//! had crashed, and connections are cut when an answer is on its way. With Kafka there are three
//! brokers, a controller of theirs and two relays besides: brokers are killed and frozen, two of three
//! at once, so that the cluster works and has too few copies in sync to take anything, the controller
//! is killed, the topic is deleted, or forgets what it had, and projectors join and leave. Then
//! everything is left alone, and checked: what was acknowledged is there once, the log is dense, the
//! read tables are what the log says, the balances are what the clients counted, the topic has what
//! the log has.
//!
//! Everything random follows from one seed, which is printed. What the machine does with it is the
//! machine's: the same seed gives the same commands and the same faults, not the same moments.

mod bus;
mod check;
mod house;
mod ledger;
mod load;
mod proxy;
mod trouble;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub use bus::Harmed;
pub use ledger::Ledger;

/// What a run does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// From which everything random follows.
    pub seed: u64,
    /// How many commands the clients send; the run lasts until all of them have an answer.
    pub commands: u64,
    /// How many clients send at once.
    pub clients: u64,
    /// How long it is quiet between two faults, at most, in milliseconds.
    pub calm: u64,
    /// Whether Kafka is between the log and the projectors. What is drawn differs then.
    pub with_kafka: bool,
}

impl Plan {
    /// A run of so many commands, without Kafka.
    #[must_use]
    pub const fn new(seed: u64, commands: u64) -> Self {
        Self { seed, commands, clients: 24, calm: 1200, with_kafka: false }
    }
}

/// What was done in a run, and what was found afterwards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The seed.
    pub seed: u64,
    /// How long it took, in seconds.
    pub seconds: u64,
    /// Commands that were accepted.
    pub accepted: u64,
    /// Commands that a rule refused.
    pub refused: u64,
    /// Times that a command was sent again because no answer came.
    pub retried: u64,
    /// Times that a command was sent again although its answer had come.
    pub repeated: u64,
    /// Processes of ours that were killed.
    pub killed: u64,
    /// Processes of ours that were stopped, and let go on later.
    pub stopped: u64,
    /// Restarts of PostgreSQL that gave nobody time to end anything.
    pub crashes: u64,
    /// Times that all connections were cut as an answer came.
    pub cuts: u64,
    /// Whether Kafka was there.
    #[serde(default)]
    pub with_kafka: bool,
    /// What was done to it.
    #[serde(flatten)]
    pub harmed: Harmed,
    /// Times that several projectors joined the group at once, and were killed.
    #[serde(default)]
    pub storms: u64,
    /// What did not hold; empty when all did.
    pub broken: Vec<String>,
}

/// Does it. `None` when Kafka is wanted, and there can be none.
///
/// # Panics
/// When the servers cannot be started or asked.
pub async fn run(plan: &Plan) -> Option<Told> {
    let begun = Instant::now();
    let house = house::House::open(plan.with_kafka).await?;
    let mut told = Told { seed: plan.seed, with_kafka: plan.with_kafka, ..Told::default() };
    let say = |what: &str| eprintln!("seed {}, {} s: {what}", plan.seed, begun.elapsed().as_secs());
    say("commands begin");
    let load = load::Load::start(&house, plan).await;
    let faults = trouble::disturb(&house, plan, &load).await;
    (told.killed, told.stopped) = (faults.killed, faults.stopped);
    (told.crashes, told.cuts) = (faults.crashes, faults.cuts);
    told.storms = faults.storms;
    say("all commands are sent; what is down comes back");
    told.harmed = house.heal().await;
    let sent = load.finish().await;
    told.accepted = u64::try_from(sent.accepted.len()).unwrap_or(u64::MAX);
    told.refused = u64::try_from(sent.refused.len()).unwrap_or(u64::MAX);
    (told.retried, told.repeated) = (sent.retried, sent.repeated);
    told.broken.clone_from(&sent.broken);
    say("all commands are answered; now it is checked");
    told.broken.extend(check::all(&house, &sent, Duration::from_secs(120)).await);
    told.seconds = begun.elapsed().as_secs();
    if !told.broken.is_empty() {
        eprintln!("what the processes said is in {}", house.keep().display());
    }
    Some(told)
}
