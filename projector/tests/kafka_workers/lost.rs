//! A failover that loses the last moments, and an epoch that nobody has raised yet: the topic has, in
//! committed transactions and in our own form, what the log has not.

use std::time::Duration;

use chrono::{SubsecRound, Utc};
use daybook_projector::parked::{parked, waiting};
use daybook_store::{Dependency, Recorded};
use daybook_tests::Kafka;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::bus::Bus;
use crate::support::{World, deposited};
use crate::{accounts, by_kafka, caught_up, deposits, owners, same_as_a_rebuild, worker};

const ACCOUNTS: usize = 12;

/// Deposits of 777.00 at the next places of the log and of these accounts' lanes, as the log had them
/// until a failover took them. One waits for another, and one is of a type that nobody knows.
async fn lost(world: &World, accounts: &[Uuid]) -> Vec<Recorded> {
    let head = world.log.head().await.unwrap();
    let mut lane_heads = head.lane_heads.clone();
    let mut lost: Vec<Recorded> = Vec::new();
    for (n, account) in (1..).zip(accounts) {
        let last = world.log.stream(*account, 0, None).await.unwrap().pop().unwrap();
        let lane_head = &mut lane_heads[usize::try_from(last.lane).unwrap()];
        *lane_head += 1;
        lost.push(Recorded {
            position: head.position + n,
            recorded_at: Utc::now().trunc_subsecs(6),
            lane_seq: *lane_head,
            version: last.version + 1,
            command_id: Uuid::now_v7(),
            data: RawValue::from_string(deposited(77_700, 77_700).data).unwrap(),
            event_type: "banking.account.deposited".to_owned(),
            ..last
        });
    }
    lost[1].after = vec![Dependency { lane: lost[0].lane, lane_seq: lost[0].lane_seq }];
    lost[2].event_type = "banking.account.never_heard_of".to_owned();
    lost
}

async fn is_as_the_log_says(world: &World, transactions: i64) {
    caught_up(world).await;
    assert_eq!(world.count("transactions").await, transactions);
    let foreign: i64 = sqlx::query_scalar("SELECT count(*) FROM transactions WHERE amount = 777")
        .fetch_one(&world.reader)
        .await
        .unwrap();
    assert_eq!(foreign, 0, "posted what the log has not");
    assert!(parked(&world.projector).await.unwrap().is_empty());
    assert!(waiting(&world.projector).await.unwrap().is_empty());
    same_as_a_rebuild(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failover_took_from_the_log_is_not_posted_from_the_topic() {
    let Some(kafka) = Kafka::shared().await else { return };
    let world = World::new().await;
    let bus = Bus::new(kafka, &world.log, "lost").await;
    by_kafka(&world).await;
    let accounts = accounts(&world, ACCOUNTS).await;
    let publishing = bus.publish(0);
    let running = worker(&world, Some(bus.options(None)));
    owners(&world, 1).await;
    deposits(&world, &accounts, 1, 5).await;
    publishing.reached(world.log.head().await.unwrap().position).await;
    is_as_the_log_says(&world, 12 * 5).await;
    drop(publishing);

    // Brought while the log has nothing at these places.
    bus.commit(lost(&world, &accounts).await).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    is_as_the_log_says(&world, 12 * 5).await;
    // Then other events take them. The relay would not go on; the lanes are filled.
    deposits(&world, &accounts, 6, 5).await;
    is_as_the_log_says(&world, 12 * 10).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_has_others_in_place_of_is_not_posted_from_the_topic() {
    let Some(kafka) = Kafka::shared().await else { return };
    let world = World::new().await;
    let bus = Bus::new(kafka, &world.log, "replaced").await;
    by_kafka(&world).await;
    let accounts = accounts(&world, ACCOUNTS).await;
    let publishing = bus.publish(0);
    let running = worker(&world, Some(bus.options(None)));
    owners(&world, 1).await;
    deposits(&world, &accounts, 1, 5).await;
    publishing.reached(world.log.head().await.unwrap().position).await;
    caught_up(&world).await;
    drop(publishing);
    running.stop().await;

    // Nobody posts while they are published, and while other events take their places.
    let taken = lost(&world, &accounts).await;
    deposits(&world, &accounts, 6, 3).await;
    bus.commit(taken).await;
    let running = worker(&world, Some(bus.options(None)));
    is_as_the_log_says(&world, 12 * 8).await;
    deposits(&world, &accounts, 9, 2).await;
    is_as_the_log_says(&world, 12 * 10).await;
    running.stop().await;
}
