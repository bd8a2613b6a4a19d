//! No table without policies, without a test, or with a way around them.

use std::collections::BTreeSet;

use daybook_tests::TestDatabase;
use daybook_tests::rows::{TABLES, Whose};

use crate::session::{ROLES, Session};

#[tokio::test]
async fn every_table_is_under_policies_and_tested() {
    let database = TestDatabase::fresh().await;
    let tables: Vec<(String, bool)> = sqlx::query_as(
        "SELECT relname::text, relrowsecurity AND relforcerowsecurity FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
           AND relname <> '_sqlx_migrations'",
    )
    .fetch_all(&mut database.superuser().await)
    .await
    .unwrap();
    let tested: BTreeSet<&str> = TABLES.iter().map(|table| table.table).collect();
    for (table, secured) in &tables {
        assert!(tested.contains(table.as_str()), "{table} has no rows in tests/src/rows.rs");
        let open = TABLES.iter().any(|t| t.table == table && t.whose == Whose::Everybody);
        assert!(*secured || open, "{table} is not under policies that bind its owner too");
    }
    for table in tested {
        assert!(tables.iter().any(|(name, _)| name == table), "{table} is no table any more");
    }
}

#[tokio::test]
async fn no_role_reads_a_partition_past_its_parents_policies() {
    let database = TestDatabase::fresh().await;
    let partitions: Vec<String> = sqlx::query_scalar(
        "SELECT oid::regclass::text FROM pg_class WHERE relispartition AND relkind = 'r'",
    )
    .fetch_all(&mut database.superuser().await)
    .await
    .unwrap();
    assert!(partitions.len() > 10, "{partitions:?}");
    let mut session = Session::of(&database).await;
    for partition in partitions {
        for role in ROLES {
            for statement in [
                format!("SELECT 'x' FROM {partition}"),
                format!("DELETE FROM {partition} WHERE false"),
            ] {
                let outcome = session.tries(role, None, None, &statement).await;
                assert_eq!(outcome, Err("42501".to_owned()), "{statement} as {role}");
            }
        }
    }
}

/// A function that looks past policies can be called by those alone to whom it tells something that
/// is theirs, and finds its tables where they are, whatever the caller's search_path says.
#[tokio::test]
async fn functions_that_look_past_policies_are_few_and_fixed() {
    let database = TestDatabase::fresh().await;
    let loose: Vec<String> = sqlx::query_scalar(
        "SELECT p.oid::regprocedure::text FROM pg_proc p
         WHERE p.pronamespace IN ('public'::regnamespace, 'projector'::regnamespace, 'journal'::regnamespace)
           AND p.prosecdef
           AND (NOT COALESCE(p.proconfig, '{}') && ARRAY['search_path=pg_catalog, pg_temp']
                OR EXISTS (SELECT FROM aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0))",
    )
    .fetch_all(&mut database.superuser().await)
    .await
    .unwrap();
    assert!(loose.is_empty(), "definer functions for everyone, or with a loose path: {loose:?}");
}
