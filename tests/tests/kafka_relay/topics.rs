//! The topic of events is made as the settings say, looked at by the doctor, and never widened.

use std::time::{Duration, Instant};

use daybook_store::kafka::Topics;
use daybook_tests::{Finished, Kafka};
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use serde_json::Value;

use crate::support::Ledger;

/// What the doctor says of a check: state, and what is found and to be mended.
fn findings(finished: &Finished, check: &str) -> Vec<(String, String)> {
    let all: Vec<Value> = serde_json::from_str(&finished.stdout).expect("JSON findings");
    let text = |finding: &Value, name: &str| finding[name].as_str().expect("text").to_owned();
    all.iter()
        .filter(|finding| finding["check"] == check)
        .map(|finding| {
            let words = format!("{} {}", text(finding, "detail"), text(finding, "mend"));
            (text(finding, "state"), words)
        })
        .collect()
}

fn doctor(ledger: &Ledger, kafka: &Kafka) -> Finished {
    ledger.tool(kafka, &["doctor", "--output", "json"])
}

#[tokio::test]
async fn the_doctor_says_what_is_wrong_with_topic_and_relay() {
    let Some(kafka) = Kafka::shared().await else { return };
    let ledger = Ledger::new("doctor").await;
    let last = ledger.append(3).await;
    let before = doctor(&ledger, kafka);
    let (state, words) = findings(&before, "kafka topic").remove(0);
    assert!(state == "fail" && words.contains("role relay"), "{words}");
    assert_eq!(findings(&before, "kafka relay")[0].0, "warn");

    let _relay = ledger.relay(kafka, "relay");
    ledger.published(last, Duration::from_secs(30)).await;
    let sound = doctor(&ledger, kafka);
    for check in ["kafka brokers", "kafka topic", "kafka relay", "lane ownership"] {
        assert_eq!(findings(&sound, check)[0].0, "ok", "{check}: {sound:?}");
    }

    let admin: AdminClient<DefaultClientContext> = kafka.client().create().expect("a client");
    let topic = ledger.topic();
    let changed =
        AlterConfig::new(ResourceSpecifier::Topic(&topic)).set("cleanup.policy", "compact");
    let answers = admin.alter_configs([&changed], &AdminOptions::new()).await.expect("an answer");
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let spoiled = findings(&doctor(&ledger, kafka), "kafka topic");
    for name in ["cleanup.policy", "max.message.bytes"] {
        let said = spoiled.iter().any(|(state, words)| {
            state == "fail" && words.contains(name) && words.contains("kafka-configs --alter")
        });
        assert!(said, "nothing about {name}: {spoiled:?}");
    }
}

#[tokio::test]
async fn a_topic_with_other_partitions_is_refused_and_a_new_generation_taken() {
    let Some(kafka) = Kafka::shared().await else { return };
    let ledger = Ledger::new("narrow").await;
    let admin: AdminClient<DefaultClientContext> = kafka.client().create().expect("a client");
    let topic = ledger.topic();
    let narrow = NewTopic::new(&topic, 12, TopicReplication::Fixed(1));
    let made = admin.create_topics([&narrow], &AdminOptions::new()).await.expect("an answer");
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    let last = ledger.append(3).await;
    let relay = ledger.relay(kafka, "relay");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !relay.printed().contains("a topic is never widened") {
        assert!(Instant::now() < deadline, "{}", relay.printed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(relay);
    let said = findings(&doctor(&ledger, kafka), "kafka topic");
    assert!(said.iter().any(|(_, words)| words.contains("DAYBOOK_KAFKA_GENERATION")), "{said:?}");

    let second = [("DAYBOOK_KAFKA_GENERATION", "2")];
    let _relay = ledger.relay_with(kafka, "second", &second);
    let topic = format!("{topic}.g2");
    crate::support::published(ledger.log.pool(), &topic, last, Duration::from_secs(30)).await;
    let topics = Topics::new(&ledger.connection(kafka)).expect("a client");
    let described = topics.describe(&topic).await.expect("an answer").expect("a topic");
    assert_eq!((described.partitions, described.replication), (64, 1));
    assert_eq!(crate::support::read(kafka, &topic).values().map(Vec::len).sum::<usize>(), 10);
}
