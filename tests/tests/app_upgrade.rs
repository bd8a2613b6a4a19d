//! The schema on its way: every migration up, down and up again beneath a log with events in it, and
//! the schema of the first release, with what was in it, brought up to date.

use std::time::{Duration, Instant};

use daybook_app::database::{DatabaseError, migrate};
use daybook_projector::rebuild;
use daybook_tests::{Daybook, Service, TestDatabase, WithoutSchema, rows};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The last migration of the first release.
const FIRST_RELEASE: i64 = 8;

fn versions() -> Vec<i64> {
    migrate::MIGRATIONS
        .iter()
        .filter(|migration| migration.migration_type.is_up_migration())
        .map(|migration| migration.version)
        .collect()
}

/// Everything that migrations make, by definition: to compare.
async fn definitions(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(include_str!("app_upgrade/definitions.sql"))
        .fetch_all(connection)
        .await
        .expect("the catalogue")
}

async fn events(connection: &mut PgConnection) -> Vec<Value> {
    sqlx::query_scalar("SELECT to_jsonb(e) FROM journal.events e ORDER BY position")
        .fetch_all(connection)
        .await
        .expect("the log")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_migration_goes_down_and_up_again_beneath_a_log_that_stays() {
    let service = Service::start().await;
    let user = service.register("ada").await;
    let fields = json!({
        "user_id": user, "account_name": "Everyday", "account_type": "checking",
        "account_number": "DE-1", "currency": "EUR",
    });
    let account = service.command("/v1/banking/accounts", fields).await.accepted();
    let path = format!("/v1/banking/accounts/{}", account["stream_id"].as_str().expect("an id"));
    let amount = json!({ "amount": "12.34" });
    let paid = service.command(&format!("{path}/deposit"), amount).await.accepted();
    let read = service.read_after(&path, &paid["position"]).await.accepted();
    assert_eq!(read["balance"], "12.34");
    let database = service.stop();

    let mut superuser = database.superuser().await;
    let (log, whole) = (events(&mut superuser).await, definitions(&mut superuser).await);
    assert!(log.len() > 5 && whole.len() > 300, "{} and {}", log.len(), whole.len());
    let admin = database.admin();
    let all = versions();
    // Down one by one, each of them up again on the way.
    for pair in all.windows(2).rev().filter(|pair| pair[0] >= FIRST_RELEASE) {
        let &[below, version] = pair else { unreachable!("windows of two") };
        let with = definitions(&mut superuser).await;
        let steps =
            [migrate::down(&admin, below, false).await, migrate::up(&admin, Some(version)).await];
        for step in steps {
            assert_eq!(step.unwrap_or_else(|error| panic!("{version}: {error}")), [version]);
        }
        assert_eq!(definitions(&mut superuser).await, with, "{version} is not as it was");
        assert_eq!(migrate::down(&admin, below, false).await.expect("down"), [version]);
    }
    assert_eq!(events(&mut superuser).await, log, "the log stays");
    assert_eq!(migrate::up(&admin, None).await.expect("up").last(), all.last());
    assert_eq!(definitions(&mut superuser).await, whole, "the whole is not as it was");
    assert_eq!(events(&mut superuser).await, log, "the log stays");

    // What went with its tables comes back from the log; that the new tables have more is what is wanted.
    for (arguments, code) in
        [(&["rebuild"][..], 3), (&["rebuild", "--force"], 0), (&["rebuild", "--check"], 0)]
    {
        let here = tempfile::tempdir().expect("a folder");
        let (url, migrate) =
            (database.service_url(), format!("migrate_url={}", database.admin_url()));
        let known = ["--database-url", url.as_str(), "--set", migrate.as_str()];
        let run = Daybook::run(&mut Daybook::command(here.path(), &[&known, arguments].concat()));
        assert_eq!(run.code, Some(code), "{arguments:?}: {run:?}");
    }
    let balance: String = sqlx::query_scalar("SELECT balance::text FROM public.accounts")
        .fetch_one(&mut superuser)
        .await
        .expect("the account");
    assert_eq!(balance, "12.34");
}

#[tokio::test]
async fn the_first_releases_schema_is_brought_up_to_date_with_what_is_in_it() {
    let database = TestDatabase::empty(WithoutSchema).await;
    let admin = database.admin();
    let first: Vec<i64> = versions().into_iter().filter(|v| *v <= FIRST_RELEASE).collect();
    assert_eq!(migrate::up(&admin, Some(FIRST_RELEASE)).await.expect("up"), first);
    let mut superuser = database.superuser().await;
    rows::put_where_there(&mut superuser).await;
    sqlx::raw_sql(
        "INSERT INTO journal.drift (table_name, row_key, old_values, new_values)
         VALUES ('accounts', '{\"id\": 1}', '{\"balance\": 1}', '{\"balance\": 2}')",
    )
    .execute(&mut superuser)
    .await
    .expect("a change by hand");
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT oid::regclass::text FROM pg_class
         WHERE relkind IN ('r', 'p') AND NOT relispartition
           AND relnamespace IN ('public'::regnamespace, 'journal'::regnamespace)
           AND relname <> '_sqlx_migrations' ORDER BY 1",
    )
    .fetch_all(&mut superuser)
    .await
    .expect("the catalogue");
    assert!(tables.iter().any(|name| name == "transactions"), "{tables:?}");
    let mut before = Vec::new();
    for table in &tables {
        before.push(stored(table, &mut superuser).await);
    }
    migrate::up(&admin, None).await.expect("up to date");
    for (table, before) in tables.iter().zip(&before) {
        let after = stored(table, &mut superuser).await;
        assert_eq!(after.len(), before.len(), "{table}");
        for (after, before) in after.iter().zip(before) {
            for (column, value) in before.as_object().expect("a row") {
                assert_eq!(&after[column], value, "{table}.{column}");
            }
        }
    }
    // And it is the same schema as one that is made at once.
    let fresh = definitions(&mut TestDatabase::fresh().await.superuser().await).await;
    assert_eq!(definitions(&mut superuser).await, fresh);
}

/// Appends look at `journal.streams`: nobody may wait long behind a migration that waits for somebody's
/// report to end.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_finds_its_tables_in_use_lets_others_by() {
    const BY_VERSION: i64 = 151;
    const LONG: Duration = Duration::from_secs(60);
    const SOME: Duration = Duration::from_millis(500);
    let database = TestDatabase::empty(WithoutSchema).await;
    let admin = database.admin();
    migrate::up(&admin, Some(BY_VERSION - 1)).await.expect("up");
    let mut report = database.superuser().await;
    let read = "SELECT count(*) FROM journal.streams";
    sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {read}")))
        .execute(&mut report)
        .await
        .expect("a report");
    let short = migrate::up_within(&admin, Some(BY_VERSION), Duration::from_secs(1));
    let short = tokio::time::timeout(LONG, short).await.expect("it gives up");
    let Err(error @ DatabaseError::InUse { .. }) = short else { panic!("{short:?}") };
    assert!(error.to_string().contains("in use by postgres (process "), "{error}");

    let mut other = database.superuser().await;
    let others = async {
        let (begun, mut longest) = (Instant::now(), Duration::ZERO);
        // More than once, and until somebody has waited: the migration may take its time to begin.
        let enough = |longest: Duration| begun.elapsed() > Duration::from_secs(5) && longest > SOME;
        while !enough(longest) && begun.elapsed() < Duration::from_secs(30) {
            let asked = Instant::now();
            sqlx::raw_sql(read).execute(&mut other).await.expect("an answer");
            longest = longest.max(asked.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let ends = Instant::now();
        sqlx::raw_sql("COMMIT").execute(&mut report).await.expect("the report ends");
        (longest, ends)
    };
    let migrating = async { (migrate::up(&admin, Some(BY_VERSION)).await, Instant::now()) };
    let both = tokio::time::timeout(LONG, async { tokio::join!(others, migrating) }).await;
    let ((longest, report_ends), (migrated, migrated_at)) = both.expect("it ends");
    assert!(longest > SOME, "nobody waited: {longest:?}");
    // A migration waits for two seconds at a time.
    assert!(longest < Duration::from_secs(6), "{longest:?}");
    assert!(migrated_at > report_ends);
    assert_eq!(migrated.expect("up"), [BY_VERSION]);
}

/// A rebuild's tables would take the place of those that a migration changes.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_waits_for_a_rebuild_and_no_rebuild_begins_meanwhile() {
    const LAST: i64 = 151;
    const LONG: Duration = Duration::from_secs(60);
    let database = TestDatabase::empty(WithoutSchema).await;
    let admin = database.admin();
    migrate::up(&admin, Some(LAST - 1)).await.expect("up");
    let mut rebuilding = database.superuser().await;
    assert!(rebuild::alone(&mut rebuilding).await.expect("an answer"));
    let short = migrate::up_within(&admin, Some(LAST), Duration::from_secs(1)).await;
    let Err(error @ DatabaseError::Rebuilding) = short else { panic!("{short:?}") };
    assert!(error.to_string().contains("rebuild --status"), "{error}");
    // Where there is nothing to do, nothing is waited for.
    let nothing = migrate::up_within(&admin, Some(LAST - 1), Duration::ZERO).await;
    assert!(nothing.expect("up").is_empty());

    let migrating = async { (migrate::up(&admin, Some(LAST)).await, Instant::now()) };
    let ending = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let ends = Instant::now();
        rebuilding.close().await.expect("its end");
        ends
    };
    let both = tokio::time::timeout(LONG, async { tokio::join!(migrating, ending) }).await;
    let ((migrated, migrated_at), ends) = both.expect("it ends");
    assert_eq!(migrated.expect("up"), [LAST]);
    assert!(migrated_at > ends);

    // A report keeps the migration from its table, and the migration the rebuild.
    migrate::down(&admin, LAST - 1, false).await.expect("down");
    let mut report = database.superuser().await;
    let read = "BEGIN; SELECT count(*) FROM journal.streams";
    sqlx::raw_sql(read).execute(&mut report).await.expect("a report");
    let mut looking = database.superuser().await;
    let begun = Instant::now();
    let others = async {
        while rebuild::alone(&mut looking).await.expect("an answer") {
            assert!(begun.elapsed() < LONG, "a rebuild would begin");
            let again = "SELECT pg_advisory_unlock_all()";
            sqlx::raw_sql(again).execute(&mut looking).await.expect("let go");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        sqlx::raw_sql("COMMIT").execute(&mut report).await.expect("the report ends");
    };
    let migrating = migrate::up(&admin, Some(LAST));
    let both = tokio::time::timeout(LONG * 2, async { tokio::join!(migrating, others) }).await;
    let (migrated, ()) = both.expect("it ends");
    assert_eq!(migrated.expect("up"), [LAST]);
    while !rebuild::alone(&mut looking).await.expect("an answer") {
        assert!(begun.elapsed() < LONG * 3, "it is not let go");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn stored(table: &str, connection: &mut PgConnection) -> Vec<Value> {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT to_jsonb(t) FROM {table} t ORDER BY t::text")))
        .fetch_all(connection)
        .await
        .expect("rows")
}
