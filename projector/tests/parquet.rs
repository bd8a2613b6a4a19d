//! Parquet: what others read in the files is what the tables say.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod support;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use daybook_projector::replay::{Destination, Format, Order, Replay, Summary};
use daybook_store::{Appender, AppenderOptions, Filter};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use support::World;
use uuid::Uuid;

/// Users, two accounts, and so many deposits and withdrawals.
async fn world(entries: i64) -> World {
    let world = World::new().await;
    let ada = world.user("ada", None).await;
    for (number, amount) in [("A", 125_i64), ("B", 1)] {
        let account = world.account(ada, number, None).await;
        let mut balance = 0;
        let events = (0..entries).map(|n| {
            let (name, sort, by) = match n % 3 {
                2 => ("banking.account.withdrawn", "withdrawal", -amount),
                _ => ("banking.account.deposited", "deposit", 2 * amount),
            };
            balance += by;
            support::entry(name, sort, "completed", (Uuid::now_v7(), by.abs(), balance))
        });
        let events: Vec<_> = events.collect();
        for (at, part) in (1..).step_by(500).zip(events.chunks(500)) {
            world.write(account, "banking.account", at, part.to_vec()).await;
        }
    }
    world
}

async fn replay(world: &World, format: Format, path: &Path) -> Summary {
    let order = Order { filter: Filter::default(), after: 0, format, speed: None };
    let to = Destination::Path { path: path.to_owned(), anew: false };
    Replay::plan(&world.log, order, to).await.unwrap().run(&world.log, &|_| ()).await.unwrap()
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let within = files(&path);
            let name = PathBuf::from(path.file_name().unwrap());
            found.extend(within.into_iter().map(|(file, bytes)| (name.join(file), bytes)));
        } else {
            found.insert(path.file_name().unwrap().into(), fs::read(&path).unwrap());
        }
    }
    found
}

fn rows(path: &Path) -> Vec<BTreeMap<String, Field>> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| {
        let row = row.unwrap();
        row.get_column_iter().map(|(name, field)| (name.clone(), field.clone())).collect()
    })
    .collect()
}

/// What SQL says of each account: its entries, their sum, and its balance.
async fn accounts(world: &World) -> BTreeMap<String, (i64, String)> {
    let found: Vec<(String, i64, String, String)> = sqlx::query_as(
        "SELECT a.id::text, count(*), sum(CASE t.direction WHEN 'credit' THEN t.amount ELSE -t.amount END)::text,
                a.balance::text
         FROM public.accounts a JOIN public.transactions t ON t.account_id = a.id GROUP BY a.id",
    )
    .fetch_all(&world.reader)
    .await
    .unwrap();
    let each = found.into_iter().map(|(id, count, sum, balance)| {
        assert_eq!(sum, balance, "the tables themselves add up");
        (id, (count, sum))
    });
    each.collect()
}

#[tokio::test]
async fn typed_files_have_every_event_with_its_own_types() {
    let world = world(900).await;
    let folder = tempfile::tempdir().unwrap();
    let (one, typed) = (folder.path().join("all.parquet"), folder.path().join("typed"));
    let all = replay(&world, Format::Parquet, &one).await;
    let by_type = replay(&world, Format::ParquetByType, &typed).await;
    assert_eq!((&all.digest, all.events), (&by_type.digest, by_type.events));
    let events = rows(&one);
    assert_eq!(events.len() as u64, all.events);
    for (row, position) in events.iter().zip(1..) {
        assert_eq!(row["position"], Field::Long(position));
        let Field::Str(data) = &row["data"] else { panic!("{:?}", row["data"]) };
        serde_json::from_str::<Value>(data).unwrap();
    }
    let registered = rows(&typed.join("identity.user.registered.parquet"));
    assert_eq!(registered[0]["password_hash"], Field::Str("[redacted]".to_owned()));
    let deposited = rows(&typed.join("banking.account.deposited.parquet"));
    let counted = by_type.types["banking.account.deposited"];
    assert_eq!(deposited.len() as u64, counted);
    for row in &deposited {
        assert!(matches!(row["amount"], Field::Decimal(_)), "{:?}", row["amount"]);
        assert!(matches!(row["recorded_at"], Field::TimestampMicros(_)));
        assert!(matches!(row["transaction_id"], Field::Bytes(_)), "{:?}", row["transaction_id"]);
        let quotes = Field::Str("with \"quotes\" and \\".to_owned());
        assert_eq!((&row["description"], &row["other"]), (&quotes, &Field::Null));
    }
    let again = folder.path().join("again");
    replay(&world, Format::ParquetByType, &again).await;
    assert!(files(&again) == files(&typed), "two replays differ");
}

/// The log's clock, some days ahead, and an appender that agrees.
async fn ahead(world: &mut World, days: i64) {
    let statement = format!(
        "SET ROLE daybook_migrator; CREATE OR REPLACE FUNCTION journal.clock() RETURNS timestamptz
         LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
         AS $$ SELECT clock_timestamp() + interval '{days} days' $$"
    );
    let mut superuser = world.database.superuser().await;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut superuser).await.unwrap();
    let clock = Arc::new(move || Utc::now() + TimeDelta::days(days));
    (world.appender, _) = Appender::start(world.writer.clone(), AppenderOptions::new(clock));
}

#[tokio::test]
async fn a_replay_by_month_that_was_broken_off_keeps_whole_months() {
    let mut world = world(600).await;
    for days in [35, 70] {
        ahead(&mut world, days).await;
        let ada = world.user(&format!("of day {days}"), None).await;
        let account = world.account(ada, &format!("N{days}"), None).await;
        let events = (0..2_000).map(|n| support::deposited(100, n * 100)).collect();
        world.write(account, "banking.account", 1, events).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let wanted = replay(&world, Format::ParquetByMonth, &whole).await;
    let months = fs::read_dir(whole.join("banking.account.deposited")).unwrap().count();
    assert_eq!(months, 3);
    let order = |speed| Order {
        filter: Filter::default(),
        after: 0,
        format: Format::ParquetByMonth,
        speed,
    };
    let plan = async |speed| {
        let to = Destination::Path { path: parts.clone(), anew: false };
        Replay::plan(&world.log, order(speed), to).await.unwrap()
    };
    // So fast that one month passes within the second, but not two; then so slow that none does.
    for speed in [2.5e6, 1_000.0] {
        let replay = plan(Some(speed)).await;
        let run = replay.run(&world.log, &|_| ());
        let ended = tokio::time::timeout(Duration::from_secs(2), run).await;
        assert!(ended.is_err(), "it ended: {ended:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let replay = plan(None).await;
    let resumed = replay.resumes_after().unwrap_or(0);
    let summary = replay.run(&world.log, &|_| ()).await.unwrap();
    assert!(resumed > 0, "no run went on from a month's end");
    assert_eq!((&summary.digest, summary.events), (&wanted.digest, wanted.events));
    assert!(files(&parts) == files(&whole), "the bytes differ");
}

#[tokio::test]
async fn what_duckdb_makes_of_the_files_is_what_sql_says_of_the_tables() {
    let Some(python) = daybook_tests::python_with_duckdb() else { return };
    let world = world(900).await;
    let worker = world.worker();
    world.caught_up().await;
    let wanted = accounts(&world).await;
    assert_eq!(wanted.len(), 2);
    let folder = tempfile::tempdir().unwrap();
    for format in [Format::ParquetByType, Format::ParquetByMonth] {
        let path = folder.path().join(format!("{format:?}"));
        replay(&world, format, &path).await;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/parquet-balances");
        let output = Command::new(&python).arg(script).arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let types = lines.next().unwrap();
        for (column, kind) in [
            ("stream_id", "UUID"),
            ("transaction_id", "UUID"),
            ("recorded_at", "TIMESTAMP WITH TIME ZONE"),
            ("amount", "DECIMAL(18,2)"),
            ("position", "BIGINT"),
        ] {
            assert_eq!(types[column], kind, "{column}");
        }
        let found: BTreeMap<String, (i64, String)> = lines
            .map(|row| {
                let text = |name: &str| row[name].as_str().unwrap().to_owned();
                (text("account"), (row["entries"].as_i64().unwrap(), text("balance")))
            })
            .collect();
        assert_eq!(found, wanted, "{format:?}");
    }
    worker.stop().await;
}
