//! What a slice of history makes, in a schema of its own: the rows that the live tables have of it, also
//! when it was broken off; and nothing at all where it leaves out what it rests on.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use daybook_projector::as_of::{self};
use daybook_projector::replay::{Destination, Format, Order, Replay, ReplayError, Summary};
use daybook_store::Filter;
use daybook_tests::Daybook;
use nix::sys::signal::Signal;
use support::{World, reached, rows};

async fn replay(
    world: &World,
    (schema, folder): (&str, &Path),
    filter: Filter,
) -> Result<Summary, ReplayError> {
    let order = Order { filter, after: 0, format: Format::Tables, speed: None };
    let destination = Destination::Schema {
        migrators: world.migrators().await,
        order: Box::new(as_of::Order {
            schema: schema.to_owned(),
            position: 0,
            instant: None,
            lasts: Some(Duration::from_secs(3600)),
            quota: 10,
            build: "this".to_owned(),
            from_earlier: false,
        }),
        anew: false,
        path: folder.join(schema),
    };
    Replay::plan(&world.log, order, destination).await?.run(&world.log, &|_| ()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slice_makes_the_rows_that_the_live_tables_have_of_it() {
    let world = World::new().await;
    let worker = world.worker();
    let here = tempfile::tempdir().unwrap();
    let mut administrator = world.database.superuser().await;
    let (ada, bob) = (world.user("ada", None).await, world.user("bob", None).await);
    let first = world.account(ada, "A", None).await;
    let second = world.account(bob, "B", None).await;
    world.deposits(first, 1, 1_500).await;
    world.deposits(second, 1, 700).await;
    world.caught_up().await;
    let live = rows("public", &mut administrator).await;

    // All of history makes all of the tables.
    let all = replay(&world, ("all_of_it", here.path()), Filter::default()).await.unwrap();
    assert_eq!(all.events, world.log.head().await.unwrap().position.unsigned_abs());
    assert_eq!(rows("all_of_it", &mut administrator).await, live);
    // One stream makes its own rows, also where they refer to what is left out.
    let one = Filter { streams: Some(vec![first]), ..Filter::default() };
    let one = replay(&world, ("one", here.path()), one).await.unwrap();
    assert_eq!(one.events, 1_501);
    let mut there = rows("one", &mut administrator).await;
    there.retain(|_, rows| !rows.is_empty());
    let tables: Vec<&str> = there.keys().map(String::as_str).collect();
    assert_eq!(tables, ["accounts", "audit_logs", "transactions"]);
    for (table, rows) in &there {
        let of_it: Vec<&String> =
            live[table].iter().filter(|row| row.contains(&first.to_string())).collect();
        assert_eq!(rows.iter().collect::<Vec<_>>(), of_it, "{table}");
    }

    // It is listed as what it is; auditors read it, nobody writes it, and nothing is made from it.
    let states = as_of::states(&world.projector).await.unwrap();
    assert!(states.iter().all(|state| state.complete && state.slice.is_some()), "{states:#?}");
    sqlx::raw_sql("SET ROLE daybook_auditor").execute(&mut administrator).await.unwrap();
    let deposits: i64 = sqlx::query_scalar("SELECT count(*) FROM one.transactions")
        .fetch_one(&mut administrator)
        .await
        .unwrap();
    assert_eq!(deposits, 1_500);
    for refused in ["SELECT password_hash FROM all_of_it.users", "DELETE FROM one.transactions"] {
        let told = sqlx::query(refused).execute(&mut administrator).await.unwrap_err();
        assert_eq!(told.as_database_error().unwrap().code().as_deref(), Some("42501"), "{refused}");
    }
    let migrators = world.migrators().await;
    let state = as_of::Order {
        schema: "state".to_owned(),
        position: world.log.head().await.unwrap().position,
        instant: None,
        lasts: None,
        quota: 0,
        build: "this".to_owned(),
        from_earlier: true,
    };
    let state = as_of::build(&migrators, &world.log, &state, &|_| ()).await.unwrap();
    assert_eq!(state.made_from, None);
    let digests = |state: &as_of::State| state.digests.clone().unwrap()["transactions"].clone();
    assert_eq!(digests(&state), digests(&states[0]), "{}", states[0].schema_name);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slice_that_leaves_out_what_it_rests_on_leaves_nothing() {
    let world = World::new().await;
    let worker = world.worker();
    let here = tempfile::tempdir().unwrap();
    let ada = world.user("ada", None).await;
    let account = world.account(ada, "A", None).await;
    world.deposits(account, 1, 10).await;
    world.caught_up().await;
    let deposits = Some(vec!["banking.account.deposited".to_owned()]);
    let cut = Filter { types: deposits, ..Filter::default() };
    let refused = replay(&world, ("cut", here.path()), cut).await.unwrap_err();
    assert!(matches!(refused, ReplayError::Cut { .. }), "{refused}");
    assert!(refused.to_string().contains("Take whole streams"), "{refused}");
    assert!(as_of::states(&world.projector).await.unwrap().is_empty());
    let there: bool = sqlx::query_scalar("SELECT to_regnamespace('cut') IS NOT NULL")
        .fetch_one(&world.projector)
        .await
        .unwrap();
    assert!(!there);
    assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_one_goes_on() {
    let world = World::new().await;
    let worker = world.worker();
    let here = tempfile::tempdir().unwrap();
    let ada = world.user("ada", None).await;
    let account = world.account(ada, "A", None).await;
    for n in 0..6 {
        world.deposits(account, 1 + n * 500, 500).await;
    }
    world.caught_up().await;
    let url = world.database.service_url();
    let migrate = format!("migrate_url={}", world.database.admin_url());
    let arguments =
        ["replay", "--schema", "slowly", "--database-url", &url, "--set", &migrate, "--keep"];
    let slowly = [&arguments[..], &["--speed", "0.2"]].concat();
    let mut process =
        Daybook::start(&mut Daybook::command(here.path(), &slowly), here.path(), "replay");
    let begun = Instant::now();
    let state = here.path().join("slowly.replay");
    while reached(&state).is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", process.printed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What is posted by now is more than what was written down.
    tokio::time::sleep(Duration::from_millis(300)).await;
    process.signal(Signal::SIGKILL);
    process.wait(Duration::from_secs(10));
    let account = account.to_string();
    let other = [&arguments[..], &["--streams", &account]].concat();
    let refused = Daybook::run(&mut Daybook::command(here.path(), &other));
    assert!(refused.code == Some(2) && refused.stderr.contains("something else"), "{refused:?}");
    let finished = Daybook::run(&mut Daybook::command(here.path(), &arguments));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stderr.contains("going on after position"), "{finished:?}");
    let mut administrator = world.database.superuser().await;
    let live = rows("public", &mut administrator).await;
    assert!(rows("slowly", &mut administrator).await == live);
    let again = Daybook::run(&mut Daybook::command(here.path(), &arguments));
    assert!(again.code == Some(1) && again.stderr.contains("already"), "{again:?}");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slice_whose_rows_break_a_rule_leaves_nothing_and_nobody_drops_what_is_made() {
    let world = World::new().await;
    let worker = world.worker();
    let here = tempfile::tempdir().unwrap();
    let ada = world.user("ada", None).await;
    let account = world.account(ada, "A", None).await;
    world.deposits(account, 1, 10).await;
    world.caught_up().await;
    // A rule of the live tables that this history does not keep, since it was made after it.
    sqlx::raw_sql(
        "ALTER TABLE public.transactions ADD CONSTRAINT small CHECK (amount < 0) NOT VALID",
    )
    .execute(&mut world.database.superuser().await)
    .await
    .unwrap();
    let refused = replay(&world, ("ruled", here.path()), Filter::default()).await.unwrap_err();
    assert!(matches!(refused, ReplayError::Cut { .. }), "{refused}");
    assert!(refused.to_string().contains("small"), "{refused}");
    assert!(as_of::states(&world.projector).await.unwrap().is_empty());
    assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0);

    // Its name is somebody's as long as it is made.
    let one = Filter { streams: Some(vec![ada]), ..Filter::default() };
    let _ = replay(&world, ("taken", here.path()), one).await.unwrap();
    let mut maker = world.migrators().await.acquire().await.unwrap().detach();
    sqlx::raw_sql("SELECT pg_advisory_lock(hashtextextended('daybook.as_of.taken', 0))")
        .execute(&mut maker)
        .await
        .unwrap();
    let migrators = world.migrators().await;
    let busy = as_of::drop("taken", &mut migrators.acquire().await.unwrap()).await.unwrap_err();
    assert!(matches!(busy, as_of::AsOfError::Busy), "{busy}");
    sqlx::raw_sql("UPDATE projector.as_of SET expires_at = now() - interval '1 second'")
        .execute(&mut world.database.superuser().await)
        .await
        .unwrap();
    let dropped = "SELECT count(*) FROM projector.drop_past_states()";
    let mut administrator = world.database.superuser().await;
    let left: i64 = sqlx::query_scalar(dropped).fetch_one(&mut administrator).await.unwrap();
    assert_eq!(left, 0);
    drop(maker);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let gone: i64 = sqlx::query_scalar(dropped).fetch_one(&mut administrator).await.unwrap();
    assert_eq!(gone, 1);
    worker.stop().await;
}
