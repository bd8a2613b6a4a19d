//! Roles, pools and migrations on a real server.

use daybook_app::database::{self, DatabaseError, PoolSizes, Pools, Role, migrate};
use daybook_tests::{Daybook, TestDatabase, WithoutSchema};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

async fn roles(connection: &mut PgConnection) -> Vec<(String, bool, bool, bool, bool)> {
    sqlx::query_as(
        "SELECT rolname::text, rolcanlogin, rolinherit, rolsuper, rolbypassrls FROM pg_roles
         WHERE rolname LIKE 'daybook%' OR rolname = 'application_role' ORDER BY rolname",
    )
    .fetch_all(connection)
    .await
    .expect("the roles")
}

#[tokio::test]
async fn bootstrap_can_be_repeated_and_run_at_once_in_several_databases() {
    let one = TestDatabase::empty(WithoutSchema).await;
    let two = TestDatabase::empty(WithoutSchema).await;
    let mut runs = tokio::task::JoinSet::new();
    for options in [one.admin(), one.admin(), one.admin(), two.admin(), two.admin(), two.admin()] {
        runs.spawn(async move {
            let mut connection = options.connect().await.unwrap();
            database::bootstrap(&mut connection).await.unwrap();
            database::bootstrap(&mut connection).await.unwrap();
        });
    }
    while let Some(run) = runs.join_next().await {
        run.unwrap();
    }
    let found = roles(&mut one.superuser().await).await;
    assert_eq!(found.len(), 9, "{found:?}");
    for (name, logs_in, inherits, superuser, bypasses) in found {
        assert_eq!(logs_in, name == "daybook_service", "{name}");
        assert_eq!(inherits, name != "daybook_service", "{name}");
        assert!(!superuser && !bypasses, "{name}");
    }
}

#[tokio::test]
async fn an_owner_with_createrole_needs_no_superuser() {
    let database = TestDatabase::empty(WithoutSchema).await;
    let mut superuser = database.superuser().await;
    sqlx::raw_sql("CREATE ROLE owner_for_test LOGIN CREATEROLE PASSWORD 'only-for-tests'")
        .execute(&mut superuser)
        .await
        .unwrap();
    let name = &database.name;
    for statement in [
        format!("ALTER DATABASE {name} OWNER TO owner_for_test"),
        // Roles are the server's, and other tests made them as the superuser.
        "GRANT daybook_migrator, daybook_log_owner TO owner_for_test WITH ADMIN OPTION".to_owned(),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut superuser).await.unwrap();
    }
    let owner = database.admin().username("owner_for_test");
    let mut connection = owner.connect().await.unwrap();
    assert!(database::may_bootstrap(&mut connection).await.unwrap());
    connection.close().await.unwrap();
    migrate::up(&owner, None).await.unwrap();
    let pools = database.pools().await;
    pools.close().await;
}

#[tokio::test]
async fn each_pool_works_in_its_role_and_only_the_reader_is_read_only() {
    let database = TestDatabase::fresh().await;
    let pools = database.pools().await;
    for role in Role::ALL {
        let (session, current, read_only): (String, String, String) = sqlx::query_as(
            "SELECT session_user::text, current_user::text, current_setting('transaction_read_only')",
        )
        .fetch_one(pools.of(role))
        .await
        .unwrap();
        assert_eq!((session.as_str(), current.as_str()), ("daybook_service", role.name()));
        assert_eq!(read_only == "on", role == Role::Reader, "{role:?}");
    }
    let create = sqlx::query("CREATE TABLE public.mine (id int)").execute(&pools.writer).await;
    assert!(create.is_err(), "the writer may not make tables");
}

#[tokio::test]
async fn a_superuser_or_an_owner_is_refused() {
    let database = TestDatabase::fresh().await;
    let refused = Pools::connect(&database.admin(), PoolSizes::default()).await;
    assert!(matches!(refused, Err(DatabaseError::Privileged(who)) if who.contains("superuser")));

    let mut superuser = database.superuser().await;
    for statement in [
        "CREATE ROLE bypassing_for_test LOGIN BYPASSRLS PASSWORD 'only-for-tests'",
        "CREATE ROLE owning_for_test LOGIN PASSWORD 'only-for-tests'",
        "CREATE TABLE public.owned_for_test (id int)",
        "ALTER TABLE public.owned_for_test OWNER TO owning_for_test",
    ] {
        sqlx::raw_sql(statement).execute(&mut superuser).await.unwrap();
    }
    for (user, reason) in
        [("bypassing_for_test", "BYPASSRLS"), ("owning_for_test", "public.owned_for_test")]
    {
        let options = database.admin().username(user);
        match Pools::connect(&options, PoolSizes::default()).await {
            Err(DatabaseError::Privileged(who)) => assert!(who.contains(reason), "{who}"),
            other => panic!("{user}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn migrations_go_up_down_and_up_again() {
    let database = TestDatabase::empty(WithoutSchema).await;
    let admin = database.admin();
    let known: Vec<i64> = migrate::MIGRATIONS
        .iter()
        .filter(|migration| migration.migration_type.is_up_migration())
        .map(|migration| migration.version)
        .collect();
    assert!(!known.is_empty());
    let up = migrate::up(&admin, None).await.unwrap();
    assert_eq!(up, known);
    let first = catalogue(&mut database.superuser().await).await;
    let mut down = migrate::down(&admin, 0, false).await.unwrap();
    down.reverse();
    assert_eq!(down, known);
    assert_eq!(leftovers(&mut database.superuser().await).await, Vec::<String>::new());
    assert_eq!(migrate::up(&admin, None).await.unwrap(), known);
    assert_eq!(catalogue(&mut database.superuser().await).await, first);
    let status = migrate::status(&mut database.superuser().await).await.unwrap();
    assert!(status.iter().all(|state| state.standing == migrate::Standing::Applied), "{status:?}");
}

/// Every table's columns, to compare.
async fn catalogue(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT format('%s.%s.%s %s %s', table_schema, table_name, column_name, data_type, is_nullable)
         FROM information_schema.columns
         WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
    )
    .fetch_all(connection)
    .await
    .expect("the catalogue")
}

/// What the migrator still owns, beside its own table and the schema `public`.
async fn leftovers(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT oid::regclass::text FROM pg_class
         WHERE relowner = 'daybook_migrator'::regrole AND relkind IN ('r', 'p', 'v', 'm', 'S')
           AND relname <> '_sqlx_migrations'
         UNION ALL SELECT oid::regprocedure::text FROM pg_proc
         WHERE proowner IN ('daybook_migrator'::regrole, 'daybook_log_owner'::regrole)
         UNION ALL SELECT nspname::text FROM pg_namespace
         WHERE nspowner = 'daybook_migrator'::regrole AND nspname <> 'public'
         UNION ALL SELECT typname::text FROM pg_type
         WHERE typowner = 'daybook_migrator'::regrole AND typtype IN ('e', 'd')",
    )
    .fetch_all(connection)
    .await
    .expect("the catalogue")
}

#[tokio::test]
async fn upkeep_closes_the_months_that_are_over() {
    let database = TestDatabase::fresh().await;
    let pools = database.pools().await;
    let mut superuser = database.superuser().await;
    // The log reaches into this month, and so past the end of the last one.
    sqlx::query("SELECT journal.tick(clock_timestamp() - interval '1 millisecond')")
        .execute(&mut superuser)
        .await
        .unwrap();
    for _ in 0..2 {
        daybook_app::upkeep::once(&pools.maintenance).await.unwrap();
        let closed: Vec<(bool, bool)> = sqlx::query_as(
            "SELECT c.relname = to_char(now() AT TIME ZONE 'UTC' - interval '1 month', '\"events_\"YYYY_MM'), k.convalidated
             FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
             WHERE k.conname LIKE 'events%positions'",
        )
        .fetch_all(&mut superuser)
        .await
        .unwrap();
        assert_eq!(closed, [(true, true)], "the last month, and it alone");
    }
    pools.close().await;
}

/// Three months ahead of now, in ISO weeks that begin on Mondays and that each meet the next.
#[tokio::test]
async fn upkeep_makes_weeks_ahead_where_a_table_has_weeks() {
    let database = TestDatabase::fresh().await;
    let pools = database.pools().await;
    let mut superuser = database.superuser().await;
    for _ in 0..2 {
        daybook_app::upkeep::once(&pools.maintenance).await.unwrap();
    }
    let bounds: Vec<(String, String)> = sqlx::query_as(
        "SELECT c.relname::text, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i
         JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'public.dc_usage_metrics'::regclass ORDER BY c.relname",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    let wanted: Vec<String> = sqlx::query_scalar(
        "SELECT to_char(week AT TIME ZONE 'UTC', '\"dc_usage_metrics_y\"IYYY\"w\"IW')
         FROM generate_series(date_trunc('week', now(), 'UTC'), now() + interval '3 months', '1 week') AS week",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    // The migration made a few weeks before this one, too.
    let names: Vec<&str> = bounds.iter().map(|(name, _)| name.as_str()).collect();
    assert!(
        names.len() >= wanted.len()
            && names.ends_with(&wanted.iter().map(String::as_str).collect::<Vec<_>>()),
        "{names:?}"
    );
    for pair in bounds.windows(2) {
        let end = pair[0].1.split("TO ").nth(1).unwrap();
        assert!(pair[1].1.contains(&format!("FROM {end}")), "{pair:?}");
    }
    pools.close().await;
}

/// The command does what the service does, says what, and finds nothing to do the second time.
#[tokio::test(flavor = "multi_thread")]
async fn upkeep_has_a_command_that_says_what_it_did() {
    let database = TestDatabase::fresh().await;
    let mut superuser = database.superuser().await;
    let here = tempfile::tempdir().unwrap();
    let url = database.service_url();
    let upkeep = |output: &str| {
        let arguments = ["--database-url", url.as_str(), "upkeep", "--output", output];
        let ran = Daybook::run(&mut Daybook::command(here.path(), &arguments));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.stdout
    };
    // What the first round of this database had to do, whatever the day is.
    let _ = upkeep("json");
    assert_eq!(upkeep("json").trim(), "[]");
    assert_eq!(upkeep("table").trim(), "Nothing was due.");
    let (log, table): (String, String) = sqlx::query_as(
        "SELECT to_char(ahead, '\"journal.events_\"YYYY_MM'), to_char(ahead, '\"public.transactions_y\"YYYY\"m\"MM')
         FROM date_trunc('month', now() AT TIME ZONE 'UTC' + interval '3 months') AS ahead",
    )
    .fetch_one(&mut superuser)
    .await
    .unwrap();
    let lose = format!(
        "DROP TABLE {log}; DROP TABLE {table};
         INSERT INTO journal.commands (scope, id, fingerprint, stream_id, version, position, recorded_at, events, created)
         SELECT gen_random_uuid(), gen_random_uuid(), 'x', gen_random_uuid(), 1, 1, now() - interval '14 months', 1, true
         FROM generate_series(1, 7000)"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(lose)).execute(&mut superuser).await.unwrap();
    let done: serde_json::Value = serde_json::from_str(&upkeep("json")).unwrap();
    let wanted = serde_json::json!([
        {"what": "made_partitions", "to": "journal.events", "count": 1},
        {"what": "made_partitions", "to": "transactions", "count": 1},
        {"what": "forgot", "to": "journal.commands", "count": 7000},
    ]);
    assert_eq!(done, wanted);
    assert_eq!(upkeep("json").trim(), "[]");
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("DROP TABLE {table}")))
        .execute(&mut superuser)
        .await
        .unwrap();
    let told = upkeep("table");
    let row = told.lines().find(|line| line.contains("transactions")).unwrap_or_default();
    assert!(
        row.trim_start().starts_with("made partitions") && row.trim_end().ends_with('1'),
        "{told}"
    );
}
