//! Many at once on one account: every accepted command in the log once, and never too much taken.

use std::collections::HashSet;
use std::sync::Arc;

use daybook_app::config::Settings;
use daybook_command::{CommandError, Engine};
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{ACCOUNTS, House};

const CLIENTS: usize = 64;
const EACH: usize = 12;

async fn withdraw(engine: &Engine, account: &str, amount: &str) -> Result<i64, CommandError> {
    let fields = json!({ "id": account, "amount": amount });
    let accepted = engine.as_system("banking.account", "withdraw", fields).await?;
    Ok(accepted.appended.position)
}

/// Checks the log after many withdrawals of 1.00 from 500.00 with a limit of 100.00.
async fn check(house: &House, account: &str, accepted: &[i64]) {
    let account = Uuid::parse_str(account).expect("an id");
    let movements = house.movements().await;
    let withdrawn: Vec<_> = movements
        .iter()
        .filter(|movement| movement.stream == account && movement.signed < 0)
        .collect();
    let positions: HashSet<i64> = withdrawn.iter().map(|movement| movement.position).collect();
    let answered: HashSet<i64> = accepted.iter().copied().collect();
    assert_eq!(answered.len(), accepted.len(), "two answers name one place");
    assert_eq!(answered, positions, "what was answered and what is in the log");
    assert_eq!(accepted.len(), 600, "all that was there, and no more");
    let lowest = withdrawn.iter().map(|movement| movement.balance_after).min();
    assert_eq!(lowest, Some(-10_000));
}

async fn prepared(house: &House) -> String {
    let number = json!({
        "user_id": house.admin.id, "account_name": "Hot", "account_type": "checking",
        "account_number": "HOT-1", "currency": "EUR", "overdraft_limit": "100.00",
    });
    let opened = house.engine.as_system("banking.account", "open", number).await.expect("opened");
    let account = opened.appended.stream_id.to_string();
    let deposit = json!({ "id": account, "amount": "500.00" });
    house.engine.as_system("banking.account", "deposit", deposit).await.expect("a deposit");
    account
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_and_two_processes() {
    let (house, one) = House::served().await;
    let two = house.serve("two", &[]).await;
    let account = prepared(&house).await;
    let path = format!("{ACCOUNTS}/{account}/withdraw");
    let clients = (0..CLIENTS).map(|n| {
        let (server, path, key) = (if n % 2 == 0 { &one } else { &two }, &path, &house.admin.key);
        async move {
            let mut accepted = Vec::new();
            for _ in 0..EACH {
                let id = Uuid::now_v7().to_string();
                loop {
                    let headers = [("idempotency-key", id.as_str())];
                    let fields = json!({ "amount": "1.00" });
                    let asked = server.post_with(key, path, fields, &headers).await;
                    if asked.status == 200 {
                        accepted.push(asked.body["position"].as_i64().expect("a position"));
                        break;
                    }
                    if asked.body["type"] == "/problems/insufficient-funds" {
                        break;
                    }
                    // Two processes on one stream may get in each other's way for long.
                    asked.refused(409, "contended").header("retry-after");
                }
            }
            accepted
        }
    });
    let accepted: Vec<i64> = join_all(clients).await.concat();
    check(&house, &account, &accepted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_one_process_they_are_folded_into_chains() {
    let house = House::new().await;
    let account = prepared(&house).await;
    let batches = house.number("SELECT count(*) FROM journal.batches").await;
    let clients = (0..CLIENTS).map(|_| async {
        let mut accepted = Vec::new();
        for _ in 0..EACH {
            match withdraw(&house.engine, &account, "1.00").await {
                Ok(position) => accepted.push(position),
                Err(CommandError::Refused { code: "insufficient-funds", .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        accepted
    });
    let accepted: Vec<i64> = join_all(clients).await.concat();
    check(&house, &account, &accepted).await;
    let batches = house.number("SELECT count(*) FROM journal.batches").await - batches;
    // 600 requests; one by one they would need a batch each.
    assert!(batches < 100, "{batches} batches for 600 requests are not folded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_engines_agree() {
    let house = House::new().await;
    let account = prepared(&house).await;
    let pools = house.database.pools().await;
    let other = daybook_app::sides::write(&pools, &Settings::default()).await.expect("an engine");
    let clients = (0..CLIENTS).map(|n| {
        let (engine, account) = (if n % 2 == 0 { &house.engine } else { &other }, &account);
        async move {
            let mut accepted = Vec::new();
            for _ in 0..EACH {
                loop {
                    match withdraw(engine, account, "1.00").await {
                        Ok(position) => break accepted.push(position),
                        Err(CommandError::Refused { code: "insufficient-funds", .. }) => break,
                        Err(error) => assert!(error.moved_on(), "{error:?}"),
                    }
                }
            }
            accepted
        }
    });
    let accepted: Vec<i64> = join_all(clients).await.concat();
    check(&house, &account, &accepted).await;
}

/// Submits commands of one account side by side, each decided on what the one before leaves.
async fn together(
    engine: &Arc<Engine>,
    account: &str,
    commands: &[(&str, Value)],
) -> Vec<Result<i64, String>> {
    let submitted = commands.iter().map(|(name, fields)| {
        let mut fields = fields.clone();
        fields["id"] = account.into();
        async move {
            match engine.as_system("banking.account", name, fields).await {
                Ok(accepted) => Ok(accepted.appended.version),
                Err(CommandError::Refused { code, .. }) => Err(code.to_owned()),
                Err(CommandError::Append(error)) => Err(error.reason().to_owned()),
                Err(error) => panic!("{error:?}"),
            }
        }
    });
    join_all(submitted).await
}

#[tokio::test]
async fn what_rests_on_a_link_that_fails_is_decided_again() {
    let house = House::new().await;
    let engine = &house.engine;
    let account = prepared(&house).await;
    let empty = json!({
        "user_id": house.admin.id, "account_name": "Cold", "account_type": "checking",
        "account_number": "COLD-1", "currency": "EUR",
    });
    let opened = engine.as_system("banking.account", "open", empty).await.expect("opened");
    let cold = opened.appended.stream_id.to_string();
    // Only the log knows that this id was used, on another account.
    let used = Uuid::now_v7();
    let taken = json!({ "amount": "50.00", "transaction_id": used });
    let first = json!({ "id": account, "amount": "1.00", "transaction_id": used });
    engine.as_system("banking.account", "deposit", first).await.expect("a deposit");

    let five = json!({ "amount": "5.00" });
    let answers = together(
        engine,
        &cold,
        &[
            ("deposit", taken),
            ("withdraw", five.clone()),
            ("deposit", five.clone()),
            ("withdraw", json!({ "amount": "50.00" })),
            ("withdraw", five),
            ("deposit", json!({ "amount": "1.00" })),
        ],
    )
    .await;
    assert_eq!(answers[0], Err("claimed".into()));
    assert_eq!(answers[3], Err("insufficient-funds".into()), "{answers:?}");
    // The rest depends on who is decided again first, but never on the deposit that never was.
    let accepted: HashSet<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    assert_eq!(accepted.len(), answers.iter().filter(|answer| answer.is_ok()).count());
    assert!(answers[2].is_ok() && answers[5].is_ok(), "{answers:?}");
    let lowest = house.movements().await;
    let lowest = lowest.iter().filter(|movement| movement.stream.to_string() == cold);
    assert!(lowest.clone().all(|movement| (0..=6_00).contains(&movement.balance_after)));
    let versions = house.engine.log().stream_head(Uuid::parse_str(&cold).expect("an id")).await;
    let version = versions.expect("read").expect("a stream").version;
    assert_eq!(version, 1 + i64::try_from(accepted.len()).expect("few"));
}
