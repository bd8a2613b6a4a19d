//! The relay is killed, the brokers go away, the topic is deleted: nothing is lost, nothing is seen
//! twice, and commands do not notice.

use std::time::{Duration, Instant};

use daybook_tests::Kafka;
use nix::sys::signal::Signal;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;

use crate::support::{Ledger, arrived, make};

#[tokio::test]
async fn a_relay_that_is_killed_over_and_over_loses_and_repeats_nothing() {
    let Some(kafka) = Kafka::shared().await else { return };
    let ledger = Ledger::new("killed").await;
    // Always about another moment of its work: beginning, learning, publishing.
    for round in 1..=8_u64 {
        ledger.append(300).await;
        let relay = ledger.relay(kafka, &format!("relay-{round}"));
        let appending = ledger.append(100);
        tokio::join!(appending, tokio::time::sleep(Duration::from_millis(250 * round)));
        relay.signal(Signal::SIGKILL);
        drop(relay);
    }
    let last = ledger.append(1).await;
    let _relay = ledger.relay(kafka, "relay");
    ledger.published(last, Duration::from_secs(60)).await;
    for (lane, events) in arrived(kafka, &ledger.topic()) {
        let seqs: Vec<i64> = events.iter().map(|arrived| arrived.event.lane_seq).collect();
        let count = i64::try_from(seqs.len()).expect("few");
        assert_eq!(seqs, (1..=count).collect::<Vec<_>>(), "lane {lane}");
    }
    ledger.is_reconciled(kafka);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_brokers_commands_go_on_and_everything_catches_up() {
    let Some(mut kafka) = Kafka::alone().await else { return };
    let ledger = Ledger::new("away").await;
    let relay = ledger.relay(&kafka, "relay");
    let first = ledger.append(50).await;
    ledger.published(first, Duration::from_secs(30)).await;
    let said = || relay.printed().matches("not publishing; trying again").count();
    let before = said();
    kafka.kill(0);
    let away = Instant::now();
    let mut last = first;
    while away.elapsed() < Duration::from_secs(130) {
        let asked = Instant::now();
        last = ledger.append(20).await;
        assert!(asked.elapsed() < Duration::from_secs(3), "commands wait for Kafka");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(ledger.reached().await < last);
    // What changed is said, and not over and over. What else goes wrong while brokers begin and come
    // back is not counted.
    let said = said() - before;
    assert!((1..=4).contains(&said), "said {said} times: {}", relay.printed());
    kafka.restart(0).await;
    ledger.published(last, Duration::from_secs(60)).await;
    ledger.is_reconciled(&kafka);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_too_few_copies_in_sync_nothing_is_lost() {
    let Some(mut kafka) = Kafka::cluster().await else { return };
    let ledger = Ledger::new("copies").await;
    let relay = ledger.relay(&kafka, "relay");
    let mut last = ledger.append(50).await;
    ledger.published(last, Duration::from_secs(60)).await;
    // One that is killed is not missed.
    kafka.kill(0);
    last = ledger.append(50).await.max(last);
    ledger.published(last, Duration::from_secs(60)).await;
    // With one left, the cluster works on, and nothing counts as written.
    kafka.kill(1);
    let deadline = Instant::now() + Duration::from_secs(90);
    let said = || relay.printed().matches("NOT_ENOUGH_REPLICAS").count();
    while said() == 0 {
        assert!(Instant::now() < deadline, "not met: {}", relay.printed());
        let asked = Instant::now();
        last = ledger.append(5).await.max(last);
        assert!(asked.elapsed() < Duration::from_secs(3), "commands wait for Kafka");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    make(&kafka, "meanwhile", 1).await;
    tokio::time::sleep(Duration::from_secs(15)).await;
    last = ledger.append(50).await.max(last);
    assert!(ledger.reached().await < last);
    // What does not change is not said over and over. Brokers that take too long to say that it is that
    // are another trouble between.
    let printed = relay.printed();
    let troubles = printed.lines().filter(|line| line.contains("not publishing; trying again"));
    let troubles: Vec<_> = troubles.map(|line| line.contains("NOT_ENOUGH_REPLICAS")).collect();
    assert!(!troubles.windows(2).any(|two| two[0] && two[1]), "{printed}");
    kafka.restart(1).await;
    kafka.restart(0).await;
    ledger.published(last, Duration::from_secs(90)).await;
    ledger.is_reconciled(&kafka);
}

#[tokio::test]
async fn a_topic_that_is_deleted_is_made_and_filled_again() {
    let Some(kafka) = Kafka::shared().await else { return };
    let ledger = Ledger::new("deleted").await;
    let _relay = ledger.relay(kafka, "relay");
    let first = ledger.append(100).await;
    ledger.published(first, Duration::from_secs(30)).await;
    let admin: AdminClient<DefaultClientContext> = kafka.client().create().expect("a client");
    let deleted = admin.delete_topics(&[&ledger.topic()], &AdminOptions::new()).await;
    deleted.expect("an answer").into_iter().next().expect("one").expect("deleted");
    // The relay has nothing to publish, and sees it all the same.
    let deadline = Instant::now() + Duration::from_secs(40);
    while ledger.reconcile(kafka, &[]).0.code != Some(0) {
        assert!(Instant::now() < deadline, "the topic is not filled again");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let last = ledger.append(10).await;
    ledger.published(last, Duration::from_secs(30)).await;
    ledger.is_reconciled(kafka);
}
