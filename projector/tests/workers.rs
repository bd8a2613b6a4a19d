//! Several workers: lanes are shared, taken over, fenced; a lane that cannot go on stops alone.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod support;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use daybook_projector::parked::{parked, retry_parked, waiting};
use daybook_projector::rebuild::{self, Memory};
use daybook_projector::{Worker, WorkerOptions};
use daybook_store::{Log, lane_of};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use support::{World, deposited, id_in, opened, until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const URL: &str = "DAYBOOK_TEST_WORKER_URL";
const SHARED_SOON: Duration = Duration::from_secs(10);

/// A worker in a process of its own; killed when it is dropped.
struct Process(Child);

impl Process {
    fn start(world: &World) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["is_a_worker_when_asked_to_be", "--exact", "--nocapture"])
            .env(URL, world.database.service_url())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What [`Process`] runs; without its variable there is nothing to be.
#[tokio::test(flavor = "multi_thread")]
async fn is_a_worker_when_asked_to_be() {
    let Ok(url) = std::env::var(URL) else { return };
    let options: PgConnectOptions = url.parse().unwrap();
    let options = options.options([("role", "daybook_projector")]);
    let pool = PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
    let log = Log::new(pool.clone());
    let head = log.follow(Duration::from_millis(5));
    let worker = Worker::new(pool, log, head.head(), WorkerOptions::new(Uuid::now_v7()));
    worker.run(CancellationToken::new()).await.unwrap();
}

async fn same_as_a_rebuild(world: &World) {
    let report =
        rebuild::check(&world.projector, &world.log, Memory::default(), 5, &|_| {}).await.unwrap();
    assert!(report.is_same(), "{report:#?}");
}

async fn owners(world: &World, wanted: usize) {
    let what = format!("{wanted} workers share 64 lanes fairly");
    until(&what, SHARED_SOON, || async {
        let shares = world.shares().await;
        let fair = shares.iter().all(|(_, lanes)| (*lanes - 64 / wanted as i64).abs() <= 1);
        shares.len() == wanted && fair && shares.iter().map(|(_, lanes)| lanes).sum::<i64>() == 64
    })
    .await;
}

/// Accounts of several lanes that grow while workers come and go.
async fn accounts(world: &World, count: usize) -> Vec<Uuid> {
    let ada = world.user("ada", None).await;
    let mut accounts = Vec::new();
    for n in 0..count {
        accounts.push(world.account(ada, &format!("N-{n}"), None).await);
    }
    accounts
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_share_the_lanes_and_give_them_back() {
    let world = World::new().await;
    let accounts = accounts(&world, 24).await;
    let first = world.worker();
    owners(&world, 1).await;
    for account in &accounts {
        world.deposits(*account, 1, 3).await;
    }
    let second = world.worker();
    owners(&world, 2).await;
    for account in &accounts {
        world.deposits(*account, 4, 3).await;
    }
    let third = world.worker();
    owners(&world, 3).await;
    for account in &accounts {
        world.deposits(*account, 7, 3).await;
    }
    first.stop().await;
    owners(&world, 2).await;
    world.caught_up().await;
    assert_eq!(world.count("transactions").await, 24 * 9);
    same_as_a_rebuild(&world).await;
    second.stop().await;
    third.stop().await;
    assert!(world.shares().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_workers_lanes_are_taken_over_within_ten_seconds() {
    let world = World::new().await;
    let accounts = accounts(&world, 12).await;
    let process = Process::start(&world);
    owners(&world, 1).await;
    let other = world.worker();
    owners(&world, 2).await;
    for account in &accounts {
        world.deposits(*account, 1, 3).await;
    }
    process.signal("-KILL");
    let killed = Instant::now();
    for account in &accounts {
        world.deposits(*account, 4, 2).await;
    }
    owners(&world, 1).await;
    world.caught_up().await;
    assert!(killed.elapsed() < Duration::from_secs(10), "{:?}", killed.elapsed());
    same_as_a_rebuild(&world).await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_and_resumed_worker_is_fenced() {
    let world = World::new().await;
    let accounts = accounts(&world, 12).await;
    let process = Process::start(&world);
    owners(&world, 1).await;
    let mut version = 1;
    for _ in 0..3 {
        // Stopped while it works: events go on right up to the signal, and beyond.
        for account in &accounts {
            world.deposits(*account, version, 2).await;
        }
        process.signal("-STOP");
        let stopped = Instant::now();
        for account in &accounts {
            world.deposits(*account, version + 2, 2).await;
        }
        version += 4;
        let other = world.worker();
        world.caught_up().await;
        assert!(stopped.elapsed() < Duration::from_secs(10), "{:?}", stopped.elapsed());
        process.signal("-CONT");
        owners(&world, 2).await;
        world.caught_up().await;
        same_as_a_rebuild(&world).await;
        other.stop().await;
        owners(&world, 1).await;
    }
    assert_eq!(world.count("transactions").await, 12 * 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_does_not_know_that_it_lost_its_lanes_posts_nothing() {
    let world = World::new().await;
    let accounts = accounts(&world, 12).await;
    let never = Duration::from_secs(3600);
    let stale = world.worker_with(WorkerOptions {
        lease: Duration::from_secs(1),
        renew: never,
        ..WorkerOptions::new(Uuid::now_v7())
    });
    world.caught_up().await;
    let other = world.worker();
    until("the lanes are taken over", SHARED_SOON, || async {
        world.shares().await == [(other.id, 64)]
    })
    .await;
    for account in &accounts {
        world.deposits(*account, 1, 10).await;
    }
    world.caught_up().await;
    let by_others: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM projector.moves m JOIN projector.lanes l USING (name, version, lane)
         WHERE m.epoch <> l.epoch AND m.moved_at > l.since",
    )
    .fetch_one(&world.projector)
    .await
    .unwrap();
    assert_eq!(by_others, 0, "every move since a lane changed hands is its owner's");
    assert_eq!(world.count("transactions").await, 12 * 10);
    same_as_a_rebuild(&world).await;
    stale.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_whose_dependency_is_not_posted_stops_alone() {
    let world = World::new().await;
    let worker = world.worker();
    let bob = world.user("bob", None).await;
    let free = world.account(bob, "FREE", Some(2)).await;
    world.caught_up().await;
    worker.stop().await;

    // Somebody owns lane 0, is alive, and posts nothing.
    sqlx::raw_sql(
        "INSERT INTO projector.workers (id, name, version, host, pid, lease_until)
         VALUES ('00000000-0000-0000-0000-00000000000a', 'read_model', 1, 'asleep', 0, 'infinity');
         UPDATE projector.lanes SET owner = '00000000-0000-0000-0000-00000000000a' WHERE lane = 0",
    )
    .execute(&world.projector)
    .await
    .unwrap();
    let ada = world.user("ada", Some(0)).await;
    let starved = world.account(ada, "STARVED", Some(1)).await;
    world.deposits(starved, 1, 2).await;
    let worker = world.worker();
    world.deposits(free, 1, 20).await;
    until("the free lane goes on", SHARED_SOON, || async {
        world.count("transactions").await == 20
    })
    .await;
    until("the wait is seen", SHARED_SOON, || async {
        let waiting = waiting(&world.projector).await.unwrap();
        waiting.len() == 1 && (waiting[0].lane, waiting[0].for_lane) == (1, 0)
    })
    .await;
    assert_eq!(world.count("accounts").await, 1);
    let lag = world.posted.lag().await.unwrap();
    assert_eq!(lag.events, 4, "{lag:?}");

    sqlx::raw_sql("DELETE FROM projector.workers WHERE host = 'asleep'")
        .execute(&world.projector)
        .await
        .unwrap();
    world.caught_up().await;
    same_as_a_rebuild(&world).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_posted_is_parked_shown_and_tried_again() {
    let world = World::new().await;
    let worker = world.worker();
    let bob = world.user("bob", None).await;
    let free = world.account(bob, "FREE", Some(2)).await;
    // An account of nobody: the foreign key refuses.
    let nobody = Uuid::now_v7();
    let broken = id_in(Some(1));
    let unreferenced =
        daybook_store::NewEvent { references: Vec::new(), ..opened(nobody, "BROKEN") };
    world.write(broken, "banking.account", 0, vec![unreferenced]).await;
    world.deposits(broken, 1, 2).await;
    // And one that refers to the broken one.
    let dependent = id_in(Some(3));
    let refers = daybook_store::NewEvent { references: vec![bob, broken], ..opened(bob, "LATER") };
    world.write(dependent, "banking.account", 0, vec![refers]).await;
    let last = world.deposits(free, 1, 10).await;
    until("it is parked", SHARED_SOON, || async {
        !parked(&world.projector).await.unwrap().is_empty()
    })
    .await;
    let shown = parked(&world.projector).await.unwrap();
    assert_eq!((shown.len(), shown[0].lane, shown[0].stream_id), (1, 1, broken));
    assert!(shown[0].error.contains("foreign key"), "{}", shown[0].error);
    until("the others go on", SHARED_SOON, || async { world.count("transactions").await == 10 })
        .await;
    until("what waits for it says so", SHARED_SOON, || async {
        let waiting = waiting(&world.projector).await.unwrap();
        waiting.len() == 1 && waiting[0].lane == lane_of(dependent) && waiting[0].parked.is_some()
    })
    .await;
    assert!(world.posted.wait_for(last, Duration::from_millis(200)).await.is_err());

    // Tried again in vain, then with the fault mended.
    assert_eq!(retry_parked(&world.projector, None).await.unwrap(), 1);
    until("it was tried", SHARED_SOON, || async {
        parked(&world.projector).await.unwrap()[0].attempts >= 2
    })
    .await;
    let mut administrator = world.database.superuser().await;
    sqlx::query("INSERT INTO users (id, username, email, full_name, first_name, last_name, password_hash) VALUES ($1, 'late', 'late@example.com', '', '', '', '!')")
        .bind(nobody)
        .execute(&mut administrator)
        .await
        .unwrap();
    retry_parked(&world.projector, Some(1)).await.unwrap();
    world.caught_up().await;
    assert!(parked(&world.projector).await.unwrap().is_empty());
    assert_eq!(world.count("accounts").await, 3);
    assert_eq!(world.count("transactions").await, 12);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_event_stops_its_lane_and_is_never_skipped() {
    let world = World::new().await;
    let bob = world.user("bob", None).await;
    let account = world.account(bob, "N-1", Some(5)).await;
    let mut unknown = deposited(100, 100);
    unknown.event_type = "banking.account.gilded";
    world.write(account, "banking.account", 1, vec![unknown]).await;
    world.deposits(account, 2, 1).await;
    let worker = world.worker();
    until("it is parked", SHARED_SOON, || async {
        !parked(&world.projector).await.unwrap().is_empty()
    })
    .await;
    let shown = parked(&world.projector).await.unwrap();
    assert!(shown[0].error.contains("banking.account.gilded"), "{}", shown[0].error);
    until("what came before is posted", SHARED_SOON, || async {
        world.count("accounts").await == 1
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.count("transactions").await, 0, "nothing after it is");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_in_the_log_stops_its_lane_and_no_other() {
    let world = World::new().await;
    let bob = world.user("bob", None).await;
    let (torn, whole) =
        (world.account(bob, "N-1", Some(5)).await, world.account(bob, "N-2", Some(6)).await);
    world.deposits(torn, 1, 5).await;
    world.deposits(whole, 1, 5).await;
    // Nobody can do this but who owns the server: the trigger refuses everyone else.
    let mut administrator = world.database.superuser().await;
    for statement in [
        "DO $$ DECLARE p regclass; BEGIN FOR p IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'journal.events'::regclass LOOP
             EXECUTE format('ALTER TABLE %s DISABLE TRIGGER never_changed', p); END LOOP; END $$",
        "ALTER TABLE journal.events DISABLE TRIGGER never_changed",
        "DELETE FROM journal.events WHERE lane = 5 AND lane_seq = 4",
    ] {
        sqlx::query(statement).execute(&mut administrator).await.unwrap();
    }
    let worker = world.worker();
    until("what is not torn is posted", Duration::from_secs(30), || async {
        world.count("transactions").await == 7
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.count("transactions").await, 7, "nothing after the hole is posted");
    let (seq,): (i64,) = sqlx::query_as(
        "SELECT lane_seq FROM projector.checkpoints WHERE lane = 5 AND name = 'read_model'",
    )
    .fetch_one(&mut administrator)
    .await
    .unwrap();
    assert_eq!(seq, 3);
    worker.stop().await;
}
