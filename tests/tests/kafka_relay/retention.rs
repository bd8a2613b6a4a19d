//! Kafka takes old records away: they are not published again, and not missed.

use std::time::{Duration, Instant};

use daybook_tests::Kafka;
use nix::sys::signal::Signal;

use crate::support::{EVENTS, Ledger, read};

#[tokio::test]
async fn what_retention_took_away_is_not_published_again() {
    let Some(kafka) = Kafka::shared().await else { return };
    let ledger = Ledger::new("retention").await;
    let short = [("DAYBOOK_KAFKA_RETENTION", "2")];
    let mut relay = ledger.relay_with(kafka, "first", &short);
    let first = ledger.append(100).await;
    ledger.published(first, Duration::from_secs(30)).await;
    let deadline = Instant::now() + Duration::from_secs(60);
    while read(kafka, &ledger.topic()).values().map(Vec::len).sum::<usize>() > 0 {
        assert!(Instant::now() < deadline, "the broker does not take old records away");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    relay.signal(Signal::SIGTERM);
    relay.wait(Duration::from_secs(20));
    ledger.is_reconciled(kafka);

    // A relay that knows the topic only as it finds it: empty.
    let last = ledger.append(5).await;
    let _relay = ledger.relay_with(kafka, "second", &short);
    ledger.published(last, Duration::from_secs(30)).await;
    let ends: Vec<i64> = read(kafka, &ledger.topic())
        .into_values()
        .flatten()
        .map(|record| daybook_store::kafka::Arrived::of(&record).expect("an event").event.position)
        .collect();
    let published = usize::try_from(last - first).expect("few");
    assert_eq!(published, 5 * EVENTS);
    assert!(ends.iter().all(|position| *position > first), "published again: {ends:?}");
    ledger.is_reconciled(kafka);
}
