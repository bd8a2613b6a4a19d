//! Publishers of rows that are stopped in the middle and go on, and that are killed over and over: each
//! row's latest state arrives, and never an older one after it.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use daybook_projector::row_topics::{RowOptions, RowTopics};
use daybook_store::Log;
use daybook_tests::Kafka;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::bus::connection;
use crate::rows::change_email;
use crate::rows_read::{Published, table};
use crate::support::{World, until};
use crate::{accounts, caught_up, deposits, worker};

const TABLES: [&str; 3] = ["users", "user_identifiers", "accounts"];
const URL: &str = "DAYBOOK_TEST_ROWS_URL";
const BROKERS: &str = "DAYBOOK_TEST_ROWS_BROKERS";
const PREFIX: &str = "DAYBOOK_TEST_ROWS_PREFIX";
const ID: &str = "DAYBOOK_TEST_ROWS_ID";

/// A publisher of a process of its own; killed when it is dropped.
struct Publisher {
    id: Uuid,
    child: Child,
}

impl Publisher {
    fn start(world: &World, kafka: &Kafka, prefix: &str) -> Self {
        let id = Uuid::now_v7();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["publishers::is_a_publisher_when_asked_to_be", "--exact", "--nocapture"])
            .env(URL, world.database.service_url())
            .env(BROKERS, kafka.bootstrap())
            .env(PREFIX, prefix)
            .env(ID, id.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { id, child }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What [`Publisher`] runs; without its variable there is nothing to be.
#[tokio::test(flavor = "multi_thread")]
async fn is_a_publisher_when_asked_to_be() {
    let Ok(url) = std::env::var(URL) else { return };
    let text = |name: &str| std::env::var(name).unwrap();
    let options: PgConnectOptions = url.parse().unwrap();
    let options = options.options([("role", "daybook_projector")]);
    let pool = PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
    let head = Log::new(pool.clone()).follow(Duration::from_millis(5));
    let options = RowOptions {
        id: text(ID).parse().unwrap(),
        connection: connection(&text(BROKERS), &text(PREFIX)),
        tables: TABLES.map(str::to_owned).to_vec(),
    };
    RowTopics::new(pool, head.head(), options).unwrap().run(CancellationToken::new()).await;
}

/// How far the topics of a prefix are, and who publishes them.
async fn standing(world: &World, prefix: &str) -> (i64, Option<Uuid>) {
    sqlx::query_as(
        "SELECT COALESCE((SELECT min(position) FROM projector.row_topics WHERE starts_with(topic, $1)), 0),
            (SELECT holder FROM projector.row_publishers
             WHERE prefix = $1 AND lease_until > clock_timestamp())",
    )
    .bind(prefix)
    .fetch_one(&world.projector)
    .await
    .unwrap()
}

/// Until this one publishes, and the topics have come on since it does.
async fn publishes(world: &World, prefix: &str, publisher: &Publisher) {
    let holds = || async { standing(world, prefix).await.1 == Some(publisher.id) };
    until("it has its turn", Duration::from_secs(60), holds).await;
    let (begin, _) = standing(world, prefix).await;
    let goes_on = || async { standing(world, prefix).await.0 > begin };
    until("it publishes", Duration::from_secs(60), goes_on).await;
}

/// Rows change, go and come again, until it is cancelled.
async fn load(world: &World, accounts: &[Uuid], bob: Uuid, cancel: &CancellationToken) {
    let mut version = 1;
    while !cancel.is_cancelled() {
        deposits(world, accounts, version, 2).await;
        // The same two addresses in turns: a key that goes and comes back.
        let turn = (version - 1) / 2;
        let (from, to) = if turn % 2 == 0 { ("bob", "robert") } else { ("robert", "bob") };
        change_email(world, bob, turn + 1, from, to).await;
        version += 2;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What is done to the publishers while rows change.
async fn trouble(world: &World, kafka: &Kafka, prefix: &str) {
    let mut first = Publisher::start(world, kafka, prefix);
    publishes(world, prefix, &first).await;
    let mut second = Publisher::start(world, kafka, prefix);
    // Stopped at some moment of its work, until the other one has published newer rows.
    for round in 0..5 {
        tokio::time::sleep(Duration::from_millis(300 + round * 37)).await;
        first.signal("-STOP");
        publishes(world, prefix, &second).await;
        first.signal("-CONT");
        tokio::time::sleep(Duration::from_millis(500)).await;
        std::mem::swap(&mut first, &mut second);
    }
    drop(second);
    // Killed over and over, and started again.
    for round in 0..4 {
        tokio::time::sleep(Duration::from_millis(100 + round * 53)).await;
        first.signal("-KILL");
        first = Publisher::start(world, kafka, prefix);
        publishes(world, prefix, &first).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn publishers_that_are_stopped_and_killed_publish_no_older_row_after_a_newer_one() {
    let Some(kafka) = Kafka::shared().await else { return };
    let world = World::new().await;
    let prefix = Kafka::prefix("publishers");
    let accounts = accounts(&world, 8).await;
    let bob = world.user("bob", None).await;
    let running = worker(&world, None);
    let cancel = CancellationToken::new();
    tokio::join!(load(&world, &accounts, bob, &cancel), async {
        trouble(&world, kafka, &prefix).await;
        cancel.cancel();
    });
    caught_up(&world).await;
    let last = Publisher::start(&world, kafka, &prefix);
    let head = world.log.head().await.unwrap().position;
    let all = || async { standing(&world, &prefix).await.0 >= head };
    until("all rows are published", Duration::from_secs(60), all).await;
    drop(last);

    let mut changes = 0;
    for name in TABLES {
        let topic = format!("{prefix}daybook.rows.{name}");
        let published = Published::read(kafka, &topic);
        changes += published.records;
        assert_eq!(published.older_after_newer, Vec::<String>::new(), "{name}");
        let ours: BTreeMap<_, _> = table(&world.reader, name, &published.columns).await;
        assert_eq!(published.latest, ours, "{name}");
    }
    assert!(changes > 200, "only {changes} records: nothing to go wrong with");
    running.stop().await;
}
