//! Who may do what to the log: nobody changes events, and only the writer appends.

use crate::support::{TestLog, refusal, try_execute};

/// The arguments of an empty batch.
fn nothing() -> String {
    format!("now(), '1 minute'{}", ", '{}'".repeat(11))
}

const ROLES: [&str; 5] = [
    "daybook_writer",
    "daybook_projector",
    "daybook_maintenance",
    "application_role",
    "daybook_service",
];

#[tokio::test]
async fn events_are_never_changed() {
    let test = TestLog::new().await;
    let month: String = test
        .ask("SELECT to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY_MM') FROM journal.events")
        .await;
    let partition = format!("journal.events_{month}");
    for table in ["journal.events", partition.as_str()] {
        for change in [
            format!("UPDATE {table} SET version = 7"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
        ] {
            for role in ROLES {
                assert_eq!(refusal(&test.role(role), &change).await, "42501", "{role}: {change}");
            }
            // The owner and the administrator have the right; the trigger refuses them too.
            for superior in
                ["SET ROLE daybook_migrator; ", "", "SET session_replication_role = replica; "]
            {
                let change = format!("{superior}{change}");
                assert_eq!(refusal(&test.administrator, &change).await, "42501", "{change}");
            }
        }
    }
    assert_eq!(test.ask::<i64>("SELECT count(*) FROM journal.events WHERE version = 1").await, 1);
}

#[tokio::test]
async fn only_the_writer_appends() {
    let test = TestLog::new().await;
    let call = format!("CALL journal.append({}, NULL, NULL, NULL)", nothing());
    for role in ROLES {
        let answer = try_execute(&test.role(role), &call).await;
        assert_eq!(answer.is_ok(), role == "daybook_writer", "{role}: {answer:?}");
        let insert = "INSERT INTO journal.streams VALUES (gen_random_uuid(), 1, 1, now(), now(), NULL, 0, 'x')";
        assert_eq!(refusal(&test.role(role), insert).await, "42501", "{role}");
    }
}

#[tokio::test]
async fn an_append_never_waits_for_its_client() {
    let test = TestLog::new().await;
    let writer = test.role("daybook_writer");
    let before: i64 = test.ask("SELECT max(batch) FROM journal.batches").await;
    let call = format!("CALL journal.append({}, NULL, NULL, NULL)", nothing());
    // Inside an open transaction it could not commit before it answers.
    let mut open = sqlx::ConnectOptions::connect(&writer).await.unwrap();
    sqlx::raw_sql("BEGIN").execute(&mut open).await.unwrap();
    let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(call.clone())).execute(&mut open).await;
    let error = refused.expect_err("appended inside a transaction");
    assert_eq!(error.as_database_error().and_then(|error| error.code()).as_deref(), Some("2D000"));
    assert_eq!(refusal(&writer, &format!("BEGIN; {call}; COMMIT")).await, "42501");
    assert_eq!(refusal(&writer, &format!("{call}; COMMIT")).await, "2D000");
    let around = format!("SELECT journal.append_batch({})", nothing());
    assert_eq!(refusal(&writer, &around).await, "42501");
    // A string that begins like the one way in is not it.
    let trailing = format!("{call}; SELECT journal.append_batch({})", nothing());
    assert_eq!(refusal(&writer, &trailing).await, "2D000");
    let block = format!("DO $do$ BEGIN PERFORM journal.append_batch({}); END $do$", nothing());
    assert_eq!(refusal(&writer, &block).await, "42501");
    let stale = format!("SET default_transaction_isolation = 'repeatable read'; {call}");
    let mut connection = sqlx::ConnectOptions::connect(&writer).await.unwrap();
    let mut code = String::new();
    for statement in stale.split_inclusive("; ") {
        let ran =
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut connection).await;
        if let Err(error) = ran {
            code = error.as_database_error().and_then(|error| error.code()).unwrap().into_owned();
        }
    }
    assert_eq!(code, "25001");
    assert_eq!(test.ask::<i64>("SELECT max(batch) FROM journal.batches").await, before);
}
