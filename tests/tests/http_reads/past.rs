//! One entity as it was.

use daybook_domain::context::Actor;
use daybook_domain::values::UserRole;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::service::Service;

/// What an account should be at a position, kept by hand.
struct Kept {
    position: i64,
    recorded_at: String,
    balance: i64,
    status: &'static str,
}

#[tokio::test]
async fn an_account_as_of_any_position_is_what_a_naive_fold_says() {
    let service = Service::start().await;
    let ada = service.user("ada", UserRole::User).await;
    let account = service.account(&ada, "DE-1").await;
    let path = format!("/v1/banking/accounts/{account}");
    let before = service.log.head().await.unwrap().position - 1;
    let (mut balance, mut status) = (0_i64, "active");
    let mut kept: Vec<Kept> = Vec::new();
    let mut runner = TestRunner::deterministic();
    let steps = prop::collection::vec((0..4_u8, 1..5_000_i64), 40).new_tree(&mut runner).unwrap();
    for (what, cents) in steps.current() {
        let amount = json!({ "amount": format!("{}.{:02}", cents / 100, cents % 100) });
        let (command, body, after) = match what {
            0 | 1 => ("deposit", amount, balance + cents),
            2 => ("withdraw", amount, balance - cents),
            _ if status == "active" => ("freeze", json!({}), balance),
            _ => ("unfreeze", json!({}), balance),
        };
        let answer = service.post(&Actor::system(), &format!("{path}/{command}"), body).await;
        if !answer.status.is_success() {
            assert!(status == "frozen" || after < 0, "{}", answer.text);
            continue;
        }
        balance = after;
        status = match command {
            "freeze" => "frozen",
            "unfreeze" => "active",
            _ => status,
        };
        let recorded_at = answer.json()["recorded_at"].as_str().unwrap().to_owned();
        kept.push(Kept { position: answer.position(), recorded_at, balance, status });
        // Others' events lie between.
        service.user(&format!("u{}", kept.len()), UserRole::User).await;
    }
    assert!(kept.len() > 15, "{}", kept.len());
    for (at, Kept { position, recorded_at, balance, status }) in kept.iter().enumerate() {
        let last = kept.get(at + 1).map_or(*position, |next| next.position - 1);
        for asked in [
            format!("at_position={position}"),
            format!("at_position={last}"),
            format!("as_of={}", recorded_at.replace('+', "%2B")),
        ] {
            let answer = service.get(&ada, &format!("{path}?{asked}")).await.ok();
            let row = answer.json();
            assert_eq!(row["balance"], format!("{}.{:02}", balance / 100, balance % 100));
            assert_eq!(row["status"], *status);
            let stands = if asked.ends_with(&last.to_string()) { last } else { *position };
            assert_eq!(answer.position(), stands, "{asked}");
            assert_eq!(answer.headers["etag"], format!("\"{}\"", at + 2));
        }
    }
    let problem = service.get(&ada, &format!("{path}?at_position={before}")).await;
    assert_eq!(problem.refused(404, "not-found")["position"], before);
}

#[tokio::test]
async fn the_past_that_ends_now_is_the_row_itself() {
    let service = Service::start().await;
    let ada = service.user("ada", UserRole::User).await;
    let account = service.account(&ada, "DE-1").await;
    let paid = service.deposit(account, "10.00").await.position();
    let body = json!({ "user_id": ada.id, "name": "a key", "scopes": ["banking.*:read"] });
    let key = service.post(&Actor::system(), "/v1/identity/api_keys", body).await.ok().json();
    let admin = Actor::system();
    let transactions = service.get_posted(&admin, "/v1/banking/transactions").await.ok().json();
    let transaction = transactions["data"][0]["id"].as_str().unwrap().to_owned();
    let trail = service.get_posted(&admin, "/v1/platform/audit_logs?limit=1").await.ok().json();
    for path in [
        format!("/v1/identity/users/{}", ada.id),
        format!("/v1/identity/api-keys/{}", key["stream_id"].as_str().unwrap()),
        format!("/v1/banking/accounts/{account}"),
        format!("/v1/banking/transactions/{transaction}"),
        format!("/v1/platform/audit_logs/{}", trail["data"][0]["id"]),
    ] {
        let head = service.log.head().await.unwrap().position;
        let now = service.get_posted(&admin, &path).await.ok();
        let then = service.get(&admin, &format!("{path}?at_position={head}")).await.ok();
        assert_eq!(now.text, then.text, "{path}");
        service.get(&admin, &format!("{path}?at_position=1")).await.refused(404, "not-found");
    }
    let path = format!("/v1/banking/transactions/{transaction}");
    service.get(&ada, &format!("{path}?at_position={paid}")).await.ok();
    let earlier = service.get(&ada, &format!("{path}?at_position={}", paid - 1)).await;
    earlier.refused(404, "not-found");
}

#[tokio::test]
async fn the_future_is_refused_and_a_past_instant_is_always_answered() {
    let service = Service::start().await;
    let ada = service.user("ada", UserRole::User).await;
    let path = format!("/v1/identity/users/{}", ada.id);
    let future = chrono::Utc::now() + chrono::TimeDelta::minutes(5);
    let future = future.format("%Y-%m-%dT%H:%M:%SZ");
    service.get(&ada, &format!("{path}?as_of={future}")).await.refused(422, "not-yet");
    for (beyond, status, code) in [
        ("-4800-01-01T00:00:00Z", 404, "not-found"),
        ("1969-12-31T23:59:59Z", 404, "not-found"),
        ("%2B200000-01-01T00:00:00Z", 422, "not-yet"),
    ] {
        service.get(&ada, &format!("{path}?as_of={beyond}")).await.refused(status, code);
    }
    service.get(&ada, &format!("{path}?at_position=1000000")).await.refused(422, "not-yet");
    for wrong in
        ["as_of=noon", "at_position=-1", "at_position=1&as_of=2020-01-01T00:00:00Z", "at=1"]
    {
        service.get(&ada, &format!("{path}?{wrong}")).await.refused(400, "malformed");
    }
    // Nothing has been appended since: the log is made to reach the instant.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let now = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.6fZ");
    let answer = service.get_posted(&ada, &format!("{path}?as_of={now}")).await.ok();
    assert_eq!(answer.position(), service.log.head().await.unwrap().position);
    let first: Value = answer.json();
    service.user("bob", UserRole::User).await;
    let again = service.get(&ada, &format!("{path}?as_of={now}")).await.ok();
    assert_eq!((again.position(), again.json()), (answer.position(), first));
}
