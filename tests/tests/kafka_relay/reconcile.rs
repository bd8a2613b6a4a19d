//! `daybook reconcile` against topics that somebody spoiled.

use std::time::{Duration, Instant};

use daybook_store::Recorded;
use daybook_store::kafka::{Record, Topics};
use daybook_tests::Kafka;
use rdkafka::producer::BaseRecord;
use serde_json::Value;

use crate::support::{Ledger, Stranger, read};

/// The sums of each kind over all partitions, without those that are 0.
fn sums(report: &Value) -> Vec<(&'static str, u64)> {
    let partitions = report["partitions"].as_array().expect("partitions");
    ["missing", "duplicated", "reordered", "foreign", "differing"]
        .into_iter()
        .map(|kind| {
            (kind, partitions.iter().map(|one| one[kind].as_u64().expect("a number")).sum())
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// A topic of the log's events, written by a stranger as `order` says.
async fn spoiled(
    kafka: &Kafka,
    ledger: &Ledger,
    order: impl Fn(Vec<Recorded>) -> Vec<Recorded>,
) -> String {
    let topics = Topics::new(&ledger.connection(kafka)).expect("a client");
    let topic = ledger.topic();
    let events = order(ledger.events().await);
    for _ in 0..5 {
        topics.make_events_again().await.expect("an empty topic");
        let stranger = Stranger::of(kafka);
        for event in &events {
            let record = Record::of(event, 1).expect("a record");
            stranger.send(record.to(&topic));
        }
        // A broker that has not heard yet that the topic is another one takes records for the old one.
        if read(kafka, &topic).values().map(Vec::len).sum::<usize>() == events.len() {
            return topic;
        }
    }
    panic!("{topic} does not keep what is written to it");
}

fn found(kafka: &Kafka, ledger: &Ledger) -> Vec<(&'static str, u64)> {
    let (finished, report) = ledger.reconcile(kafka, &[]);
    assert_eq!(finished.code, Some(3), "{finished:?}");
    let (table, _) = ledger.reconcile(kafka, &["--output", "table"]);
    assert!(table.stdout.contains("--repair"), "{table:?}");
    sums(&report)
}

/// Two events of the log that follow each other in one lane.
fn neighbours(events: &[Recorded]) -> (usize, usize) {
    let pairs = events.iter().enumerate().find_map(|(first, event)| {
        let next = events
            .iter()
            .position(|other| other.lane == event.lane && other.lane_seq == event.lane_seq + 1)?;
        Some((first, next))
    });
    pairs.expect("a lane with two events")
}

#[tokio::test]
async fn each_kind_of_difference_is_found_and_mended() {
    let Some(kafka) = Kafka::shared().await else { return };
    let ledger = Ledger::new("spoiled").await;
    ledger.append(20).await;

    let topic = spoiled(kafka, &ledger, |events| events).await;
    ledger.is_reconciled(kafka);

    let stranger = Stranger::of(kafka);
    stranger.send(BaseRecord::to(&topic).partition(3).key("k").payload("not an event"));
    assert_eq!(found(kafka, &ledger), [("foreign", 1)]);

    spoiled(kafka, &ledger, |mut events| {
        let (first, next) = neighbours(&events);
        events.swap(first, next);
        events
    })
    .await;
    assert_eq!(found(kafka, &ledger), [("reordered", 1)]);

    spoiled(kafka, &ledger, |mut events| {
        events.push(events[7].clone());
        events
    })
    .await;
    assert_eq!(found(kafka, &ledger), [("duplicated", 1)]);

    spoiled(kafka, &ledger, |mut events| {
        events[7].event_type = "test.thing.happened_otherwise".to_owned();
        events
    })
    .await;
    assert_eq!(found(kafka, &ledger), [("differing", 1)]);

    spoiled(kafka, &ledger, |mut events| {
        let (first, _) = neighbours(&events);
        events.remove(first);
        events
    })
    .await;
    assert_eq!(found(kafka, &ledger), [("missing", 1)]);

    // What follows a hole cannot be published behind it: the topic is made again.
    let (finished, report) = ledger.reconcile(kafka, &["--repair"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(sums(&report), []);
    ledger.is_reconciled(kafka);
}

#[tokio::test]
async fn a_missing_end_is_published_and_a_missing_topic_made() {
    let Some(kafka) = Kafka::shared().await else { return };
    let ledger = Ledger::new("end").await;
    ledger.append(20).await;
    let (finished, _) = ledger.reconcile(kafka, &[]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stderr.contains("there is no topic"), "{finished:?}");
    let (finished, _) = ledger.reconcile(kafka, &["--repair"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");

    ledger.append(4).await;
    let (finished, report) = ledger.reconcile(kafka, &[]);
    assert_eq!(finished.code, Some(3), "{finished:?}");
    assert_eq!(sums(&report), [("missing", 12)]);
    let before = crate::support::read(kafka, &ledger.topic());
    let (finished, _) = ledger.reconcile(kafka, &["--repair"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    // The topic is the one that it was: offsets go on.
    let after = crate::support::read(kafka, &ledger.topic());
    for (lane, records) in before {
        use rdkafka::Message as _;
        assert_eq!(records[0].offset(), after[&lane][0].offset());
        assert!(after[&lane].len() >= records.len());
    }
}

#[tokio::test]
async fn a_running_relay_is_stopped_by_what_the_log_has_not_and_goes_on_after_repair() {
    let Some(kafka) = Kafka::shared().await else { return };
    let ledger = Ledger::new("lost").await;
    ledger.append(10).await;
    // As after a failover that lost what had been published.
    spoiled(kafka, &ledger, |mut events| {
        let mut lost = events[5].clone();
        lost.position = 1_000_000;
        lost.lane_seq += 1000;
        events.push(lost);
        events
    })
    .await;
    let relay = ledger.relay(kafka, "relay");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !relay.printed().contains("which the log has not") {
        assert!(Instant::now() < deadline, "{}", relay.printed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let last = ledger.append(10).await;
    assert_eq!(ledger.reconcile(kafka, &[]).0.code, Some(3));
    assert_eq!(ledger.reconcile(kafka, &["--repair"]).0.code, Some(0));
    ledger.published(last, Duration::from_secs(30)).await;
    ledger.is_reconciled(kafka);
}
