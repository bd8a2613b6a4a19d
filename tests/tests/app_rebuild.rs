//! `daybook rebuild` beside a serving process under load: killed at ten random moments, it leaves the
//! live tables as they were, and the next run ends clean. No read fails meanwhile.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use daybook_tests::{Daybook, Finished, Service};
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};

const KILLS: u64 = 10;

fn rebuild(service: &Service, folder: &Path, arguments: &[&str]) -> Command {
    let (url, admin) = (service.database.service_url(), service.database.admin_url());
    let migrate = format!("migrate_url={admin}");
    let mut all = vec!["--database-url", &url, "--set", &migrate, "rebuild"];
    all.extend_from_slice(arguments);
    Daybook::command(folder, &all)
}

/// Rebuilds, once the server has seen that the one that was killed is gone.
async fn once_alone(service: &Service, folder: &Path, arguments: &[&str]) -> Finished {
    let begun = Instant::now();
    loop {
        let done = Daybook::run(&mut rebuild(service, folder, arguments));
        if !done.stderr.contains("another rebuild") || begun.elapsed() > Duration::from_secs(30) {
            return done;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Deposits 1.00 again and again; gives how often, and the last one's position.
async fn deposits(service: Arc<Service>, account: String, stop: Arc<AtomicBool>) -> (i64, Value) {
    let (mut count, mut position) = (0, json!(0));
    while !stop.load(Ordering::SeqCst) {
        let path = format!("/v1/banking/accounts/{account}/deposit");
        let done = service.command(&path, json!({ "amount": "1.00" })).await.accepted();
        (count, position) = (count + 1, done["position"].clone());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    (count, position)
}

/// Reads the balance, which never fails and never falls; gives how often.
async fn balances(service: Arc<Service>, account: String, stop: Arc<AtomicBool>) -> i64 {
    let (mut seen, mut count) = (0.0, 0);
    while !stop.load(Ordering::SeqCst) {
        let path = format!("/v1/banking/accounts/{account}");
        let row = service.ask(Method::GET, &path, &service.key, None, &[]).await;
        // Not posted yet, at the very beginning.
        if count > 0 || row.status == 200 {
            let balance = row.accepted()["balance"].as_str().unwrap().parse::<f64>().unwrap();
            assert!(balance >= seen, "{balance} after {seen}");
            seen = balance;
            count += 1;
        }
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_ten_random_moments_it_ends_clean() {
    let here = tempfile::tempdir().unwrap();
    let service = Arc::new(Service::start().await);
    let owner = service.register("ada").await;
    let opened = service
        .command(
            "/v1/banking/accounts",
            json!({ "user_id": owner, "account_name": "Daily", "account_type": "checking",
                    "account_number": "N-1", "currency": "CZK" }),
        )
        .await
        .accepted();
    let account = opened["stream_id"].as_str().unwrap().to_owned();
    let journals = journals(&service).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writes = tokio::spawn(deposits(Arc::clone(&service), account.clone(), Arc::clone(&stop)));
    let reads = tokio::spawn(balances(Arc::clone(&service), account.clone(), Arc::clone(&stop)));
    let seed = u64::from(std::process::id());
    eprintln!("seed {seed}");
    let mut dice = seed | 1;
    let mut killed = 0;
    for number in 0..KILLS {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let name = format!("rebuild{number}");
        // Everything and a part, in turns: what one left is cleared away by the other.
        let of: &[&str] = if number % 2 == 0 { &[] } else { &["accounts"] };
        let mut running =
            Daybook::start(&mut rebuild(&service, here.path(), of), here.path(), &name);
        tokio::time::sleep(Duration::from_millis(200 + dice % 3000)).await;
        if nix::sys::signal::kill(running.pid(), Signal::SIGKILL).is_ok() {
            killed += 1;
        }
        let _ = running.wait(Duration::from_secs(20));
    }
    assert!(killed > 0);
    let last = once_alone(&service, here.path(), &["--output", "json"]).await;
    assert_eq!(last.code, Some(0), "{last:?}");
    let told: Value = serde_json::from_str(&last.stdout).unwrap();
    assert_eq!(told["live"], true, "{told}");
    stop.store(true, Ordering::SeqCst);
    let ((written, position), read) = (writes.await.unwrap(), reads.await.unwrap());
    assert!(written > 50 && read > 50, "{written} written, {read} read");

    let shown = service.ask(Method::GET, "/v1/rebuilds", &service.key, None, &[]).await.accepted();
    let states: Vec<&str> = shown["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["state"].as_str().unwrap())
        .collect();
    assert_eq!(states[0], "live", "{shown}");
    assert!(states.iter().all(|state| ["live", "interrupted"].contains(state)), "{states:?}");
    let listed = Daybook::run(&mut rebuild(&service, here.path(), &["--status"]));
    assert!(listed.code == Some(0) && listed.stdout.contains("live"), "{listed:?}");
    for arguments in [["--check"], ["--rollback"], ["--check"]] {
        // What was rolled back to is posted up by the serving process.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let done = Daybook::run(&mut rebuild(&service, here.path(), &arguments));
        assert_eq!(done.code, Some(0), "{arguments:?}: {done:?}");
    }
    let path = format!("/v1/banking/accounts/{account}");
    let row = service.read_after(&path, &position).await.accepted();
    assert_eq!(row["balance"], format!("{written}.00"));
    // What people did that made no event is written down once, and no rebuild touches it.
    let after = kept(&service).await;
    assert!(journals.iter().all(|row| after.contains(row)), "{journals:#?} became {after:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_nothing_has_are_said_with_those_that_are_near() {
    let here = tempfile::tempdir().unwrap();
    let service = Service::start().await;
    let _ = service.register("ada").await;
    let refused = |done: &Finished, near: &str| {
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(done.stderr.contains(near), "{done:?}");
    };
    for arguments in [&["banking.acount"][..], &["--check", "banking.acount"]] {
        refused(
            &Daybook::run(&mut rebuild(&service, here.path(), arguments)),
            "banking.account (accounts, transactions)",
        );
    }
    let part = Daybook::run(&mut rebuild(&service, here.path(), &["users", "--output", "json"]));
    assert_eq!(part.code, Some(0), "{part:?}");
    let told: Value = serde_json::from_str(&part.stdout).unwrap();
    assert!(told["rows"].as_i64() > Some(3) && told["copied"].as_i64() > Some(0), "{told}");
    let checked = Daybook::run(&mut rebuild(&service, here.path(), &["--check", "users"]));
    assert!(checked.code == Some(0) && !checked.stdout.contains("accounts"), "{checked:?}");

    let file = here.path().join("out.ndjson");
    let file = file.to_str().unwrap();
    for (asked, near) in [
        (["--types", "identity.user.registerd"], "identity.user.registered"),
        (["--contexts", "identiti"], "identity"),
        (["--kinds", "identity.users"], "identity.user"),
        (["--to", "2999-01-01T00:00:00Z"], "has not passed yet"),
    ] {
        refused(&service.tool(&["replay", file, asked[0], asked[1]]), near);
        refused(&service.tool(&["events", asked[0], asked[1]]), near);
    }
    for (asked, near) in [
        (["--table", "user"], "users"),
        (["--event-type", "identity.user.register"], "identity.user.registered"),
        (["--to", "2999-01-01T00:00:00Z"], "has not passed yet"),
    ] {
        refused(&service.tool(&["audit", asked[0], asked[1]]), near);
    }
    assert!(!std::path::Path::new(file).exists(), "nothing was written");
}

/// Tables that are what was posted lack an event that cannot be: no comparison says that all is well.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_posted_is_said_beside_what_is_the_same() {
    let here = tempfile::tempdir().unwrap();
    let service = Service::start().await;
    let owner = service.register("ada").await;
    let mut superuser = service.database.superuser().await;
    let by_hand = "INSERT INTO accounts (id, user_id, account_name, account_type, account_number)
         SELECT gen_random_uuid(), id, 'By hand', 'checking', 'TAKEN' FROM users WHERE username = 'ada'";
    let begun = Instant::now();
    while sqlx::query(by_hand).execute(&mut superuser).await.unwrap().rows_affected() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the user is not posted");
    }
    let opened = json!({ "user_id": owner, "account_name": "Daily", "account_type": "checking",
        "account_number": "TAKEN", "currency": "CZK" });
    let _ = service.command("/v1/banking/accounts", opened).await.accepted();
    let parked = "SELECT count(*) FROM projector.parked";
    while sqlx::query_scalar::<_, i64>(parked).fetch_one(&mut superuser).await.unwrap() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is not parked");
    }
    let free = "DELETE FROM accounts WHERE account_number = 'TAKEN'";
    sqlx::query(free).execute(&mut superuser).await.unwrap();

    let check = Daybook::run(&mut rebuild(&service, here.path(), &["--check"]));
    let url = service.database.service_url();
    let reconcile = ["--database-url", &url, "audit", "--reconcile"];
    let reconciled = Daybook::run(&mut Daybook::command(here.path(), &reconcile));
    for said in [check, reconciled] {
        assert_eq!(said.code, Some(3), "{said:?}");
        for part in ["Not posted", "banking.account.opened", ", but for what is not posted"] {
            assert!(said.stdout.contains(part), "{said:?}");
        }
    }
    let check = Daybook::run(&mut rebuild(&service, here.path(), &["--check", "--output", "json"]));
    let found: Value = serde_json::from_str(&check.stdout).unwrap();
    assert_eq!((check.code, found["parked"].as_array().unwrap().len()), (Some(3), 1));
}

/// A command that is refused, somebody who cannot sign in, and a read of everyone's past: gives what is
/// written down of them.
async fn journals(service: &Service) -> Vec<String> {
    let taken = json!({ "username": "ada", "email": "ada@example.org", "full_name": "Ada", "password": "correct horse battery" });
    let _ = service.command("/v1/identity/users", taken).await.refused(409);
    let wrong = json!({ "login": "ada", "password": "wrong horse battery" });
    let refused = service.ask_openly(Method::POST, "/v1/identity/sessions", Some(wrong)).await;
    assert_eq!(refused.status, 401, "{refused:?}");
    let read = service.ask(Method::GET, "/v1/events?limit=1", &service.key, None, &[]).await;
    let _ = read.accepted();
    for _ in 0..100 {
        let kept = kept(service).await;
        if ["refusals", "sign_ins", "reads"]
            .iter()
            .all(|of| kept.iter().any(|row| row.starts_with(of)))
        {
            return kept;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not all three are written down: {:?}", kept(service).await);
}

/// Everything that the journals have.
async fn kept(service: &Service) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT 'refusals ' || r::text FROM journal.refusals r
         UNION ALL SELECT 'sign_ins ' || s::text FROM journal.sign_ins s
         UNION ALL SELECT 'reads ' || e::text FROM journal.reads e",
    )
    .fetch_all(&mut service.database.superuser().await)
    .await
    .unwrap()
}
