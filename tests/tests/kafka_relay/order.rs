//! What anybody finds in the topic: the log, lane by lane, without a gap, as the documents say.

use std::process::Command;
use std::time::Duration;

use daybook_tests::Kafka;
use rdkafka::Message as _;
use rdkafka::message::Headers as _;

use crate::support::{EVENTS, Ledger, arrived, read};

#[tokio::test]
async fn the_topic_has_the_log_in_the_order_of_each_lane() {
    let Some(kafka) = Kafka::shared().await else { return };
    let ledger = Ledger::new("order").await;
    ledger.append(1000).await;
    let _relay = ledger.relay(kafka, "relay");
    let last = ledger.append(200).await;
    ledger.published(last, Duration::from_secs(60)).await;

    let mut found = Vec::new();
    for (partition, events) in arrived(kafka, &ledger.topic()) {
        for (seq, arrived) in (1..).zip(&events) {
            assert_eq!(i32::from(arrived.event.lane), partition);
            assert_eq!(arrived.event.lane_seq, seq, "lane {partition} has a gap");
        }
        found.extend(events.into_iter().map(|arrived| arrived.event));
    }
    found.sort_by_key(|event| event.position);
    let log = ledger.events().await;
    assert_eq!(log.len(), 1200 * EVENTS + 1);
    assert_eq!(format!("{found:?}"), format!("{log:?}"), "not what was recorded");
    ledger.is_reconciled(kafka);
}

#[tokio::test]
async fn records_are_cloud_events_with_their_stream_as_the_key() {
    let Some(kafka) = Kafka::shared().await else { return };
    let ledger = Ledger::new("headers").await;
    let last = ledger.append(5).await;
    let _relay = ledger.relay(kafka, "relay");
    ledger.published(last, Duration::from_secs(30)).await;
    let log = ledger.events().await;
    for record in read(kafka, &ledger.topic()).into_values().flatten() {
        let header = |name: &str| {
            let headers = record.headers().expect("headers");
            let found = headers.iter().find(|header| header.key == name)?;
            Some(std::str::from_utf8(found.value?).expect("text").to_owned())
        };
        let position: i64 = header("ce_position").expect("a position").parse().expect("a number");
        let event = log.iter().find(|event| event.position == position).expect("in the log");
        assert_eq!(record.key(), Some(event.stream_id.to_string().as_bytes()));
        assert_eq!(record.payload(), Some(event.data.get().as_bytes()));
        assert_eq!(record.timestamp().to_millis(), Some(event.recorded_at.timestamp_millis()));
        assert_eq!(header("ce_type").as_deref(), Some(event.event_type.as_str()));
        assert_eq!(header("ce_id"), Some(position.to_string()));
        assert_eq!(header("ce_source").as_deref(), Some("/daybook/log/1"));
        assert_eq!(header("ce_specversion").as_deref(), Some("1.0"));
    }
}

/// kcat, as docs/kafka.md shows it.
#[tokio::test]
async fn an_ordinary_client_sees_what_the_documents_say() {
    let Some(kafka) = Kafka::shared().await else { return };
    if Command::new("kcat").arg("-V").output().is_err() {
        let required = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty());
        assert!(!required, "kcat is missing. On Debian: apt-get install kcat");
        eprintln!("** SKIPPED: kcat is missing. On Debian: apt-get install kcat");
        return;
    }
    let ledger = Ledger::new("kcat").await;
    let last = ledger.append(30).await;
    let _relay = ledger.relay(kafka, "relay");
    ledger.published(last, Duration::from_secs(30)).await;
    let output = Command::new("kcat")
        .args([
            "-C",
            "-b",
            &kafka.bootstrap(),
            "-t",
            &ledger.topic(),
            "-o",
            "beginning",
            "-e",
            "-q",
        ])
        .args(["-f", "%p %k %h %s\n"])
        .output()
        .expect("kcat runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(text.lines().count(), 30 * EVENTS + 1, "{text}");
    for event in ledger.events().await {
        let beginning = format!("{} {} ce_specversion=1.0,ce_id=", event.lane, event.stream_id);
        let line = text.lines().find(|line| {
            line.starts_with(&beginning)
                && line.contains(&format!("ce_laneseq={},", event.lane_seq))
        });
        let line = line.unwrap_or_else(|| panic!("no line for {event:?} in {text}"));
        assert!(line.ends_with(event.data.get()), "{line}");
    }
}
