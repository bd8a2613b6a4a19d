//! A real bank's fifteen months through real commands: every balance is the bank's own.

mod months;
mod source;
mod through_kafka;

use std::path::Path;
use std::time::{Duration, Instant};

use daybook_tests::{Daybook, Finished, Service, head, naive, shared};
use futures::StreamExt;
use nix::sys::signal::Signal;
use serde_json::Value;
use source::{Source, Transaction};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// Runs a tool on the service's database, beside the service.
fn tool(service: &Service, folder: &Path, arguments: &[&str]) -> Finished {
    let url = service.database.service_url();
    let mut all = vec!["--database-url", url.as_str()];
    all.extend_from_slice(arguments);
    Daybook::run(&mut Daybook::command(folder, &all))
}

fn report(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_bank_agrees_to_the_cent() {
    let Some(folder) = shared("data/berka") else { return };
    let source = Source::read(&folder);
    let here = tempfile::tempdir().expect("a folder");
    let service = Service::start().await;
    let path = folder.to_str().expect("a path");

    // Killed in the middle, the import goes on where it was.
    let url = service.database.service_url();
    let arguments = ["--database-url", url.as_str(), "import", "berka", path];
    let mut first =
        Daybook::start(&mut Daybook::command(here.path(), &arguments), here.path(), "import");
    let mut database = service.database.superuser().await;
    let begun = Instant::now();
    while head(&mut database).await < 5_000 {
        assert!(begun.elapsed() < Duration::from_secs(300), "{}", first.printed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    first.signal(Signal::SIGKILL);
    let _ = first.wait(Duration::from_secs(10));

    let second = tool(&service, here.path(), &["import", "berka", path, "--output", "json"]);
    assert_eq!(second.code, Some(0), "{second:?}");
    let told = report(&second);
    assert_eq!(told["wrong"], serde_json::json!([]));
    let accepted = told["accepted"].as_u64().expect("a number");
    let replayed = told["replayed"].as_u64().expect("a number");
    let commands = source.transactions.len() + 2 * source.closing.len();
    assert_eq!(accepted + replayed, commands as u64, "each owner has one account here");
    assert!(replayed > 1_000, "the first run left nothing: {told}");

    // Once more: nothing is appended.
    let before = head(&mut database).await;
    let third = tool(&service, here.path(), &["import", "berka", path, "--output", "json"]);
    assert_eq!(third.code, Some(0), "{third:?}");
    assert_eq!(report(&third)["accepted"], 0);
    assert_eq!(head(&mut database).await, before, "a repeated import appended something");

    balances_are_the_banks(&mut database, &source).await;
    every_position_carries_the_banks_balance(&service, &mut database, &source).await;
    the_audit_trail_has_every_change_and_no_secret(&mut database, before).await;
    months::carry_the_banks_balances(&service, here.path(), &mut database, &source).await;
    months::every_so_often(&service, here.path());
    naive::agrees(&service, &[("banking.account", 2_400), ("identity.user", 400)]).await;

    let checked = tool(&service, here.path(), &["rebuild", "--check"]);
    assert_eq!(checked.code, Some(0), "live and rebuilt tables differ: {checked:?}");
}

async fn balances_are_the_banks(database: &mut PgConnection, source: &Source) {
    let accounts = sqlx::query("SELECT account_number, balance::text FROM public.accounts")
        .fetch_all(&mut *database)
        .await
        .expect("accounts");
    assert_eq!(accounts.len(), source.closing.len());
    for row in accounts {
        let (number, balance): (String, String) = (row.get(0), row.get(1));
        assert_eq!(source.closing[&number], balance, "account {number}");
    }
    let transactions = sqlx::query(
        "SELECT reference_number, balance_after::text, transaction_date::date::text FROM public.transactions",
    )
    .fetch_all(database)
    .await
    .expect("transactions");
    assert_eq!(transactions.len(), source.transactions.len());
    for row in transactions {
        let (reference, after, day): (String, String, String) =
            (row.get(0), row.get(1), row.get(2));
        let theirs = &source.transactions[&reference];
        assert_eq!(
            (&theirs.balance_after, &theirs.date),
            (&after, &day),
            "transaction {reference}"
        );
    }
}

/// How many pairs of an account and a position are asked for.
const PAIRS: usize = 10_000;

/// Pairs of an account and a position, from a printed seed, read over HTTP.
async fn every_position_carries_the_banks_balance(
    service: &Service,
    database: &mut PgConnection,
    source: &Source,
) {
    let places = sqlx::query(
        "SELECT stream_id, position, data->>'reference_number',
                lead(position) OVER (PARTITION BY stream_id ORDER BY version)
         FROM journal.events
         WHERE event_type LIKE 'banking.account.%' AND data ? 'reference_number'",
    )
    .fetch_all(database)
    .await
    .expect("the events");
    let last = places.iter().map(|row| row.get::<i64, _>(1)).max().expect("some events");
    let mut random = source::Random::seeded();
    let mut pairs = Vec::with_capacity(PAIRS);
    for _ in 0..PAIRS {
        let row = &places[random.below(places.len() as u64) as usize];
        let (account, first): (Uuid, i64) = (row.get(0), row.get(1));
        let reference: String = row.get(2);
        let until = row.get::<Option<i64>, _>(3).unwrap_or(last + 1);
        let position = first + random.below((until - first) as u64) as i64;
        pairs.push((account, position, reference));
    }
    let asked = futures::stream::iter(pairs).map(async |(account, position, reference)| {
        let path = format!("/v1/banking/accounts/{account}?at_position={position}");
        let answer = service.ask(reqwest::Method::GET, &path, &service.key, None, &[]).await;
        let Transaction { balance_after, .. } = &source.transactions[&reference];
        assert_eq!(
            answer.accepted()["balance"].as_str(),
            Some(balance_after.as_str()),
            "account {account} at {position}"
        );
    });
    assert_eq!(asked.buffer_unordered(8).count().await, PAIRS);
}

async fn the_audit_trail_has_every_change_and_no_secret(database: &mut PgConnection, head: i64) {
    let (without, wrong_actor, secrets): (i64, i64, i64) = sqlx::query_as(
        "SELECT
           (SELECT count(*) FROM generate_series(1, $1) AS p
            WHERE NOT EXISTS (SELECT FROM public.audit_logs a WHERE a.position = p)
              AND NOT EXISTS (SELECT FROM journal.events e WHERE e.position = p AND e.event_type LIKE 'identity.admins.%')),
           (SELECT count(*) FROM public.audit_logs a JOIN journal.events e ON e.position = a.position
            WHERE a.user_id IS DISTINCT FROM e.actor_id OR a.ip_address IS DISTINCT FROM e.ip_address),
           (SELECT count(*) FROM public.audit_logs a
            WHERE concat(a.old_values, a.new_values) ~ 'password_hash|token_hash|secret_hash|argon2')",
    )
    .bind(head)
    .fetch_one(&mut *database)
    .await
    .expect("the audit trail");
    assert_eq!(without, 0, "positions without an audit row");
    assert_eq!(wrong_actor, 0, "audit rows with another actor or address than their event");
    assert_eq!(secrets, 0, "audit rows with a secret");
    let unchanged: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM public.audit_logs WHERE new_values IS NULL AND old_values IS NULL",
    )
    .fetch_one(database)
    .await
    .expect("the audit trail");
    assert_eq!(unchanged, 0, "audit rows with neither old nor new values");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_lines_are_named_and_nothing_of_them_is_half_done() {
    let here = tempfile::tempdir().expect("a folder");
    source::write_small_bank_with_wrong_lines(here.path());
    let service = Service::start().await;
    let path = here.path().to_str().expect("a path");

    let dry =
        tool(&service, here.path(), &["import", "berka", path, "--dry-run", "--output", "json"]);
    assert_eq!(dry.code, Some(1), "{dry:?}");
    let lines: Vec<_> = report(&dry)["wrong"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|wrong| (wrong["file"].as_str().unwrap().to_owned(), wrong["line"].as_u64().unwrap()))
        .collect();
    let expected = [4_u64, 5, 6, 7, 8, 9, 10].map(|line| ("transactions.tsv".to_owned(), line));
    assert_eq!(lines, [vec![("accounts.tsv".to_owned(), 3)], expected.to_vec()].concat());
    let mut database = service.database.superuser().await;
    let before = head(&mut database).await;

    let real = tool(&service, here.path(), &["import", "berka", path, "--output", "json"]);
    assert_eq!(real.code, Some(1), "{real:?}");
    let told = report(&real);
    assert_eq!(told["accepted"], 4, "an owner, an account and the two good lines: {told}");
    assert_eq!(head(&mut database).await, before + 4);
}
