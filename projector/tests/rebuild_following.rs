//! A rebuild and what it follows: live tables that go on while it fills, that it comes no nearer to, that
//! are behind what an earlier run had posted, that begin only then.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod support;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use daybook_projector::WorkerOptions;
use daybook_projector::parked::{parked, retry_parked};
use daybook_projector::rebuild::{self, Options, Progress, RebuildError, Unit};
use sqlx::Connection;
use support::{World, deposited, small_rebuild, until};
use uuid::Uuid;

/// For what takes a moment, on a machine that is busy.
const SOON: Duration = Duration::from_secs(60);

/// Appends and posts more than a little each time that a rebuild looks at what it still misses, `times`
/// times.
fn outrunning(world: &Arc<World>, account: Uuid, times: i64) -> impl Fn(Progress) + Send + Sync {
    const HURRY: i64 = 1100;
    let (world, passes) = (Arc::clone(world), AtomicI64::new(0));
    move |progress| {
        let pass = passes.load(Ordering::SeqCst);
        let now = match progress.stage {
            "analyzing" => pass == 0,
            "catching up" => progress.done == 0,
            _ => false,
        };
        if !now || pass == times {
            return;
        }
        passes.store(pass + 1, Ordering::SeqCst);
        let append = async {
            many_deposits(&world, account, pass * HURRY + 1, HURRY).await;
            world.caught_up().await;
        };
        meanwhile(append);
    }
}

/// Does it before whoever tells of its progress goes on.
fn meanwhile<T>(work: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gentle_one_that_comes_no_nearer_hurries_and_one_that_cannot_ends() {
    let world = Arc::new(World::new().await);
    let worker = world.worker();
    let owner = world.user("ada", None).await;
    let account = world.account(owner, "N-1", None).await;
    world.caught_up().await;
    let migrators = world.migrators().await;
    let gentle = || Options { throttle: Some(20_000), ..small_rebuild() };
    let hasty = Options { patience: Duration::ZERO, ..gentle() };

    let outrun = outrunning(&world, account, i64::MAX);
    let error = rebuild::blue_green(&migrators, &world.log, &hasty, &outrun).await.unwrap_err();
    assert!(matches!(error, RebuildError::Outrun { posted: 1100, .. }), "{error}");
    let [ended] = &*rebuild::rebuilds(&world.projector).await.unwrap() else { panic!("one") };
    assert!(ended.message.as_ref().unwrap().contains("come no nearer"), "{ended:?}");

    // With pauses it comes no nearer; without them it does, once nothing more comes.
    let written = world.count("transactions").await;
    let account = world.account(owner, "N-2", None).await;
    world.caught_up().await;
    let messages = Mutex::new(Vec::new());
    let few = outrunning(&world, account, 4);
    few(Progress { stage: "analyzing", done: 0, total: 0, unit: Unit::Bytes });
    let watched = |progress: Progress| {
        few(progress);
        if progress.stage == "catching up" {
            let said = meanwhile(async {
                if progress.done == 0 {
                    // What it says is written down every half a second.
                    tokio::time::sleep(Duration::from_millis(1500)).await;
                }
                rebuild::rebuilds(&world.projector).await.unwrap().swap_remove(0).message
            });
            messages.lock().unwrap().extend(said);
        }
    };
    let rebuilt = rebuild::blue_green(&migrators, &world.log, &gentle(), &watched).await.unwrap();
    assert!(rebuilt.live && rebuilt.report.is_same(), "{rebuilt:#?}");
    assert_eq!(rebuilt.rows, 0, "what the one before had filled is kept");
    let said = messages.lock().unwrap().join("; ");
    assert!(said.contains("without pauses"), "{said:?}");
    assert_eq!(world.count("transactions").await, written + 4400);
    world.is_what_the_log_says().await;
    worker.stop().await;
}

/// Appends this many deposits, a hundred at a time.
async fn many_deposits(world: &World, account: Uuid, from: i64, count: i64) {
    for from in (from..from + count).step_by(100) {
        let deposits = (from..from + 100).map(|version| deposited(100, version * 100));
        world.write(account, "banking.account", from, deposits.collect()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_a_gentle_one_fills_is_filled_too() {
    // Of so many events a second, those of five seconds are left to catching up.
    const RATE: u32 = 200;
    const LEFT: i64 = 1000;
    let world = Arc::new(World::new().await);
    let worker = world.worker();
    let owner = world.user("ada", None).await;
    let account = world.account(owner, "N-1", Some(2)).await;
    world.caught_up().await;
    // One lane stands still: somebody's hand has taken the number of its account.
    let by_hand = "INSERT INTO accounts (id, user_id, account_name, account_type, account_number)
         VALUES ($1, $2, 'By hand', 'checking', 'TAKEN')";
    let mut administrator = world.database.superuser().await;
    let taken = Uuid::now_v7();
    sqlx::query(by_hand).bind(taken).bind(owner).execute(&mut administrator).await.unwrap();
    let broken = world.account(owner, "TAKEN", Some(1)).await;
    world.deposits(broken, 1, 5).await;
    many_deposits(&world, account, 1, 400).await;
    until("the others are posted", SOON, || async { world.count("transactions").await == 400 })
        .await;
    assert_eq!(parked(&world.projector).await.unwrap().len(), 1);

    let (gone_on, left) = (AtomicBool::new(false), AtomicI64::new(-1));
    let tell = |progress: Progress| match progress.stage {
        "filling" if progress.done > 0 && !gone_on.swap(true, Ordering::SeqCst) => {
            meanwhile(async {
                let mut administrator = world.database.superuser().await;
                let free = "DELETE FROM accounts WHERE id = $1";
                sqlx::query(free).bind(taken).execute(&mut administrator).await.unwrap();
                retry_parked(&world.projector, None).await.unwrap();
                many_deposits(&world, account, 401, LEFT + 200).await;
                world.caught_up().await;
            });
        }
        "catching up" if left.load(Ordering::SeqCst) < 0 => {
            left.store(progress.total, Ordering::SeqCst);
        }
        _ => {}
    };
    let gentle = Options { throttle: Some(RATE), ..small_rebuild() };
    let migrators = world.migrators().await;
    let rebuilt = rebuild::blue_green(&migrators, &world.log, &gentle, &tell).await.unwrap();
    assert!(rebuilt.live && rebuilt.report.is_same(), "{rebuilt:#?}");
    assert_eq!(left.load(Ordering::SeqCst), 0, "it was filled with what came");
    assert_eq!(world.count("transactions").await, 400 + LEFT + 200 + 5);
    world.is_what_the_log_says().await;
    worker.stop().await;
}

/// What an earlier run had posted may be beyond the live tables, which are waited for while they come
/// nearer: others that go on are no reason to wait for one that does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_stands_still_is_not_waited_for_because_others_move() {
    let world = Arc::new(World::new().await);
    let worker = world.worker();
    let owner = world.user("ada", None).await;
    let account = world.account(owner, "N-1", Some(2)).await;
    world.deposits(account, 1, 5).await;
    world.caught_up().await;
    let migrators = world.migrators().await;
    let mut analyst = world.projector.acquire().await.unwrap();
    let mut looking = analyst.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM transactions").execute(&mut *looking).await.unwrap();
    let hasty = Options { patience: Duration::ZERO, ..small_rebuild() };
    let error = rebuild::blue_green(&migrators, &world.log, &hasty, &|_| ()).await.unwrap_err();
    assert!(matches!(error, RebuildError::HeldUp(_)), "{error}");
    looking.rollback().await.unwrap();
    // As if it had posted there what the live tables cannot.
    let beyond = "UPDATE projector.set_checkpoints SET lane_seq = lane_seq + 1000
         WHERE schema_name = 'read_model_next' AND lane = 7";
    let mut administrator = world.database.superuser().await;
    let moved = sqlx::query(beyond).execute(&mut administrator).await.unwrap();
    assert_eq!(moved.rows_affected(), 1);

    let stop = AtomicBool::new(false);
    let others = async {
        let mut version = 6;
        while !stop.load(Ordering::SeqCst) {
            world.deposits(account, version, 1).await;
            version += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let again = async {
        let options = small_rebuild();
        let rebuilt = rebuild::blue_green(&migrators, &world.log, &options, &|_| ());
        let rebuilt = tokio::time::timeout(SOON, rebuilt).await;
        stop.store(true, Ordering::SeqCst);
        rebuilt.expect("it does not wait for ever").unwrap()
    };
    let (rebuilt, ()) = tokio::join!(again, others);
    assert!(rebuilt.live && rebuilt.rows > 0, "{rebuilt:#?}");
    world.caught_up().await;
    world.is_what_the_log_says().await;
    worker.stop().await;
}

/// With nothing live it is filled to the end of the log; what begins to be posted then is behind that, and
/// no difference.
#[tokio::test(flavor = "multi_thread")]
async fn workers_that_begin_before_it_compares_are_waited_for() {
    let world = Arc::new(World::new().await);
    let owner = world.user("ada", None).await;
    let account = world.account(owner, "N-1", None).await;
    many_deposits(&world, account, 1, 1500).await;
    let worker = Mutex::new(None);
    let tell = |progress: Progress| {
        let mut worker = worker.lock().unwrap();
        if progress.stage == "analyzing" && worker.is_none() {
            // One that takes its time: each event is a batch.
            let slow = WorkerOptions { max_batch: 1, ..WorkerOptions::new(Uuid::now_v7()) };
            *worker = Some(world.worker_with(slow));
            meanwhile(until("some is posted", SOON, || async {
                world.count("projector.checkpoints WHERE lane_seq > 0").await > 0
            }));
        }
    };
    let migrators = world.migrators().await;
    let rebuilt =
        rebuild::blue_green(&migrators, &world.log, &small_rebuild(), &tell).await.unwrap();
    assert!(rebuilt.live && rebuilt.report.is_same(), "{rebuilt:#?}");
    assert!(rebuilt.report.position > 0, "there was something to compare with");
    world.caught_up().await;
    world.is_what_the_log_says().await;
    worker.into_inner().unwrap().unwrap().stop().await;
}
