//! Workers whose lanes and events come through Kafka: shared, taken over, fenced; and whatever
//! happens to the topic, the tables are as a rebuild makes them.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod bus;
mod lost;
mod ownership;
mod process;
mod publishers;
mod rows;
mod rows_read;
#[path = "../support/mod.rs"]
mod support;
mod topic;
mod workers;

use std::time::Duration;

use daybook_projector::rebuild::{self, Memory};
use daybook_projector::worker::KafkaOptions;
use daybook_projector::{Worker, WorkerOptions};
use support::{Running, World, until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A session of Kafka's group lasts ten seconds; then its lanes are somebody else's.
const TAKEN_OVER: Duration = Duration::from_secs(60);

/// A worker of this process that knows Kafka.
pub(crate) fn worker(world: &World, kafka: Option<KafkaOptions>) -> Running {
    let options = WorkerOptions::new(Uuid::now_v7());
    let id = options.id;
    let head = world.log.follow(Duration::from_millis(5));
    let worker = Worker::new(world.projector.clone(), world.log.clone(), head.head(), options)
        .with_kafka(kafka);
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let task = tokio::spawn(async move {
        let result = worker.run(token).await;
        drop(head);
        result
    });
    Running { id, cancel, task }
}

/// Says that Kafka gives out the lanes.
pub(crate) async fn by_kafka(world: &World) {
    let kafka = daybook_projector::worker::Ownership::Kafka;
    daybook_projector::worker::switch_ownership(&world.projector, kafka).await.unwrap();
}

pub(crate) async fn same_as_a_rebuild(world: &World) {
    let report =
        rebuild::check(&world.projector, &world.log, Memory::default(), 5, &|_| {}).await.unwrap();
    assert!(report.is_same(), "{report:#?}");
}

/// Until so many workers have all lanes between them.
pub(crate) async fn owners(world: &World, wanted: usize) {
    until(&format!("{wanted} workers have 64 lanes"), TAKEN_OVER, || async {
        let shares = world.shares().await;
        shares.len() == wanted && shares.iter().map(|(_, lanes)| lanes).sum::<i64>() == 64
    })
    .await;
}

/// Until everything is posted, however long a session lasts.
pub(crate) async fn caught_up(world: &World) {
    let head = world.log.head().await.unwrap().position;
    if let Err(error) = world.posted.wait_for(head, TAKEN_OVER).await {
        panic!("{error}; owners {:?}", world.shares().await);
    }
}

/// Accounts of several lanes.
pub(crate) async fn accounts(world: &World, count: usize) -> Vec<Uuid> {
    let ada = world.user("ada", None).await;
    let mut accounts = Vec::new();
    for n in 0..count {
        accounts.push(world.account(ada, &format!("N-{n}"), None).await);
    }
    accounts
}

/// Deposits in all of them, side by side.
pub(crate) async fn deposits(world: &World, accounts: &[Uuid], from_version: i64, count: i64) {
    let all = accounts.iter().map(|account| world.deposits(*account, from_version, count));
    futures::future::join_all(all).await;
}
