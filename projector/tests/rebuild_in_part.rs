//! Some projections are made again, the rows of the others stay as they are: under load, interrupted,
//! and back again.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use daybook_projector::catalog::{Event, PROJECTIONS, Touched};
use daybook_projector::rebuild::{self, Memory, Options, RebuildError, Rebuilt, Report, Scope};
use daybook_store::{Metadata, Recorded};
use serde_json::Value;
use serde_json::value::RawValue;
use sqlx::PgPool;
use support::{World, deposited};
use tokio::task::JoinHandle;
use uuid::Uuid;

fn accounts() -> Scope {
    Scope::named(&["banking.account".to_owned()]).unwrap()
}

fn options() -> Options {
    let memory = Memory { kept: 20, gathered: 100 };
    let patience = Duration::from_secs(90);
    Options { memory, patience, scope: accounts(), ..Options::new(Uuid::now_v7(), "this") }
}

async fn again(world: &World, migrators: &PgPool, options: Options) -> Rebuilt {
    rebuild::blue_green(migrators, &world.log, &options, &|_| ()).await.unwrap()
}

async fn check(world: &World, scope: &Scope) -> Report {
    let (pool, memory) = (&world.projector, Memory::default());
    rebuild::check_of(scope, pool, &world.log, memory, 10, &|_| ()).await.unwrap()
}

/// The tables that differ, with how many rows.
fn different(report: &Report) -> Vec<(&'static str, i64)> {
    let found = report.tables.iter().filter(|table| table.different > 0);
    found.map(|table| (table.table, table.different)).collect()
}

async fn text(world: &World, query: &'static str) -> String {
    sqlx::query_scalar(query).fetch_one(&world.projector).await.unwrap()
}

async fn by_hand(world: &World, statement: &'static str) {
    let mut superuser = world.database.superuser().await;
    // Who writes by hand may meet a swap that tries: then it is the writer who is asked to try again.
    while let Err(error) = sqlx::raw_sql(statement).execute(&mut superuser).await {
        let code = error.as_database_error().and_then(|error| error.code());
        assert_eq!(code.as_deref(), Some("40P01"), "{error}");
    }
}

/// Deposits to an account of its own until it is stopped; gives how many.
struct Load {
    stop: Arc<AtomicBool>,
    task: JoinHandle<i64>,
}

impl Load {
    async fn on(world: &Arc<World>) -> Self {
        let owner = world.user("writer", None).await;
        let account = world.account(owner, "L-1", None).await;
        let stop = Arc::new(AtomicBool::new(false));
        let (world, stopped) = (Arc::clone(world), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let mut version = 1;
            while !stopped.load(Ordering::SeqCst) {
                let deposit = deposited(100, version * 100);
                world.write(account, "banking.account", version, vec![deposit]).await;
                version += 1;
                tokio::time::sleep(Duration::from_millis(4)).await;
            }
            version - 1
        });
        Self { stop, task }
    }

    async fn stop(self) -> i64 {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_named_is_mended_and_the_others_stay_as_they_are() {
    const BALANCE: &str = "SELECT balance::text FROM accounts WHERE account_number = 'N-1'";
    const NAME: &str = "SELECT full_name::text FROM users WHERE username = 'ada'";
    let world = Arc::new(World::new().await);
    let worker = world.worker();
    let ada = world.user("ada", None).await;
    let account = world.account(ada, "N-1", None).await;
    world.deposits(account, 1, 40).await;
    world.caught_up().await;
    let load = Load::on(&world).await;
    by_hand(&world, "UPDATE accounts SET balance = 7 WHERE account_number = 'N-1'").await;
    by_hand(&world, "UPDATE users SET full_name = 'Nobody' WHERE username = 'ada'").await;
    by_hand(&world, "DELETE FROM audit_logs WHERE id = (SELECT min(id) FROM audit_logs WHERE entity_type = 'accounts' AND id > 0)").await;
    by_hand(&world, "DELETE FROM audit_logs WHERE id = (SELECT min(id) FROM audit_logs WHERE entity_type = 'users' AND id > 0)").await;

    let part = check(&world, &accounts()).await;
    let tables: Vec<&str> = part.tables.iter().map(|table| table.table).collect();
    assert_eq!(tables, ["accounts", "transactions", "audit_logs"]);
    assert_eq!(different(&part), [("accounts", 1), ("audit_logs", 1)]);
    let all = check(&world, &Scope::all()).await;
    assert_eq!(different(&all), [("users", 1), ("accounts", 1), ("audit_logs", 2)]);

    let migrators = world.migrators().await;
    let waits = again(&world, &migrators, options()).await;
    assert!(!waits.live && waits.rows > 40 && waits.copied > 4, "{waits:#?}");
    assert_eq!(different(&waits.report), [("accounts", 1), ("audit_logs", 1)]);
    let taken = again(&world, &migrators, Options { force: true, ..options() }).await;
    assert!(taken.live && taken.rows == 0, "what was filled is not filled again: {taken:#?}");
    assert_eq!(text(&world, BALANCE).await, "40.00");
    assert_eq!(text(&world, NAME).await, "Nobody");
    assert!(different(&check(&world, &accounts()).await).is_empty());
    let all = check(&world, &Scope::all()).await;
    assert_eq!(different(&all), [("users", 1), ("audit_logs", 1)], "it is still reported");
    assert_eq!(world.count("audit_logs WHERE action = 'OUT_OF_BAND' AND id < 0").await, 4);

    for (balance, name) in [("7.00", "Nobody"), ("40.00", "Nobody")] {
        rebuild::roll_back(&migrators, &world.log, &options(), &|_| ()).await.unwrap();
        assert_eq!(text(&world, BALANCE).await, balance);
        assert_eq!(text(&world, NAME).await, name);
    }
    let written = load.stop().await;
    world.caught_up().await;
    assert_eq!(world.count("transactions").await, written + 40);
    assert!(different(&check(&world, &accounts()).await).is_empty());
    let rows = rebuild::rebuilds(&world.projector).await.unwrap();
    let of = rows.iter().find(|row| row.state == "live").unwrap().projections.clone();
    assert_eq!(of.unwrap(), ["banking.account"]);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_by_hand_meanwhile_is_not_lost() {
    const NAME: &str = "SELECT full_name::text FROM users WHERE username = 'ada'";
    let world = Arc::new(World::new().await);
    let worker = world.worker();
    let ada = world.user("ada", None).await;
    let account = world.account(ada, "N-1", None).await;
    world.deposits(account, 1, 10).await;
    world.caught_up().await;
    let migrators = world.migrators().await;
    let hasty = || Options { patience: Duration::from_millis(10), ..options() };
    let held = |outcome| matches!(outcome, Err(RebuildError::HeldUp(_)));

    let mut reader = world.projector.acquire().await.unwrap();
    let mut reading = sqlx::Connection::begin(&mut *reader).await.unwrap();
    sqlx::query("SELECT count(*) FROM users").execute(&mut *reading).await.unwrap();
    assert!(held(rebuild::blue_green(&migrators, &world.log, &hasty(), &|_| ()).await));
    by_hand(&world, "UPDATE users SET full_name = 'Nobody' WHERE username = 'ada'").await;
    reading.rollback().await.unwrap();

    let lost = rebuild::blue_green(&migrators, &world.log, &options(), &|_| ()).await;
    assert!(matches!(lost, Err(RebuildError::ChangedMeanwhile(_))), "{lost:?}");
    let taken = again(&world, &migrators, options()).await;
    assert!(taken.live && taken.rows > 10, "it was filled anew: {taken:#?}");
    assert_eq!(text(&world, NAME).await, "Nobody");

    // After the comparison, while the swap waits for a reader.
    let mut reading = sqlx::Connection::begin(&mut *reader).await.unwrap();
    sqlx::query("SELECT count(*) FROM users").execute(&mut *reading).await.unwrap();
    let waiting = tokio::spawn({
        let (world, migrators) = (Arc::clone(&world), migrators.clone());
        async move { rebuild::blue_green(&migrators, &world.log, &options(), &|_| ()).await }
    });
    let swaps = "projector.rebuilds WHERE state = 'swapping' AND message IS NOT NULL";
    support::until("it swaps", Duration::from_secs(20), || async { world.count(swaps).await == 1 })
        .await;
    by_hand(&world, "UPDATE users SET full_name = 'Somebody' WHERE username = 'ada'").await;
    reading.rollback().await.unwrap();
    let lost = waiting.await.unwrap();
    assert!(matches!(lost, Err(RebuildError::ChangedMeanwhile(_))), "{lost:?}");
    assert_eq!(text(&world, NAME).await, "Somebody");
    assert!(again(&world, &migrators, options()).await.live);
    assert_eq!(text(&world, NAME).await, "Somebody");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_filled_for_some_is_nothing_to_go_on_with_for_others() {
    let world = Arc::new(World::new().await);
    let worker = world.worker();
    let ada = world.user("ada", None).await;
    let account = world.account(ada, "N-1", None).await;
    let load = Load::on(&world).await;
    world.deposits(account, 1, 100).await;
    world.caught_up().await;
    let migrators = world.migrators().await;
    let mut ended = 0;
    for stop_after in [20, 100, 200, 300, 450, 600, 800] {
        let options = options();
        let running = rebuild::blue_green(&migrators, &world.log, &options, &|_| ());
        // Dropped where it is: its connections are closed in the middle of whatever they did.
        if let Ok(outcome) = tokio::time::timeout(Duration::from_millis(stop_after), running).await
        {
            assert!(matches!(outcome, Ok(_) | Err(RebuildError::Busy)), "{outcome:?}");
            ended += 1;
        }
        assert!(different(&check(&world, &Scope::all()).await).is_empty());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(ended < 7, "some were cut short");
    let mut reader = world.projector.acquire().await.unwrap();
    let mut reading = sqlx::Connection::begin(&mut *reader).await.unwrap();
    sqlx::query("SELECT count(*) FROM users").execute(&mut *reading).await.unwrap();
    let hasty = Options { patience: Duration::from_millis(10), ..options() };
    let held = rebuild::blue_green(&migrators, &world.log, &hasty, &|_| ()).await;
    assert!(matches!(held, Err(RebuildError::HeldUp(_))), "{held:?}");
    reading.rollback().await.unwrap();
    let everything = Options { scope: Scope::all(), ..options() };
    let all = again(&world, &migrators, everything).await;
    assert!(all.live && all.rows > 100 && all.copied == 0, "{all:#?}");
    let written = load.stop().await;
    world.caught_up().await;
    assert_eq!(world.count("transactions").await, written + 100);
    assert!(different(&check(&world, &Scope::all()).await).is_empty());
    worker.stop().await;
}

/// Every stored example of a projection's events.
fn examples(kind: &str) -> Vec<Recorded> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../domain/tests/examples");
    let text = std::fs::read_to_string(format!("{folder}/{kind}.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let recorded = |(name, data): (&String, &Value)| {
        let (name, version) = name.split_once('@').unwrap();
        Recorded {
            position: 7,
            recorded_at: "2026-01-31T12:00:00Z".parse().unwrap(),
            occurred_at: None,
            lane: 3,
            lane_seq: 2,
            stream_id: Uuid::from_u128(10),
            version: 1,
            event_type: format!("{kind}.{name}"),
            schema_version: version.parse().unwrap(),
            data: RawValue::from_string(data.to_string()).unwrap(),
            command_id: Uuid::from_u128(11),
            metadata: Metadata::default(),
            after: Vec::new(),
        }
    };
    all["events"].as_object().unwrap().iter().map(recorded).collect()
}

#[test]
fn every_projection_touches_its_own_tables_and_no_others() {
    for projection in PROJECTIONS {
        let mut touched = Touched::default();
        for recorded in examples(projection.kind) {
            Event::decode(&recorded).unwrap().touches(&recorded, &mut touched);
        }
        let touched: BTreeSet<&str> = touched.tables().into_iter().collect();
        let made: BTreeSet<&str> = projection.tables.iter().copied().collect();
        assert_eq!(touched, made, "{}", projection.kind);
    }
}
