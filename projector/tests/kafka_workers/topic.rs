//! Whatever happens to the topic, nothing is lost and nothing posted twice, and nobody has to help.

use std::time::Duration;

use daybook_store::Filter;
use daybook_tests::Kafka;
use nix::sys::signal::Signal;

use crate::bus::Bus;
use crate::support::World;
use crate::{accounts, by_kafka, caught_up, deposits, owners, same_as_a_rebuild, worker};

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_may_be_deleted_and_made_again() {
    let Some(kafka) = Kafka::shared().await else { return };
    let world = World::new().await;
    let bus = Bus::new(kafka, &world.log, "deleted").await;
    by_kafka(&world).await;
    let accounts = accounts(&world, 12).await;
    let publishing = bus.publish(0);
    let running = worker(&world, Some(bus.options(Some("deleted"))));
    deposits(&world, &accounts, 1, 5).await;
    caught_up(&world).await;
    drop(publishing);
    bus.delete().await;
    deposits(&world, &accounts, 6, 5).await;
    // What is not published is read from the log; then the topic is there again.
    bus.make().await;
    let publishing = bus.publish(0);
    deposits(&world, &accounts, 11, 5).await;
    publishing.reached(world.log.head().await.unwrap().position).await;
    owners(&world, 1).await;
    caught_up(&world).await;
    assert_eq!(world.count("transactions").await, 12 * 15);
    same_as_a_rebuild(&world).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_expired_before_they_were_posted_are_read_from_the_log() {
    let Some(kafka) = Kafka::shared().await else { return };
    let world = World::new().await;
    let bus = Bus::new(kafka, &world.log, "expired").await;
    by_kafka(&world).await;
    let accounts = accounts(&world, 12).await;
    let publishing = bus.publish(0);
    let running = worker(&world, Some(bus.options(None)));
    deposits(&world, &accounts, 1, 5).await;
    caught_up(&world).await;
    running.stop().await;
    // Nobody posts, and what is published is gone before anybody does.
    deposits(&world, &accounts, 6, 5).await;
    publishing.reached(world.log.head().await.unwrap().position).await;
    bus.expire().await;
    deposits(&world, &accounts[..6], 11, 5).await;
    let running = worker(&world, Some(bus.options(None)));
    caught_up(&world).await;
    assert_eq!(world.count("transactions").await, 12 * 10 + 6 * 5);
    same_as_a_rebuild(&world).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_write_to_the_topic_changes_nothing() {
    let Some(kafka) = Kafka::shared().await else { return };
    let world = World::new().await;
    let bus = Bus::new(kafka, &world.log, "foreign").await;
    by_kafka(&world).await;
    let accounts = accounts(&world, 12).await;
    let publishing = bus.publish(0);
    let running = worker(&world, Some(bus.options(None)));
    deposits(&world, &accounts, 1, 5).await;
    let seen = world.log.page(0, &Filter::default(), 1000).await.unwrap().events;
    bus.litter(&seen).await;
    deposits(&world, &accounts, 6, 10).await;
    bus.litter(&seen).await;
    publishing.reached(world.log.head().await.unwrap().position).await;
    caught_up(&world).await;
    assert_eq!(world.count("transactions").await, 12 * 15);
    same_as_a_rebuild(&world).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_kafka_away_the_tables_go_on_and_everything_catches_up_after() {
    let Some(kafka) = Kafka::alone().await else { return };
    let world = World::new().await;
    let bus = Bus::new(&kafka, &world.log, "away").await;
    by_kafka(&world).await;
    let accounts = accounts(&world, 12).await;
    let publishing = bus.publish(0);
    let running = worker(&world, Some(bus.options(Some("away"))));
    deposits(&world, &accounts, 1, 5).await;
    publishing.reached(world.log.head().await.unwrap().position).await;
    caught_up(&world).await;
    drop(publishing);
    kafka.signal(0, Signal::SIGSTOP);
    deposits(&world, &accounts, 6, 5).await;
    // The worker keeps its lanes, and reads what nobody brings.
    caught_up(&world).await;
    tokio::time::sleep(Duration::from_secs(45)).await;
    deposits(&world, &accounts, 11, 5).await;
    kafka.signal(0, Signal::SIGCONT);
    let publishing = bus.publish(0);
    deposits(&world, &accounts, 16, 5).await;
    publishing.reached(world.log.head().await.unwrap().position).await;
    caught_up(&world).await;
    assert_eq!(world.count("transactions").await, 12 * 20);
    same_as_a_rebuild(&world).await;
    running.stop().await;
}
