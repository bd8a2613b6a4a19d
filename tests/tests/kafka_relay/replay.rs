//! `daybook replay` into a topic: a stretch of the log, each event once, however it was interrupted.

use std::time::{Duration, Instant};

use daybook_tests::Kafka;
use serde_json::Value;

use crate::support::{EVENTS, Ledger, arrived};

/// Requests of which the log is made, and in how many goes.
const REQUESTS: usize = 400;
const GOES: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_replay_goes_on_and_writes_each_event_once() {
    let Some(kafka) = Kafka::shared().await else { return };
    let ledger = Ledger::new("replay").await;
    for _ in 0..GOES {
        ledger.append(REQUESTS / GOES).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let topic = format!("{}again", ledger.prefix);
    let whole = REQUESTS * EVENTS + 1;

    let slow = ledger.start(kafka, "replay", &["replay", "--topic", &topic, "--speed", "0.1"]);
    let state = ledger.folder.path().join(format!("{topic}.replay"));
    let deadline = Instant::now() + Duration::from_secs(60);
    let wait = || {
        assert!(Instant::now() < deadline, "nothing is replayed");
        tokio::time::sleep(Duration::from_millis(50))
    };
    while !state.exists() {
        wait().await;
    }
    let at_first = std::fs::read(&state).expect("a state");
    let count = || arrived(kafka, &topic).values().map(Vec::len).sum::<usize>();
    while count() == 0 {
        wait().await;
    }
    drop(slow);
    let some = count();
    assert!(0 < some && some < whole, "{some} of {whole}");

    // As if it had ended between the topic's taking it and its being written down.
    std::fs::write(&state, at_first).expect("a state");
    let json = ["--output", "json"];
    let finished = ledger.tool(kafka, &[&["replay", "--topic", &topic], json.as_slice()].concat());
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let told: Value = serde_json::from_str(&finished.stdout).expect("JSON");
    assert_eq!(told["events"], whole);
    let mut found: Vec<_> = arrived(kafka, &topic).into_values().flatten().collect();
    found.sort_by_key(|arrived| arrived.event.position);
    let found: Vec<_> = found.into_iter().map(|arrived| arrived.event).collect();
    assert_eq!(format!("{found:?}"), format!("{:?}", ledger.events().await));

    // The digest is that of the same stretch in a file.
    let file = ledger.tool(kafka, &[&["replay", "all.ndjson"], json.as_slice()].concat());
    let file: Value = serde_json::from_str(&file.stdout).expect("JSON");
    assert_eq!(told["digest"], file["digest"]);

    for (name, why) in
        [(topic.as_str(), "has records already"), (&ledger.topic(), "kept by Daybook")]
    {
        let refused = ledger.tool(kafka, &["replay", "--topic", name]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(why), "{refused:?}");
    }
}
