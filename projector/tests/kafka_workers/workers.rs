//! Several workers in Kafka's group.

use std::time::Duration;

use daybook_tests::Kafka;

use crate::bus::Bus;
use crate::process::Process;
use crate::support::World;
use crate::{accounts, by_kafka, caught_up, deposits, owners, same_as_a_rebuild, worker};

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_lanes_one_is_killed_and_one_is_stopped() {
    let Some(kafka) = Kafka::shared().await else { return };
    let world = World::new().await;
    let bus = Bus::new(kafka, &world.log, "shared").await;
    by_kafka(&world).await;
    let accounts = accounts(&world, 16).await;
    let publishing = bus.publish(0);
    let one = Process::start(&world, &bus, "one");
    owners(&world, 1).await;
    let two = Process::start(&world, &bus, "two");
    owners(&world, 2).await;
    deposits(&world, &accounts, 1, 10).await;
    caught_up(&world).await;
    same_as_a_rebuild(&world).await;

    // Killed while events go on.
    let (killed, ()) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            one.signal("-KILL");
            one
        },
        deposits(&world, &accounts, 11, 20),
    );
    drop(killed);
    owners(&world, 1).await;
    caught_up(&world).await;
    same_as_a_rebuild(&world).await;

    // Stopped while events go on, for longer than a session lasts; and it is back.
    let three = Process::start(&world, &bus, "three");
    owners(&world, 2).await;
    let ((), ()) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            two.signal("-STOP");
        },
        deposits(&world, &accounts, 31, 20),
    );
    owners(&world, 1).await;
    deposits(&world, &accounts, 51, 5).await;
    two.signal("-CONT");
    deposits(&world, &accounts, 56, 5).await;
    owners(&world, 2).await;
    caught_up(&world).await;
    same_as_a_rebuild(&world).await;
    assert_eq!(world.count("transactions").await, 16 * 60);
    drop((two, three, publishing));
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_come_and_go_every_second_lose_and_repeat_nothing() {
    let Some(kafka) = Kafka::shared().await else { return };
    let world = World::new().await;
    let bus = Bus::new(kafka, &world.log, "storm").await;
    by_kafka(&world).await;
    let accounts = accounts(&world, 12).await;
    let _publishing = bus.publish(0);
    let steady = worker(&world, Some(bus.options(None)));
    owners(&world, 1).await;
    let mut version = 1;
    for _ in 0..8 {
        let passing = worker(&world, Some(bus.options(None)));
        let ((), ()) = tokio::join!(
            tokio::time::sleep(Duration::from_secs(1)),
            deposits(&world, &accounts, version, 8),
        );
        version += 8;
        passing.stop().await;
    }
    caught_up(&world).await;
    assert_eq!(world.count("transactions").await, 12 * 64);
    same_as_a_rebuild(&world).await;
    steady.stop().await;
}
