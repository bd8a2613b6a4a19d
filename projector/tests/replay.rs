//! History written out: every event, what filters leave, the same bytes however often it is broken off.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use daybook_domain::context::SYSTEM_USER;
use daybook_projector::replay::{Destination, Format, Order, Replay, ReplayError, Summary};
use daybook_store::Filter;
use daybook_tests::Daybook;
use nix::sys::signal::Signal;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sqlx::AssertSqlSafe;
use support::{World, reached};
use uuid::Uuid;

/// Events of one request.
const AT_ONCE: i64 = 500;

/// A log with users, two accounts and so many deposits.
async fn world(deposits: i64) -> (World, Uuid, Uuid) {
    let world = World::new().await;
    let ada = world.user("ada", None).await;
    let (first, second) =
        (world.account(ada, "A", None).await, world.account(ada, "B", None).await);
    for n in 0..deposits / (2 * AT_ONCE) {
        for account in [first, second] {
            let from = n * AT_ONCE;
            let events = (0..AT_ONCE).map(|k| support::deposited(100, (from + k) * 100)).collect();
            world.write(account, "banking.account", 1 + from, events).await;
        }
    }
    (world, ada, first)
}

fn everything(format: Format) -> Order {
    Order { filter: Filter::default(), after: 0, format, speed: None }
}

fn to(path: &Path) -> Destination {
    Destination::Path { path: path.to_owned(), anew: false }
}

async fn replay(world: &World, order: &Order, path: &Path) -> Summary {
    let replay = Replay::plan(&world.log, order.clone(), to(path)).await.unwrap();
    replay.run(&world.log, &|_| ()).await.unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The positions for which `condition` holds, as SQL says.
async fn positions(world: &World, condition: &str) -> Vec<i64> {
    let query = format!("SELECT position FROM journal.events WHERE {condition} ORDER BY position");
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&world.projector).await.unwrap()
}

#[tokio::test]
async fn two_replays_are_the_same_bytes_and_every_form_has_one_digest() {
    let (world, ..) = world(3_000).await;
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("1.ndjson"), folder.path().join("2.ndjson"));
    let first = replay(&world, &everything(Format::Ndjson), &one).await;
    let second = replay(&world, &everything(Format::Ndjson), &two).await;
    assert_eq!(fs::read(&one).unwrap(), fs::read(&two).unwrap());
    assert_eq!((&first.digest, first.bytes), (&second.digest, second.bytes));
    assert_eq!(first.digest, sha256(&fs::read(&one).unwrap()));
    assert_eq!(first.bytes, fs::metadata(&one).unwrap().len());
    let head = world.log.head().await.unwrap().position;
    assert_eq!(first.events, head.unsigned_abs());
    let mut types = BTreeMap::<String, u64>::new();
    for (line, position) in lines(&one).iter().zip(1..) {
        assert_eq!(line["position"], position);
        *types.entry(line["event_type"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(first.types, types);
    let written = fs::read_to_string(&one).unwrap();
    assert!(written.contains("\"password_hash\":\"[redacted]\"") && !written.contains("\"!\""));

    let sheet = folder.path().join("1.csv");
    let third = replay(&world, &everything(Format::Csv), &sheet).await;
    assert_eq!((third.digest, third.events), (first.digest, first.events));
    let written = fs::read_to_string(&sheet).unwrap();
    assert_eq!(written.lines().count() as u64, 1 + third.events);
    let there: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(there.len(), 3, "a finished replay leaves nothing beside it");
}

#[tokio::test]
async fn filters_leave_what_sql_says() {
    let (world, ada, account) = world(2_000).await;
    let folder = tempfile::tempdir().unwrap();
    let middle: (chrono::DateTime<chrono::Utc>, Uuid) = sqlx::query_as(
        "SELECT recorded_at, correlation_id FROM journal.events WHERE position = 900",
    )
    .fetch_one(&world.projector)
    .await
    .unwrap();
    let (at, correlation) = middle;
    let all = Filter::default;
    let some = |text: &str| Some(vec![text.to_owned()]);
    let cases = [
        (
            Filter { types: some("banking.account.opened"), ..all() },
            "event_type = 'banking.account.opened'".to_owned(),
        ),
        (
            Filter { kinds: some("identity.user"), ..all() },
            "event_type LIKE 'identity.user.%'".to_owned(),
        ),
        (Filter { contexts: some("banking"), ..all() }, "event_type LIKE 'banking.%'".to_owned()),
        (
            Filter { streams: Some(vec![account, ada]), ..all() },
            format!("stream_id IN ('{account}', '{ada}')"),
        ),
        (Filter { actor: Some(ada), ..all() }, format!("actor_id = '{ada}'")),
        (Filter { actor: Some(SYSTEM_USER), ..all() }, format!("actor_id = '{SYSTEM_USER}'")),
        (Filter { tenant: Some(ada), ..all() }, format!("tenant_id = '{ada}'")),
        (
            Filter { correlation: Some(correlation), ..all() },
            format!("correlation_id = '{correlation}'"),
        ),
        (Filter { from: Some(at), ..all() }, format!("recorded_at >= '{at}'")),
        (Filter { to: Some(at), ..all() }, format!("recorded_at <= '{at}'")),
        (Filter { from: Some(at), to: Some(at), ..all() }, "position = 900".to_owned()),
        (Filter { up_to_position: Some(77), ..all() }, "position <= 77".to_owned()),
        (Filter { up_to_position: Some(50), ..all() }, "position <= 50".to_owned()),
    ];
    for (number, (filter, condition)) in cases.into_iter().enumerate() {
        for after in [0, 50] {
            let path = folder.path().join(format!("{number}-{after}.ndjson"));
            let order =
                Order { filter: filter.clone(), after, format: Format::Ndjson, speed: None };
            let summary = replay(&world, &order, &path).await;
            let found: Vec<i64> =
                lines(&path).iter().map(|line| line["position"].as_i64().unwrap()).collect();
            let wanted = positions(&world, &format!("({condition}) AND position > {after}")).await;
            assert_eq!(found, wanted, "{condition} after {after}");
            assert_eq!(summary.events, found.len() as u64);
        }
    }
}

/// Runs for a while at this speed, so slow that it cannot have ended, and lets go.
async fn break_off(world: &World, order: &Order, path: &Path, speed: f64) {
    let slowly = Order { speed: Some(speed), ..order.clone() };
    let replay = Replay::plan(&world.log, slowly, to(path)).await.unwrap();
    let run = replay.run(&world.log, &|_| ());
    let ended = tokio::time::timeout(Duration::from_millis(700), run).await;
    assert!(ended.is_err(), "it ended: {ended:?}");
    // The writer ends by itself: the state is the last that it writes.
    tokio::time::sleep(Duration::from_millis(500)).await;
}

#[tokio::test]
async fn a_replay_broken_off_again_and_again_ends_with_the_same_bytes() {
    let (world, ..) = world(20_000).await;
    let folder = tempfile::tempdir().unwrap();
    for (format, filter) in [
        (Format::Ndjson, Filter::default()),
        (Format::Csv, Filter::default()),
        (
            Format::Ndjson,
            Filter { contexts: Some(vec!["banking".to_owned()]), ..Filter::default() },
        ),
    ] {
        let order = Order { filter, ..everything(format) };
        let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
        let wanted = replay(&world, &order, &whole).await;
        for run in 0..3 {
            break_off(&world, &order, &parts, 0.1).await;
            // What the log takes meanwhile is of no replay that began before.
            world.user(&format!("u{run}{}", Uuid::now_v7()), None).await;
        }
        let summary = replay(&world, &order, &parts).await;
        assert!(summary.resumed_with > 0);
        assert_eq!(summary.digest, wanted.digest);
        assert!(fs::read(&parts).unwrap() == fs::read(&whole).unwrap(), "{format:?} differs");
        fs::remove_file(whole).unwrap();
        fs::remove_file(parts).unwrap();
    }
}

/// A reader who goes away in the middle leaves nothing of it to the next one who uses the connection.
#[tokio::test]
async fn a_reading_that_is_dropped_spoils_no_connection() {
    let (world, ..) = world(10_000).await;
    let head = world.log.head().await.unwrap();
    for _ in 0..20 {
        let mut pieces = world.log.history(0, head.position, &Filter::default());
        let first = futures::StreamExt::next(&mut pieces).await.unwrap().unwrap();
        assert_eq!(first.events[0].position, 1);
        drop(pieces);
        assert_eq!(world.log.head().await.unwrap(), head);
        assert_eq!(positions(&world, "position = 7").await, [7]);
    }
}

#[tokio::test]
async fn a_killed_replay_goes_on() {
    let (world, ..) = world(20_000).await;
    let folder = tempfile::tempdir().unwrap();
    let url = world.database.service_url();
    let path = folder.path().join("history.ndjson");
    let arguments = ["replay", "history.ndjson", "--database-url", &url];
    // Slowly, so that it is killed in the middle.
    let slowly = [&arguments[..], &["--speed", "0.01"]].concat();
    let mut process =
        Daybook::start(&mut Daybook::command(folder.path(), &slowly), folder.path(), "replay");
    let begun = Instant::now();
    let state = folder.path().join("history.ndjson.replay");
    while reached(&state).is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", process.printed());
        std::thread::sleep(Duration::from_millis(20));
    }
    process.signal(Signal::SIGKILL);
    process.wait(Duration::from_secs(10));
    let finished = Daybook::run(&mut Daybook::command(folder.path(), &arguments));
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(finished.stderr.contains("going on after position"), "{}", finished.stderr);
    let whole = folder.path().join("whole.ndjson");
    let wanted = replay(&world, &everything(Format::Ndjson), &whole).await;
    assert!(finished.stdout.contains(&wanted.digest), "{}", finished.stdout);
    assert!(fs::read(path).unwrap() == fs::read(whole).unwrap());

    let piped = ["replay", "-", "--database-url", &url, "--types", "banking.account.opened"];
    let finished = Daybook::run(&mut Daybook::command(folder.path(), &piped));
    assert_eq!((finished.code, finished.stdout.lines().count()), (Some(0), 2));
    assert!(finished.stderr.contains(&sha256(finished.stdout.as_bytes())), "{}", finished.stderr);
}

#[tokio::test]
async fn what_is_there_is_kept_unless_it_is_to_go() {
    let (world, ..) = world(1_000).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.ndjson");
    let order = everything(Format::Ndjson);
    fs::write(&path, "somebody's\n").unwrap();
    let refused = Replay::plan(&world.log, order.clone(), to(&path)).await.err().unwrap();
    assert!(matches!(refused, ReplayError::InTheWay(_)), "{refused}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "somebody's\n");
    let anew = Destination::Path { path: path.clone(), anew: true };
    let planned = Replay::plan(&world.log, order.clone(), anew).await.unwrap();
    planned.run(&world.log, &|_| ()).await.unwrap();

    // Two at once would leave neither.
    let path = folder.path().join("z.ndjson");
    let first = Replay::plan(&world.log, order.clone(), to(&path)).await.unwrap();
    for anew in [false, true] {
        let second = Destination::Path { path: path.clone(), anew };
        let refused = Replay::plan(&world.log, order.clone(), second).await.err().unwrap();
        assert!(refused.to_string().contains("right now"), "{refused}");
    }
    drop(first);
    replay(&world, &order, &path).await;
    let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(
        left.collect::<std::collections::BTreeSet<_>>(),
        ["x.ndjson", "z.ndjson"].map(Into::into).into()
    );
    let nowhere = folder.path().join("nowhere/x.ndjson");
    let refused = Replay::plan(&world.log, order.clone(), to(&nowhere)).await.err().unwrap();
    assert!(refused.to_string().contains("make the folder first"), "{refused}");

    // One that was broken off is not gone on with by another order.
    let path = folder.path().join("y.ndjson");
    break_off(&world, &order, &path, 0.001).await;
    let other = Order { after: 1, ..order.clone() };
    let refused = Replay::plan(&world.log, other, to(&path)).await.err().unwrap();
    assert!(refused.to_string().contains("of something else"), "{refused}");
    // Nor with a file that lost what was written, nor over another life of the log.
    let state = fs::read_to_string(folder.path().join("y.ndjson.replay")).unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    if let Some(bytes) = state["bytes"].as_u64() {
        assert!(bytes > 0, "nothing was kept that could be changed");
        let mut there = fs::read(&path).unwrap();
        there[usize::try_from(bytes / 2).unwrap()] ^= 1;
        fs::write(&path, there).unwrap();
        let planned = Replay::plan(&world.log, order.clone(), to(&path)).await.unwrap();
        let refused = planned.run(&world.log, &|_| ()).await.err().unwrap();
        assert!(refused.to_string().contains("was changed"), "{refused}");
        fs::write(&path, "").unwrap();
        let planned = Replay::plan(&world.log, order.clone(), to(&path)).await.unwrap();
        let refused = planned.run(&world.log, &|_| ()).await.err().unwrap();
        assert!(refused.to_string().contains("had"), "{refused}");
    }
    sqlx::query("UPDATE journal.log SET epoch = epoch + 1")
        .execute(&mut world.database.superuser().await)
        .await
        .unwrap();
    let refused = Replay::plan(&world.log, order, to(&path)).await.err().unwrap();
    assert!(refused.to_string().contains("epoch"), "{refused}");
}

#[tokio::test]
async fn a_stretch_of_the_log_that_is_none_is_refused() {
    let (world, ..) = world(0).await;
    let folder = tempfile::tempdir().unwrap();
    let head = world.log.head().await.unwrap();
    let after = head.recorded_at.unwrap();
    let before = after - TimeDelta::seconds(1);
    let up_to = |last| Filter { up_to_position: Some(last), ..Filter::default() };
    let backwards = Filter { from: Some(after), to: Some(before), ..Filter::default() };
    let head = head.position;
    for (after, filter, says) in [
        (0, up_to(head + 1), format!("the log's last position is {head}")),
        (head + 1, Filter::default(), format!("the log's last position is {head}")),
        (head - 1, up_to(head - 2), format!("{head}, is after the last one")),
        (0, backwards, "the first instant".to_owned()),
    ] {
        let order = Order { after, filter, ..everything(Format::Ndjson) };
        let path = folder.path().join("none.ndjson");
        let refused = Replay::plan(&world.log, order, to(&path)).await.err().unwrap().to_string();
        assert!(refused.contains(&says), "{refused}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is made");
    // What came since the last one: nothing, yet.
    let order = Order { after: head, ..everything(Format::Ndjson) };
    assert_eq!(replay(&world, &order, &folder.path().join("since.ndjson")).await.events, 0);
}

#[tokio::test]
async fn history_takes_as_long_as_it_took_divided_by_the_speed() {
    let world = World::new().await;
    for name in ["ada", "bob", "eve"] {
        tokio::time::sleep(Duration::from_millis(400)).await;
        world.user(name, None).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let took = async |speed: Option<f64>| {
        let path = folder.path().join(format!("{speed:?}.ndjson"));
        let begun = Instant::now();
        let order = Order { speed, ..everything(Format::Ndjson) };
        assert_eq!(replay(&world, &order, &path).await.events, 4);
        begun.elapsed()
    };
    // Slowly: what one replay waits is more than another may be held up on a busy machine.
    let (slowly, at_once) = (took(Some(0.5)).await, took(None).await);
    assert!(slowly > Duration::from_millis(2_200), "{slowly:?}");
    assert!(slowly < Duration::from_secs(60), "{slowly:?}");
    assert!(at_once < slowly, "{at_once:?} and {slowly:?}");
}
