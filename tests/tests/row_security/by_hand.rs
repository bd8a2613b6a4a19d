//! What somebody changes by hand is written down, whoever does it, in whichever table.

use daybook_tests::TestDatabase;
use daybook_tests::rows::{self, TABLES, person};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::session::Session;

async fn run(statement: &str, connection: &mut PgConnection) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// Whether its rows are about changes, and are never touched again.
fn is_a_trail(table: &str) -> bool {
    ["audit_logs", "ssot_audit_logs"].contains(&table)
}

/// How many changes of a table are written down, in the journal and in the audit trail.
async fn noted(table: &str, connection: &mut PgConnection) -> (i64, i64) {
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM journal.drift WHERE table_name = $1),
                (SELECT count(*) FROM public.audit_logs a JOIN journal.drift d ON d.id = -a.id
                 WHERE a.action = 'OUT_OF_BAND' AND a.entity_type = $1 AND a.user_id IS NULL
                   AND a.created_at = d.at AND a.old_values IS NOT DISTINCT FROM d.old_values
                   AND a.new_values IS NOT DISTINCT FROM d.new_values)",
    )
    .bind(table)
    .fetch_one(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn every_table_keeps_updated_at_and_writes_down_what_is_done_to_it_by_hand() {
    let database = TestDatabase::fresh().await;
    let mut superuser = database.superuser().await;
    rows::put(&mut superuser).await;
    for table in TABLES.iter().filter(|table| !is_a_trail(table.table)) {
        let (name, mark) = (table.table, table.mark);
        let before: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {name}")))
            .fetch_one(&mut superuser)
            .await
            .unwrap();
        run(
            &format!("UPDATE {name} SET updated_at = '2001-01-01', {mark} = {mark}"),
            &mut superuser,
        )
        .await;
        let kept: bool = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT bool_and(updated_at > now() - interval '1 minute') FROM {name}"
        )))
        .fetch_one(&mut superuser)
        .await
        .unwrap();
        assert!(kept, "{name} keeps updated_at");
        assert_eq!(noted(name, &mut superuser).await, (before, before), "{name} updated");
    }
    // They refer to users.
    run("DELETE FROM audit_logs WHERE id > 0", &mut superuser).await;
    for table in TABLES.iter().rev().filter(|table| !is_a_trail(table.table)) {
        let before = noted(table.table, &mut superuser).await.0;
        run(&format!("DELETE FROM {}", table.table), &mut superuser).await;
        assert_eq!(
            noted(table.table, &mut superuser).await,
            (2 * before, 2 * before),
            "{}",
            table.table
        );
    }
}

#[tokio::test]
async fn truncating_cascading_and_touching_the_trail_itself_are_written_down() {
    let database = TestDatabase::fresh().await;
    let mut superuser = database.superuser().await;
    rows::put(&mut superuser).await;
    run("DELETE FROM audit_logs WHERE id > 0", &mut superuser).await;
    assert_eq!(noted("audit_logs", &mut superuser).await, (2, 2));
    run(
        &format!("DELETE FROM user_profiles WHERE user_id = '{}'", person("carol")),
        &mut superuser,
    )
    .await;
    // The key's rows go with their user, by the foreign key's rule.
    run(&format!("DELETE FROM org_members WHERE user_id = '{}'", person("carol")), &mut superuser)
        .await;
    run(&format!("DELETE FROM users WHERE id = '{}'", person("carol")), &mut superuser).await;
    assert_eq!(noted("users", &mut superuser).await, (1, 1));
    assert_eq!(noted("user_identifiers", &mut superuser).await, (1, 1));
    run("TRUNCATE transactions", &mut superuser).await;
    let partitions = i64::try_from(partitions(&["transactions"], &mut superuser).await.len());
    let lines = 1 + partitions.unwrap();
    assert_eq!(noted("transactions", &mut superuser).await, (lines, lines), "it and each of its");
    let written: Value = sqlx::query_scalar(
        "SELECT to_jsonb(a) FROM audit_logs a WHERE entity_type = 'users' AND id < 0",
    )
    .fetch_one(&mut superuser)
    .await
    .unwrap();
    assert_eq!(written["entity_id"], person("carol").to_string());
    assert_eq!(written["old_values"]["username"], "carol");
    assert_eq!(written["user_agent"], "PostgreSQL role postgres");
    assert!(!written.to_string().contains("hash of"), "{written}");
    for statement in ["DELETE FROM journal.drift", "UPDATE journal.drift SET new_values = NULL"] {
        let outcome = sqlx::raw_sql(statement).execute(&mut superuser).await;
        assert!(outcome.is_err(), "{statement}");
    }
}

/// The partitions that there are of these tables, after their tables.
async fn partitions(tables: &[&str], connection: &mut PgConnection) -> Vec<(String, String)> {
    sqlx::query_as(
        "SELECT t.relname::text, p.relname::text
         FROM pg_inherits i JOIN pg_class t ON t.oid = i.inhparent JOIN pg_class p ON p.oid = i.inhrelid
         WHERE t.relkind = 'p' AND t.relnamespace = 'public'::regnamespace AND t.relname = ANY ($1)
         ORDER BY 1, 2",
    )
    .bind(tables)
    .fetch_all(connection)
    .await
    .unwrap()
}

/// Lines of a partition's having been emptied, and whether the last one is in the audit trail.
async fn emptied(table: &str, partition: &str, connection: &mut PgConnection) -> (i64, bool) {
    sqlx::query_as(
        "SELECT count(*), COALESCE((SELECT true FROM audit_logs a WHERE a.id = -max(d.id) AND a.action = 'OUT_OF_BAND'), false)
         FROM journal.drift d
         WHERE d.table_name = $1 AND d.old_values = '{\"truncated\": false, \"partition\": null}'
           AND d.new_values = jsonb_build_object('truncated', true, 'partition', $2::text)",
    )
    .bind(table)
    .bind(partition)
    .fetch_one(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_partition_that_somebody_empties_is_written_down() {
    let database = TestDatabase::fresh().await;
    let mut superuser = database.superuser().await;
    rows::put(&mut superuser).await;
    // Those that are made later, too, by either of the roles that make them.
    for (role, year) in [("daybook_projector", 1994), ("daybook_maintenance", 1995)] {
        run(
            &format!(
                "SET ROLE {role};
                 SELECT projector.make_partitions(t.table_name, '{year}-05-01', '{year}-06-01')
                 FROM projector.monthly_tables t;
                 RESET ROLE"
            ),
            &mut superuser,
        )
        .await;
    }
    let all: Vec<&str> = TABLES.iter().map(|table| table.table).collect();
    let partitions = partitions(&all, &mut superuser).await;
    for made in
        ["users_p0", "audit_logs_1994_05", "transactions_y1995m06", "dc_usage_metrics_y1995w20"]
    {
        assert!(partitions.iter().any(|(_, name)| name == made), "{made}: {partitions:?}");
    }
    for (table, partition) in &partitions {
        let before = emptied(table, partition, &mut superuser).await.0;
        // What refers to users goes with them.
        run(&format!("TRUNCATE {partition} CASCADE"), &mut superuser).await;
        let after = emptied(table, partition, &mut superuser).await;
        assert_eq!(after, (before + 1, true), "{partition} of {table}");
    }
    let before = emptied("transactions", "transactions_y1995m06", &mut superuser).await;
    run("SET ROLE daybook_migrator; TRUNCATE transactions_y1995m06; RESET ROLE", &mut superuser)
        .await;
    let after = emptied("transactions", "transactions_y1995m06", &mut superuser).await;
    assert_eq!(before, after, "the owner rebuilds");
}

#[tokio::test]
async fn only_the_projector_and_the_owner_are_not_written_down() {
    let database = TestDatabase::fresh().await;
    let mut superuser = database.superuser().await;
    rows::put(&mut superuser).await;
    let mut session = Session::of(&database).await;
    let update = "UPDATE public.accounts SET account_name = 'posted' RETURNING id::text";
    assert_eq!(session.tries("daybook_projector", None, None, update).await.unwrap().len(), 2);
    run("SET ROLE daybook_projector; UPDATE accounts SET account_name = 'posted'", &mut superuser)
        .await;
    run("SET ROLE daybook_migrator; UPDATE accounts SET account_name = 'rebuilt'", &mut superuser)
        .await;
    run("RESET ROLE", &mut superuser).await;
    assert_eq!(noted("accounts", &mut superuser).await, (0, 0));
    // No setting makes anyone else one of them, and nothing that did not change is written down.
    run(
        "SET app.current_user_id = ''; SET application_name = 'daybook_projector';
         CREATE ROLE by_hand_for_test; GRANT SELECT, UPDATE ON accounts TO by_hand_for_test;
         ALTER ROLE by_hand_for_test BYPASSRLS; SET ROLE by_hand_for_test;
         UPDATE accounts SET account_name = 'mine'; RESET ROLE",
        &mut superuser,
    )
    .await;
    assert_eq!(noted("accounts", &mut superuser).await, (2, 2));
}

#[tokio::test]
async fn what_is_done_to_the_registry_is_in_its_own_trail_as_well() {
    let database = TestDatabase::fresh().await;
    let mut superuser = database.superuser().await;
    rows::put(&mut superuser).await;
    run("UPDATE ssot_api_contracts SET version = '2.0.0'", &mut superuser).await;
    assert_eq!(noted("ssot_api_contracts", &mut superuser).await, (2, 2));
    let told: Vec<Value> = sqlx::query_scalar(
        "SELECT to_jsonb(s) FROM ssot_audit_logs s JOIN audit_logs a USING (id, entity_id, created_at)
         WHERE s.id < 0 AND s.action = 'OUT_OF_BAND'",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(
        (&told[0]["new_values"]["version"], &told[0]["changed_by"]),
        (&"2.0.0".into(), &"postgres".into())
    );
    run("DELETE FROM ssot_audit_logs WHERE id > 0", &mut superuser).await;
    assert_eq!(noted("ssot_audit_logs", &mut superuser).await, (2, 2));
}
