//! The relay against Kafka's own ProducerPerformance: the same broker, topics made alike, records of
//! the same size, both waiting for all copies and publishing nothing twice.

use std::time::{Duration, Instant};

use daybook_app::config::Settings;
use daybook_app::{sides, world};
use daybook_store::kafka::{
    Connection, Naming, Record, Relay, RelayOptions, TopicSettings, Topics,
};
use daybook_store::{Filter, Log};
use daybook_tests::Kafka;
use rdkafka::message::Headers as _;
use tokio_util::sync::CancellationToken;

use crate::Trouble;
use crate::measure::per_second;
use crate::plan::Plan;
use crate::server::Server;
use crate::table::{Line, Rounds};

/// Of the floor, at least.
const AT_LEAST: f64 = 0.5;
/// How long one round may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// One line; none where there can be no broker, which is said.
pub(crate) async fn measure(server: &Server, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let Some(kafka) = Kafka::lasting().await else { return Ok(Vec::new()) };
    let history = crate::history::fill(server, "relayed", plan.posted_events).await?;
    let pools = history.database.pools(&Settings::default()).await?;
    let log = Log::new(pools.projector.clone());
    let size = average_size(&log).await?;
    let events = log.head().await?.position;
    let mut rounds = Rounds::default();
    for round in 1..=plan.rounds {
        let floor = floor(&kafka, &connection(&kafka, round, "floor"), events, size).await?;
        let ours = ours(&log, connection(&kafka, round, "ours"), events).await?;
        plan.say(&format!("relay, round {round}: {floor:.0}/s and {ours:.0}/s of {size} bytes"));
        rounds.floor.push(floor);
        rounds.ours.push(ours);
    }
    pools.close().await;
    server.drop(history.database).await?;
    let what = format!("publish the log to Kafka, {size} bytes a record");
    Ok(vec![Line::against(what, &rounds, AT_LEAST)])
}

/// One broker, topics of this round alone.
fn connection(kafka: &Kafka, round: u32, side: &str) -> Connection {
    Connection {
        brokers: kafka.bootstrap(),
        client_id: "bench".to_owned(),
        naming: Naming { prefix: format!("{side}-{round}."), ..Naming::default() },
        topics: TopicSettings { replication: 1, min_insync: 1, ..TopicSettings::default() },
        ..Connection::default()
    }
}

/// Of key, value and headers, as the log's events are published.
async fn average_size(log: &Log) -> Result<usize, Trouble> {
    let page = log.page(0, &Filter::default(), 10_000).await?;
    let mut bytes = 0;
    for event in &page.events {
        let record = Record::of(event, 1)?;
        let headers: usize = record
            .headers
            .iter()
            .map(|header| header.key.len() + header.value.map_or(0, <[u8]>::len))
            .sum();
        bytes += record.key.len() + record.value.get().len() + headers;
    }
    Ok(bytes / page.events.len().max(1))
}

/// Kafka's own tool, in records a second.
async fn floor(
    kafka: &Kafka,
    connection: &Connection,
    records: i64,
    size: usize,
) -> Result<f64, Trouble> {
    Topics::new(connection)?.ensure_events().await?;
    let servers = format!("bootstrap.servers={}", connection.brokers);
    let (records, size) = (records.to_string(), size.to_string());
    let topic = connection.naming.events();
    let arguments = [
        "--topic",
        &topic,
        "--num-records",
        &records,
        "--record-size",
        &size,
        "--throughput",
        "-1",
        "--producer-props",
        &servers,
        "acks=all",
        "enable.idempotence=true",
        "compression.type=lz4",
    ];
    let output = tokio::task::block_in_place(|| {
        kafka.tool("org.apache.kafka.tools.ProducerPerformance", &arguments)
    });
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().rfind(|line| line.contains("records sent")).unwrap_or_default();
    let rate = last.split(", ").nth(1).and_then(|part| part.split(' ').next());
    rate.and_then(|rate| rate.parse().ok()).ok_or_else(|| {
        format!("ProducerPerformance said: {text} {}", String::from_utf8_lossy(&output.stderr))
            .into()
    })
}

/// The relay from the first event to the last, in events a second.
async fn ours(log: &Log, connection: Connection, events: i64) -> Result<f64, Trouble> {
    let follow = log.follow(Duration::from_millis(15));
    let options = RelayOptions::new(world::fresh_id(), sides::host());
    let relay = Relay::new(log.clone(), connection, follow.head(), options);
    let mut published = relay.published();
    let cancel = CancellationToken::new();
    let working = tokio::spawn(relay.run(cancel.clone()));
    let measured = async {
        // It has learnt what the topic has: nothing.
        published.changed().await?;
        let begun = Instant::now();
        published.wait_for(|position| *position >= events).await?;
        Ok::<_, Trouble>(per_second(events, begun))
    };
    let rate = tokio::time::timeout(PATIENCE, measured).await??;
    cancel.cancel();
    working.await?;
    Ok(rate)
}
