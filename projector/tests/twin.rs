//! A second set of the read tables is the first one, object by object.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod support;

use daybook_projector::twin::{Twin, is_schema_name};
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, PgConnection};
use support::World;

async fn catalogue(schema: &str, connection: &mut PgConnection) -> Vec<String> {
    sqlx::raw_sql("SET search_path = pg_catalog; SET timezone = 'UTC'")
        .execute(&mut *connection)
        .await
        .unwrap();
    sqlx::query_scalar(include_str!("twin/catalogue.sql"))
        .bind(schema)
        .fetch_all(connection)
        .await
        .unwrap()
}

async fn execute(statement: &str, connection: &mut PgConnection) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.unwrap();
}

async fn made(twin: &Twin, migrators: &PgPool) {
    let mut connection = migrators.acquire().await.unwrap();
    assert_eq!(twin.unmoved(&mut connection).await.unwrap(), Vec::<String>::new());
    twin.make_tables(&mut connection).await.unwrap();
    twin.make_keys(&mut connection).await.unwrap();
    twin.make_indexes(2, migrators, |_, _| ()).await.unwrap();
    twin.make_foreign_keys(&mut connection, &|_, _| ()).await.unwrap();
    twin.make_rights(&mut connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_set_of_tables_is_the_first_one_object_by_object() {
    let world = World::new().await;
    let mut administrator = world.database.superuser().await;
    execute("SET ROLE daybook_migrator", &mut administrator).await;
    // What no table of ours has yet.
    execute(
        "COMMENT ON TABLE public.users IS 'people''s'; COMMENT ON COLUMN public.users.email IS 'where to write';
         ALTER TABLE public.users ALTER COLUMN email SET STATISTICS 500;
         ALTER TABLE public.accounts ENABLE ALWAYS TRIGGER update_accounts_updated_at;
         GRANT SELECT ON public.posts TO PUBLIC;
         SELECT projector.make_partitions('transactions', '1993-01-01', '1993-04-01')",
        &mut administrator,
    )
    .await;
    let migrators = world.migrators().await;
    let first = catalogue("public", &mut administrator).await;
    assert!(first.len() > 2000, "{}", first.len());
    let only = |one: &[String], other: &[String]| {
        one.iter().filter(|line| !other.contains(line)).cloned().collect::<Vec<_>>()
    };
    for twin in [Twin::of("second_set"), Twin::of("second_set").steady()] {
        made(&twin, &migrators).await;
        let second = catalogue("second_set", &mut administrator).await;
        let (lost, added) = (only(&first, &second), only(&second, &first));
        assert!(lost.is_empty() && added.is_empty(), "lost {lost:#?}\nadded {added:#?}");
        assert_eq!(first.len(), second.len());

        let mut connection = migrators.acquire().await.unwrap();
        twin.drop(&mut connection).await.unwrap();
        assert!(!twin.exists(&mut connection).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_second_set_would_leave_behind_is_named() {
    let world = World::new().await;
    let mut administrator = world.database.superuser().await;
    execute(
        "CREATE TABLE public.notes (user_id uuid REFERENCES public.users (id));
         CREATE MATERIALIZED VIEW journal.names AS SELECT username FROM public.users;
         CREATE PUBLICATION everything FOR TABLE public.posts;
         CREATE FUNCTION journal.first_role() RETURNS public.roles LANGUAGE sql AS 'SELECT * FROM public.roles LIMIT 1'",
        &mut administrator,
    )
    .await;
    let found = Twin::of("second_set").unmoved(&mut administrator).await.unwrap();
    assert_eq!(found.len(), 4, "{found:#?}");
    for part in ["notes", "journal.names", "everything", "first_role"] {
        assert!(found.iter().any(|line| line.contains(part)), "{part}: {found:#?}");
    }
}

#[test]
fn a_schema_is_named_in_small_letters() {
    for good in ["a", "month_end_2026_01", "_x"] {
        assert!(is_schema_name(good), "{good}");
    }
    for bad in ["", "1a", "Public", "a b", "a;b", "a\"b", "a-b", &"x".repeat(64)] {
        assert!(!is_schema_name(bad), "{bad}");
    }
}
