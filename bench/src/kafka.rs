//! Live projection through Kafka: with one, two and four workers, and from a command's answer to its
//! row in the read table.

use std::time::{Duration, Instant};

use daybook_app::config::Settings;
use daybook_app::sides;
use daybook_tests::Kafka;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::Trouble;
use crate::engine::accounts;
use crate::history;
use crate::measure::per_second;
use crate::plan::Plan;
use crate::server::Server;
use crate::stage::Stage;
use crate::table::{Line, Rounds};
use crate::visible::{ACCOUNTS, milliseconds, once, rounds};

/// The database with a log that nothing of is posted.
const SOURCE: &str = "unposted_kafka";
/// How long publishing may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// Rounds that do not count.
const WARM_UPS: u32 = 4;
/// The bound for the slowest hundredth, in milliseconds.
const BOUND: f64 = 150.0;

/// The lines; none where there can be no broker, which is said.
pub(crate) async fn measure(server: &Server, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let Some(kafka) = Kafka::lasting().await else { return Ok(Vec::new()) };
    history::fill(server, SOURCE, plan.posted_events).await?;
    let (mut one, mut two, mut four) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=plan.rounds {
        one.push(posting(server, plan, &kafka, round, 1).await?);
        two.push(posting(server, plan, &kafka, round, 2).await?);
        four.push(posting(server, plan, &kafka, round, 4).await?);
    }
    server.drop_named(SOURCE).await?;
    let against = |what: &str, ours: Vec<f64>| {
        let rounds = Rounds { floor: one.clone(), ours };
        Line::told(format!("projection through Kafka, {what} against one, in events"), &rounds)
    };
    Ok(vec![
        against("two workers", two),
        against("four workers", four),
        visible(server, plan, &kafka).await?,
    ])
}

/// Settings with these brokers, under a prefix of their own.
fn settings(kafka: &Kafka, prefix: &str) -> Settings {
    Settings {
        kafka_brokers: Some(kafka.bootstrap()),
        kafka_topic_prefix: format!("{prefix}."),
        kafka_replication: 1,
        kafka_min_insync: 1,
        ..Settings::default()
    }
}

/// A relay under way.
struct Relaying {
    cancel: CancellationToken,
    task: JoinHandle<()>,
    published: tokio::sync::watch::Receiver<i64>,
}

impl Relaying {
    fn start(stage: &Stage) -> Result<Self, Trouble> {
        let follow = sides::follow(&stage.pools, Some(&stage.engine));
        let connection = stage.settings.kafka().ok_or("there is no Kafka")?;
        let relay = sides::relay(&stage.pools, connection, &follow);
        let published = relay.published();
        let cancel = CancellationToken::new();
        let token = cancel.clone();
        let task = tokio::spawn(async move {
            relay.run(token).await;
            drop(follow);
        });
        Ok(Self { cancel, task, published })
    }

    async fn stop(self) -> Result<(), Trouble> {
        self.cancel.cancel();
        self.task.await?;
        Ok(())
    }
}

/// Events a second of a log that is in the topic already, with so many workers; joining the group
/// counts.
async fn posting(
    server: &Server,
    plan: &Plan,
    kafka: &Kafka,
    round: u32,
    workers: usize,
) -> Result<f64, Trouble> {
    let database = server.database("posting_kafka", SOURCE).await?;
    let stage =
        Stage::with(database, settings(kafka, &format!("posting-{round}-{workers}"))).await?;
    let mut relaying = Relaying::start(&stage)?;
    let head = stage.engine.log().head().await?.position;
    let published = relaying.published.wait_for(|position| *position >= head);
    tokio::time::timeout(PATIENCE, published).await??;
    let begun = Instant::now();
    let running: Vec<_> = (0..workers).map(|n| stage.work_as(&format!("worker-{n}"))).collect();
    let events = stage.caught_up().await?;
    let rate = per_second(events, begun);
    plan.say(&format!("through Kafka, round {round}: {workers} workers {rate:.0} events/s"));
    for worker in running {
        worker.stop().await?;
    }
    relaying.stop().await?;
    server.drop(stage.close().await).await?;
    Ok(rate)
}

/// From a command's answer to its row, at 1,000 commands a second.
async fn visible(server: &Server, plan: &Plan, kafka: &Kafka) -> Result<Line, Trouble> {
    let database = server.migrated("visible_kafka").await?;
    let stage = Stage::with(database, settings(kafka, "visible")).await?;
    let accounts = accounts(&stage, ACCOUNTS).await?;
    let relaying = Relaying::start(&stage)?;
    let worker = stage.work_as("worker");
    stage.caught_up().await?;
    // A broker that has just begun is slow until it has compiled itself.
    for _ in 0..WARM_UPS {
        once(&stage, &accounts, plan.latency).await?;
    }
    let latencies = rounds("visible through Kafka", &stage, &accounts, plan).await?;
    worker.stop().await?;
    relaying.stop().await?;
    server.drop(stage.close().await).await?;
    let slowest = milliseconds(&latencies, 99.0);
    Ok(Line::bounded(
        "commit to visible through Kafka, 1,000 commands a second",
        format!("p50 {:.1} ms, p99 {slowest:.1} ms", milliseconds(&latencies, 50.0)),
        format!("p99 ≤ {BOUND} ms"),
        slowest <= BOUND,
    ))
}
