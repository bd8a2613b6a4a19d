//! Two relays: one publishes, the other stands by; one that was stopped for a while and goes on
//! publishes nothing more.

use std::time::Duration;

use daybook_tests::{Daybook, Kafka};
use nix::sys::signal::Signal;

use crate::support::{Ledger, arrived};

async fn holder(ledger: &Ledger) -> Option<i32> {
    sqlx::query_scalar(
        "SELECT pid FROM journal.relays WHERE topic = $1 AND lease_until > clock_timestamp()",
    )
    .bind(ledger.topic())
    .fetch_optional(ledger.log.pool())
    .await
    .expect("an answer")
}

async fn until_held_by(ledger: &Ledger, relay: &Daybook) {
    for _ in 0..300 {
        if holder(ledger).await == Some(relay.pid().as_raw()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not taken over within half a minute");
}

#[tokio::test]
async fn a_relay_that_was_stopped_and_goes_on_is_fenced() {
    let Some(kafka) = Kafka::shared().await else { return };
    let ledger = Ledger::new("fenced").await;
    let first = ledger.relay(kafka, "first");
    until_held_by(&ledger, &first).await;
    let second = ledger.relay(kafka, "second");
    let mut relays = [first, second];
    for round in 0..4 {
        // It is stopped while it publishes.
        let (last, ()) = tokio::join!(ledger.append(1500), async {
            tokio::time::sleep(Duration::from_millis(40 * round)).await;
            relays[0].signal(Signal::SIGSTOP);
        });
        until_held_by(&ledger, &relays[1]).await;
        ledger.published(last, Duration::from_secs(30)).await;
        relays[0].signal(Signal::SIGCONT);
        // The one that goes on has what it read before, and may not publish it.
        let last = ledger.append(300).await;
        ledger.published(last, Duration::from_secs(30)).await;
        relays.swap(0, 1);
    }
    for (lane, events) in arrived(kafka, &ledger.topic()) {
        let seqs: Vec<i64> = events.iter().map(|arrived| arrived.event.lane_seq).collect();
        let count = i64::try_from(seqs.len()).expect("few");
        assert_eq!(seqs, (1..=count).collect::<Vec<_>>(), "lane {lane}");
    }
    ledger.is_reconciled(kafka);
}

#[tokio::test]
async fn a_relay_that_ends_gives_its_place_to_the_one_that_stands_by() {
    let Some(kafka) = Kafka::shared().await else { return };
    let ledger = Ledger::new("turns").await;
    let mut first = ledger.relay(kafka, "first");
    until_held_by(&ledger, &first).await;
    let second = ledger.relay(kafka, "second");
    let last = ledger.append(10).await;
    ledger.published(last, Duration::from_secs(30)).await;
    first.signal(Signal::SIGTERM);
    let ended = first.wait(Duration::from_secs(20));
    assert!(ended.success(), "{}", first.printed());
    until_held_by(&ledger, &second).await;
    let last = ledger.append(10).await;
    ledger.published(last, Duration::from_secs(30)).await;
    ledger.is_reconciled(kafka);
}
