//! What gives out the lanes is a fact in the database.

use std::time::Duration;

use daybook_projector::worker::{Ownership, ownership, switch_ownership};
use daybook_tests::Kafka;

use crate::bus::Bus;
use crate::support::{World, until};
use crate::{accounts, by_kafka, caught_up, deposits, owners, same_as_a_rebuild, worker};

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_database_takes_what_its_first_worker_is_made_for() {
    let Some(kafka) = Kafka::shared().await else { return };
    let with_kafka = World::new().await;
    let bus = Bus::new(kafka, &with_kafka.log, "first").await;
    let running = worker(&with_kafka, Some(bus.options(None)));
    owners(&with_kafka, 1).await;
    assert_eq!(ownership(&with_kafka.projector).await.unwrap(), Ownership::Kafka);
    running.stop().await;

    let by_lease = World::new().await;
    let running = worker(&by_lease, None);
    owners(&by_lease, 1).await;
    // Said once: who comes later does not say it again.
    let bus = Bus::new(kafka, &by_lease.log, "later").await;
    let later = worker(&by_lease, Some(bus.options(None)));
    owners(&by_lease, 2).await;
    assert_eq!(ownership(&by_lease.projector).await.unwrap(), Ownership::Lease);
    later.stop().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_switched_both_ways_under_load() {
    let Some(kafka) = Kafka::shared().await else { return };
    let world = World::new().await;
    let bus = Bus::new(kafka, &world.log, "switched").await;
    let accounts = accounts(&world, 12).await;
    let _publishing = bus.publish(0);
    // One that can do both, and one that knows no Kafka.
    let plain = worker(&world, None);
    owners(&world, 1).await;
    let both = worker(&world, Some(bus.options(None)));
    owners(&world, 2).await;
    let mut version = 1;
    for mode in [Ownership::Kafka, Ownership::Lease, Ownership::Kafka, Ownership::Lease] {
        let ((), ()) = tokio::join!(
            async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                switch_ownership(&world.projector, mode).await.unwrap();
            },
            deposits(&world, &accounts, version, 10),
        );
        version += 10;
        match mode {
            Ownership::Kafka => {
                until("the one with Kafka has all lanes", Duration::from_secs(20), || async {
                    world.shares().await == [(both.id, 64)]
                })
                .await;
            }
            Ownership::Lease => owners(&world, 2).await,
        }
        caught_up(&world).await;
        same_as_a_rebuild(&world).await;
    }
    assert_eq!(world.count("transactions").await, 12 * 40);
    both.stop().await;
    plain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_knows_no_kafka_waits_and_posts_nothing() {
    let world = World::new().await;
    by_kafka(&world).await;
    let running = worker(&world, None);
    accounts(&world, 3).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.count("accounts").await, 0);
    assert!(world.shares().await.is_empty());
    switch_ownership(&world.projector, Ownership::Lease).await.unwrap();
    caught_up(&world).await;
    assert_eq!(world.count("accounts").await, 3);
    running.stop().await;
}
