//! `daybook doctor` finds what is wrong and says how to mend it.

use daybook_tests::{Daybook, Finished, TestDatabase, WithoutSchema};

fn doctor(database: &TestDatabase, arguments: &[&str]) -> Finished {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments: Vec<_> =
        ["doctor", "--output", "json"].iter().chain(arguments).copied().collect();
    let mut command = Daybook::command(folder.path(), &arguments);
    Daybook::run(command.env("DATABASE_URL", database.service_url()))
}

fn finding(finished: &Finished, check: &str) -> (String, String) {
    let findings: Vec<serde_json::Value> =
        serde_json::from_str(&finished.stdout).expect("JSON findings");
    let found = findings
        .iter()
        .find(|finding| finding["check"] == check)
        .unwrap_or_else(|| panic!("no check {check}: {}", finished.stdout));
    (
        found["state"].as_str().expect("a state").into(),
        found["mend"].as_str().expect("a text").into(),
    )
}

async fn change(database: &TestDatabase, statement: &'static str) {
    let mut superuser = database.superuser().await;
    sqlx::raw_sql(statement).execute(&mut superuser).await.expect(statement);
}

#[tokio::test]
async fn a_sound_database_has_nothing_to_mend_but_the_tests_lack_of_fsync() {
    let database = TestDatabase::fresh().await;
    let finished = doctor(&database, &["--deep"]);
    assert_eq!(finding(&finished, "durability").0, "fail", "the tests' server has fsync off");
    assert_eq!(finished.code, Some(1));
    let findings: Vec<serde_json::Value> = serde_json::from_str(&finished.stdout).unwrap();
    for other in findings.iter().filter(|finding| finding["check"] != "durability") {
        assert_eq!(other["state"], "ok", "{other}");
    }
}

#[tokio::test]
async fn a_missing_schema_is_found() {
    let database = TestDatabase::empty(WithoutSchema).await;
    let finished = doctor(&database, &[]);
    let (state, mend) = finding(&finished, "migrations");
    assert_eq!(state, "fail");
    assert!(mend.contains("daybook migrate up"));
}

#[tokio::test]
async fn a_hole_in_the_log_is_found() {
    let database = TestDatabase::fresh().await;
    change(
        &database,
        "INSERT INTO journal.batches (batch, position, events, recorded_at, lane_heads)
         SELECT max(batch) + 1, 3, 3, now(), array_fill(0::bigint, ARRAY[64]) || 3::bigint
         FROM journal.batches",
    )
    .await;
    assert_eq!(finding(&doctor(&database, &[]), "log density").0, "fail");
    assert_eq!(finding(&doctor(&database, &["--deep"]), "lanes").0, "fail");
}

#[tokio::test]
async fn parked_events_missing_partitions_and_drift_are_found() {
    let database = TestDatabase::fresh().await;
    change(
        &database,
        "INSERT INTO projector.parked
            (name, version, lane, lane_seq, position, stream_id, event_type, error)
         VALUES ('read_model', 1, 7, 1, 1, gen_random_uuid(), 'a.b.c', 'no such column')",
    )
    .await;
    change(
        &database,
        "INSERT INTO journal.drift (table_name, row_key, db_user)
         VALUES ('users', '{}', 'somebody')",
    )
    .await;
    change(
        &database,
        "DO $$ BEGIN EXECUTE format('DROP TABLE journal.events_%s', to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')); END $$",
    )
    .await;
    let finished = doctor(&database, &[]);
    assert_eq!(finding(&finished, "parked events").0, "fail");
    assert_eq!(finding(&finished, "partitions").0, "fail");
    assert_eq!(finding(&finished, "drift").0, "warn");
}

#[tokio::test]
async fn a_privileged_role_is_found() {
    let database = TestDatabase::fresh().await;
    change(&database, "CREATE TABLE public.owned_by_service (id int)").await;
    change(&database, "ALTER TABLE public.owned_by_service OWNER TO daybook_service").await;
    let finished = doctor(&database, &[]);
    assert_eq!(finding(&finished, "privileges").0, "fail");
}

#[tokio::test]
async fn no_server_is_a_finding_too() {
    let folder = tempfile::tempdir().unwrap();
    let port = daybook_tests::free_port();
    let mut command = Daybook::command(folder.path(), &["doctor", "--output", "json"]);
    let finished = Daybook::run(
        command.env("DATABASE_URL", format!("postgres://daybook_service@127.0.0.1:{port}/daybook")),
    );
    assert_eq!(finding(&finished, "database").0, "fail");
    assert_eq!(finished.code, Some(1));
}
