//! New read tables are filled beside the live ones and take their place: under load, with readers who
//! never fail and never see less, and back again.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use daybook_projector::as_of;
use daybook_projector::rebuild::{self, Options, Rebuilt};
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use support::{World, deposited, small_rebuild as options};
use tokio::task::JoinHandle;

async fn rebuilt(world: &World, migrators: &PgPool) -> Rebuilt {
    rebuilt_as(options(), world, migrators).await
}

async fn rebuilt_as(options: Options, world: &World, migrators: &PgPool) -> Rebuilt {
    let rebuilt = rebuild::blue_green(migrators, &world.log, &options, &|_| ()).await.unwrap();
    assert!(rebuilt.live && rebuilt.report.is_same(), "{rebuilt:#?}");
    rebuilt
}

/// Accounts to which deposits go on until it is stopped.
struct Load {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicI64>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    async fn on(world: &Arc<World>, writers: usize) -> Self {
        let load = Self { stop: Arc::default(), written: Arc::default(), tasks: Vec::new() };
        let mut tasks = Vec::new();
        for n in 0..writers {
            let owner = world.user(&format!("writer{n}"), None).await;
            let account = world.account(owner, &format!("L-{n}"), None).await;
            let (world, stop) = (Arc::clone(world), Arc::clone(&load.stop));
            let written = Arc::clone(&load.written);
            tasks.push(tokio::spawn(async move {
                let mut version = 1;
                while !stop.load(Ordering::SeqCst) {
                    let deposit = deposited(100, version * 100);
                    world.write(account, "banking.account", version, vec![deposit]).await;
                    version += 1;
                    written.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(3)).await;
                }
            }));
        }
        Self { tasks, ..load }
    }

    async fn stop(self) -> i64 {
        self.stop.store(true, Ordering::SeqCst);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.written.load(Ordering::SeqCst)
    }
}

/// Readers of tables and views: none may fail, and none may see fewer rows than before.
struct Readers {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<i64>>,
}

impl Readers {
    fn of(world: &Arc<World>) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let tasks = [
            "SELECT count(*) FROM public.transactions",
            "SELECT count(*) FROM audit_logs",
            "SELECT count(*) FROM saas.users u JOIN accounts a ON a.user_id = u.user_id JOIN transactions t ON t.account_id = a.id",
            "SELECT (SELECT count(*) FROM transactions) + (SELECT count(*) FROM accounts) + (SELECT count(*) FROM user_identifiers)",
        ]
        .map(|statement| {
            let (stop, pool) = (Arc::clone(&stop), world.projector.clone());
            tokio::spawn(async move {
                let (mut reads, mut seen) = (0, 0_i64);
                while !stop.load(Ordering::SeqCst) {
                    let now: i64 = sqlx::query_scalar(statement).fetch_one(&pool).await.unwrap();
                    assert!(now >= seen, "{statement}: {now} after {seen}");
                    seen = now;
                    reads += 1;
                    tokio::time::sleep(Duration::from_millis(15)).await;
                }
                reads
            })
        })
        .into();
        Self { stop, tasks }
    }

    async fn stop(self) -> i64 {
        self.stop.store(true, Ordering::SeqCst);
        let mut reads = 0;
        for task in self.tasks {
            reads += task.await.unwrap();
        }
        reads
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_and_writers_go_on_while_the_tables_change_places() {
    let world = Arc::new(World::new().await);
    let worker = world.worker();
    let load = Load::on(&world, 4).await;
    support::until("some history", Duration::from_secs(20), || async {
        load.written.load(Ordering::SeqCst) > 300
    })
    .await;
    let readers = Readers::of(&world);
    let migrators = world.migrators().await;
    let before = live_oid(&world).await;
    // With a throttle indexes are there before the rows.
    for throttle in [None, Some(20_000), None] {
        rebuilt_as(Options { throttle, ..options() }, &world, &migrators).await;
    }
    assert_ne!(live_oid(&world).await, before, "other tables are live");
    assert!(readers.stop().await > 50);
    let written = load.stop().await;
    world.caught_up().await;
    assert_eq!(world.count("transactions").await, written);
    world.is_what_the_log_says().await;
    worker.stop().await;
}

async fn live_oid(world: &World) -> i64 {
    sqlx::query_scalar("SELECT 'public.transactions'::regclass::oid::bigint")
        .fetch_one(&world.projector)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_loses_and_repeats_nothing() {
    let world = Arc::new(World::new().await);
    let worker = world.worker();
    let owner = world.user("ada", None).await;
    let account = world.account(owner, "N-1", None).await;
    let migrators = world.migrators().await;
    let refused = rebuild::roll_back(&migrators, &world.log, &options(), &|_| ()).await;
    assert!(matches!(refused, Err(rebuild::RebuildError::NoneBefore)), "{refused:?}");
    world.deposits(account, 1, 30).await;
    world.caught_up().await;
    let first = live_oid(&world).await;
    rebuilt(&world, &migrators).await;
    let second = live_oid(&world).await;
    let [known] = &*rebuild::rebuilds(&world.projector).await.unwrap() else { panic!("one") };
    let head = world.log.head().await.unwrap().position;
    let filled = (known.unit.as_str(), known.events_done, known.events_total);
    assert!(known.live_now && known.events_per_second > 0.0, "{known:?}");
    assert_eq!(filled, ("events", head, head));
    let made = known.id;
    world.deposits(account, 31, 30).await;
    world.caught_up().await;
    // A change by hand after the swap is known to the tables that come back.
    let mut administrator = world.database.superuser().await;
    execute("UPDATE users SET full_name = 'Ada L.' WHERE username = 'ada'", &mut administrator)
        .await;
    execute("UPDATE users SET full_name = 'ada' WHERE username = 'ada'", &mut administrator).await;
    execute(
        "SELECT projector.make_partitions('transactions', '1995-01-01', '1995-01-01')",
        &mut administrator,
    )
    .await;
    for expected in [first, second, first] {
        rebuild::roll_back(&migrators, &world.log, &options(), &|_| ()).await.unwrap();
        assert_eq!(live_oid(&world).await, expected);
        let known = rebuild::rebuilds(&world.projector).await.unwrap();
        let live: Vec<_> = known.iter().filter(|one| one.live_now).map(|one| one.id).collect();
        assert_eq!(live, if expected == second { vec![made] } else { vec![] });
        world.caught_up().await;
        assert_eq!(world.count("transactions").await, 60);
        assert_eq!(world.count("audit_logs WHERE action = 'OUT_OF_BAND'").await, 2);
        let parts = "pg_inherits WHERE inhparent = 'public.transactions'::regclass
            AND inhrelid = 'public.transactions_y1995m01'::regclass";
        assert_eq!(world.count(parts).await, 1, "a partition that was made since is in both");
    }
    world.deposits(account, 61, 10).await;
    world.caught_up().await;
    let balance: String = sqlx::query_scalar("SELECT balance::text FROM accounts WHERE id = $1")
        .bind(account)
        .fetch_one(&world.projector)
        .await
        .unwrap();
    assert_eq!(balance, "70.00");
    // What a migration did since is in the live tables alone.
    let migrated =
        "UPDATE _sqlx_migrations SET installed_on = clock_timestamp() WHERE version = 112";
    execute(migrated, &mut administrator).await;
    let live = live_oid(&world).await;
    let refused = rebuild::roll_back(&migrators, &world.log, &options(), &|_| ()).await;
    assert!(matches!(refused, Err(rebuild::RebuildError::Migrated(_))), "{refused:?}");
    assert_eq!(live_oid(&world).await, live);
    worker.stop().await;
}

/// What the catalogue prints of the live tables is of the live ones, a view that goes is in nobody's way, and
/// the trail is summed up where it is whole.
#[tokio::test(flavor = "multi_thread")]
async fn states_are_made_and_dropped_beside_tables_that_change_places() {
    let world = Arc::new(World::new().await);
    let worker = world.worker();
    let owner = world.user("ada", None).await;
    let account = world.account(owner, "N-1", None).await;
    world.deposits(account, 1, 20).await;
    world.caught_up().await;
    let migrators = world.migrators().await;
    rebuilt(&world, &migrators).await;
    let stop = AtomicBool::new(false);
    let digest = async |position: i64| {
        let order = as_of::Order {
            schema: "beside".to_owned(),
            position,
            instant: None,
            lasts: None,
            quota: 0,
            build: "this".to_owned(),
            from_earlier: false,
        };
        let state = as_of::build(&migrators, &world.log, &order, &|_| ()).await.unwrap();
        as_of::drop("beside", &mut migrators.acquire().await.unwrap()).await.unwrap();
        state.digests.unwrap()["audit_logs"].clone()
    };
    let states = async {
        let mut made = Vec::new();
        while !stop.load(Ordering::SeqCst) {
            let position = world.log.head().await.unwrap().position;
            made.push((position, digest(position).await));
        }
        made
    };
    let places = async {
        for turn in 0..12 {
            world.deposits(account, 21 + turn * 20, 20).await;
            rebuild::roll_back(&migrators, &world.log, &options(), &|_| ()).await.unwrap();
        }
        stop.store(true, Ordering::SeqCst);
    };
    let (made, ()) = tokio::join!(states, places);
    assert!(!made.is_empty());
    world.caught_up().await;
    for (position, told) in made.into_iter().rev().take(6) {
        assert_eq!(digest(position).await, told, "the trail up to {position}");
    }
    world.is_what_the_log_says().await;
    worker.stop().await;
}

async fn execute(statement: &str, connection: &mut PgConnection) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_at_an_older_moment_is_waited_for_and_named() {
    let world = Arc::new(World::new().await);
    let worker = world.worker();
    let owner = world.user("ada", None).await;
    let account = world.account(owner, "N-1", None).await;
    world.deposits(account, 1, 5).await;
    world.caught_up().await;
    let migrators = world.migrators().await;
    // It has looked at no read table yet, so that no lock keeps the tables in their place.
    let mut analyst = world.projector.acquire().await.unwrap();
    let mut looking = analyst.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    sqlx::query("SELECT count(*) FROM projector.lanes").execute(&mut *looking).await.unwrap();
    let hasty = || Options { patience: Duration::from_millis(10), ..options() };
    let error = rebuild::blue_green(&migrators, &world.log, &hasty(), &|_| ()).await.unwrap_err();
    assert!(error.to_string().contains("daybook_service (process "), "{error}");
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM transactions")
        .fetch_one(&mut *looking)
        .await
        .unwrap();
    assert_eq!(seen, 5, "it sees what was there at its moment");
    // Now it holds a lock as well.
    let error = rebuild::blue_green(&migrators, &world.log, &hasty(), &|_| ()).await.unwrap_err();
    assert!(matches!(error, rebuild::RebuildError::HeldUp(_)), "{error}");
    let waiting = tokio::spawn({
        let (world, migrators) = (Arc::clone(&world), migrators.clone());
        async move { rebuilt(&world, &migrators).await }
    });
    tokio::time::sleep(Duration::from_millis(1500)).await;
    world.deposits(account, 6, 5).await;
    world.caught_up().await;
    looking.rollback().await.unwrap();
    assert_eq!(waiting.await.unwrap().rows, 0, "what was complete was not filled again");
    world.deposits(account, 11, 5).await;
    world.caught_up().await;
    assert_eq!(world.count("transactions").await, 15);
    world.is_what_the_log_says().await;
    let states: Vec<String> = rebuild::rebuilds(&world.projector)
        .await
        .unwrap()
        .into_iter()
        .map(|rebuild| rebuild.state)
        .collect();
    assert_eq!(states, ["live", "failed", "failed"]);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_stops_anywhere_leaves_the_live_tables_and_the_next_one_goes_on() {
    let world = Arc::new(World::new().await);
    let worker = world.worker();
    let load = Load::on(&world, 2).await;
    support::until("some history", Duration::from_secs(20), || async {
        load.written.load(Ordering::SeqCst) > 200
    })
    .await;
    let migrators = world.migrators().await;
    for stop_after in [10, 60, 150, 300, 500, 700, 900, 1200] {
        let options = options();
        let running = rebuild::blue_green(&migrators, &world.log, &options, &|_| ());
        // Dropped where it is: its connections are closed in the middle of whatever they did.
        if let Ok(ended) = tokio::time::timeout(Duration::from_millis(stop_after), running).await {
            // The connections of the one before may take a moment to be gone.
            assert!(matches!(ended, Ok(_) | Err(rebuild::RebuildError::Busy)), "{ended:?}");
        }
        world.is_what_the_log_says().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    rebuilt(&world, &migrators).await;
    let written = load.stop().await;
    world.caught_up().await;
    assert_eq!(world.count("transactions").await, written);
    world.is_what_the_log_says().await;
    let schemas: Vec<String> = sqlx::query_scalar(
        "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'read\\_model%' ORDER BY 1",
    )
    .fetch_all(&world.projector)
    .await
    .unwrap();
    assert_eq!(schemas, ["read_model_before"]);
    worker.stop().await;
}
