//! One log told to another Daybook: the same events, the same keys and holds, the same rules from then
//! on, also when it was broken off; and nothing of it twice.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;
use std::time::{Duration, Instant};

use daybook_tests::{Daybook, Finished, Service, TestDatabase, head};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};

/// What the log holds besides where and when it took it.
const TOLD: [&str; 4] = [
    "SELECT stream_id, version, event_type, schema_version, data, command_id, actor_id, tenant_id,
        correlation_id, causation_id, session_id, ip_address, user_agent, traceparent, COALESCE(occurred_at, recorded_at)
     FROM journal.events WHERE NOT command_id::text LIKE '00000000-0000-7000-8000-%'",
    "SELECT scope, key, holder FROM journal.claims",
    "SELECT target, holder, expires_at FROM journal.holds",
    "SELECT stream_id, version, closed_at IS NULL, kind FROM journal.streams",
];

async fn told(connection: &mut PgConnection) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for query in TOLD {
        let rows = format!("SELECT t::text FROM ({query}) AS t ORDER BY 1");
        all.push(
            sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(&mut *connection).await.unwrap(),
        );
    }
    all
}

fn tell(from: &TestDatabase, into: &TestDatabase, folder: &Path, more: &[&str]) -> Finished {
    let (from, into) = (from.service_url(), into.service_url());
    let mut all = vec!["replay", "--into", &into, "--database-url", &from];
    all.extend_from_slice(more);
    Daybook::run(&mut Daybook::command(folder, &all))
}

/// Some of everything that the log keeps: keys taken, given back and taken by others, holds, streams
/// that are closed, commands that write several streams.
async fn some_history(service: &Service) {
    let mut people = Vec::new();
    for name in ["ada", "bob", "eve"] {
        people.push(service.register(name).await);
    }
    let made = service
        .command("/v1/organizations/organizations", json!({ "name": "Acme" }))
        .await
        .accepted();
    let organization = made["stream_id"].as_str().unwrap();
    let path = format!("/v1/organizations/organizations/{organization}/add_member");
    let fields = json!({ "user_id": people[0], "role": "member" });
    let _ = service.command(&path, fields).await.accepted();
    for (n, person) in people.iter().enumerate() {
        let account = json!({ "user_id": person, "account_name": "Daily", "account_type": "checking",
            "account_number": format!("N-{n}"), "currency": "CZK" });
        let opened = service.command("/v1/banking/accounts", account).await.accepted();
        let account = opened["stream_id"].as_str().unwrap();
        let lines: String = (1..=400)
            .map(|n| {
                let line = json!({ "type": "banking.account.deposit", "stream_id": account,
                    "data": { "amount": format!("{n}.00") } });
                format!("{line}\n")
            })
            .collect();
        let answers = service.batch(lines).await;
        assert!(answers.iter().all(|answer| answer["position"].is_i64()), "{:?}", answers[0]);
    }
    let desk = json!({ "name": "desk", "description": "The desk" });
    let desk = service.command("/v1/identity/roles", desk).await.accepted();
    let path = format!("/v1/identity/users/{}/assign_role", people[1]);
    let _ = service.command(&path, json!({ "role_id": desk["stream_id"] })).await.accepted();
    let path = format!("/v1/identity/users/{}/delete", people[0]);
    let _ = service.command(&path, json!({ "reason": "left" })).await;
    let moved = json!({ "email": "eve@example.com" });
    let path = format!("/v1/identity/users/{}/change_email", people[2]);
    let _ = service.command(&path, moved).await.accepted();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_daybook_keeps_the_same_rules() {
    let here = tempfile::tempdir().unwrap();
    let service = Service::start().await;
    some_history(&service).await;
    let key = service.key.clone();
    let first = &service.database;
    let other = TestDatabase::fresh().await;
    let (mut there, mut mine) = (other.superuser().await, first.superuser().await);

    // Killed in the middle, it goes on.
    let (from, into) = (first.service_url(), other.service_url());
    let arguments = ["replay", "--into", &into, "--database-url", &from, "--speed", "0.3"];
    let mut process =
        Daybook::start(&mut Daybook::command(here.path(), &arguments), here.path(), "replay");
    let begun = Instant::now();
    while head(&mut there).await < 20 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", process.printed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    process.signal(Signal::SIGKILL);
    process.wait(Duration::from_secs(10));
    let finished = tell(first, &other, here.path(), &[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(told(&mut there).await, told(&mut mine).await);
    assert!(told(&mut there).await.iter().all(|rows| !rows.is_empty()));

    // Once more appends nothing; what came since is added.
    let before = head(&mut there).await;
    assert_eq!(tell(first, &other, here.path(), &[]).code, Some(0));
    assert_eq!(head(&mut there).await, before);
    let dora = service.register("dora").await;
    assert_eq!(tell(first, &other, here.path(), &[]).code, Some(0));
    assert_eq!(told(&mut there).await, told(&mut mine).await);

    // It serves: the same keys open it, the same rules hold, and its tables are what its log says.
    drop((there, mine));
    let second = Service::of(other, &key).await;
    let taken = json!({ "username": "dora", "email": "other@example.org", "full_name": "D", "password": "correct horse battery" });
    let refused = second.command("/v1/identity/users", taken.clone()).await;
    assert_eq!(
        refused.refused(409),
        service.command("/v1/identity/users", taken).await.refused(409)
    );
    let path = format!("/v1/identity/users/{dora}");
    let row = second.ask(reqwest::Method::GET, &path, &key, None, &[]).await;
    assert_eq!(row.accepted()["username"], "dora");
    let url = second.database.service_url();
    let check = ["--database-url", &url, "rebuild", "--check"];
    let checked = Daybook::run(&mut Daybook::command(here.path(), &check));
    assert_eq!(checked.code, Some(0), "{checked:?}");

    // One with a history of its own is left as it is, once it has one.
    let own = second.register("own").await;
    let path = format!("/v1/identity/users/{dora}/change_email");
    for service in [&second, &service] {
        let email = json!({ "email": format!("{own}@example.org") });
        let _ = service.command(&path, email).await.accepted();
    }
    let mut there = second.database.superuser().await;
    let before = head(&mut there).await;
    let refused = tell(&service.database, &second.database, here.path(), &[]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("a history of its own"), "{refused:?}");
    assert_eq!(head(&mut there).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_told_is_said_before_it_is_half_told() {
    let here = tempfile::tempdir().unwrap();
    let service = Service::start().await;
    some_history(&service).await;
    let other = TestDatabase::fresh().await;
    let itself = tell(&service.database, &service.database, here.path(), &[]);
    assert!(itself.code == Some(1) && itself.stderr.contains("another Daybook"), "{itself:?}");
    // Accounts without their owners, and parts of streams.
    for (slice, says) in [
        (["--contexts", "banking"], "does not exist"),
        (["--types", "banking.account.deposited"], "left out"),
    ] {
        let refused = tell(&service.database, &other, here.path(), &slice);
        assert!(refused.code == Some(2) && refused.stderr.contains(says), "{refused:?}");
        let state: Value = serde_json::from_slice(
            &std::fs::read(std::fs::read_dir(here.path()).unwrap().next().unwrap().unwrap().path())
                .unwrap(),
        )
        .unwrap();
        assert_eq!(state["reached"], 0);
        std::fs::remove_dir_all(here.path()).unwrap();
        std::fs::create_dir(here.path()).unwrap();
    }
    let mut there = other.superuser().await;
    assert_eq!(told(&mut there).await[0], Vec::<String>::new());
    // Identity alone rests on nothing else.
    let people = tell(&service.database, &other, here.path(), &["--contexts", "identity"]);
    assert_eq!(people.code, Some(0), "{people:?}");
    let users: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM journal.streams WHERE kind = 'identity.user' AND stream_id IN (SELECT stream_id FROM journal.events WHERE data ->> 'username' IN ('ada', 'bob', 'eve'))",
    )
    .fetch_one(&mut there)
    .await
    .unwrap();
    assert_eq!(users, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_its_command_ids_are_forgotten_a_log_goes_on_and_is_told_all_the_same() {
    let here = tempfile::tempdir().unwrap();
    let service = Service::start().await;
    some_history(&service).await;
    let key = service.key.clone();
    let first = service.stop();
    let other = TestDatabase::fresh().await;
    assert_eq!(tell(&first, &other, here.path(), &[]).code, Some(0));
    let mut mine = first.superuser().await;
    sqlx::raw_sql("UPDATE journal.commands SET recorded_at = recorded_at - interval '14 months'")
        .execute(&mut mine)
        .await
        .unwrap();
    // Whoever serves it forgets them, those that began it too, and goes on.
    drop(mine);
    let service = Service::of(first, &key).await;
    let late = service.register("late").await;
    let mut mine = service.database.superuser().await;
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM journal.commands")
        .fetch_one(&mut mine)
        .await
        .unwrap();
    assert!(left < 10, "{left} commands are remembered");
    // What was told with its own ids is known by its events, and so is what another log began with.
    let fresh = TestDatabase::fresh().await;
    for database in [&other, &fresh] {
        let told_again = tell(&service.database, database, here.path(), &[]);
        assert_eq!(told_again.code, Some(0), "{told_again:?}");
        let mut there = database.superuser().await;
        assert_eq!(told(&mut there).await, told(&mut mine).await);
        let before = head(&mut there).await;
        assert_eq!(tell(&service.database, database, here.path(), &[]).code, Some(0));
        assert_eq!(head(&mut there).await, before);
    }
    let known: i64 = sqlx::query_scalar("SELECT version FROM journal.streams WHERE stream_id = $1")
        .bind(late)
        .fetch_one(&mut fresh.superuser().await)
        .await
        .unwrap();
    assert_eq!(known, 1);
}
