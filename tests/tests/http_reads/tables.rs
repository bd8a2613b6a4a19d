//! Lists of rows: filters, pages, positions.

use std::collections::BTreeMap;
use std::sync::Arc;

use daybook_domain::context::Actor;
use daybook_domain::values::UserRole;
use serde_json::{Value, json};

use crate::service::{Posting, Service};

fn ids(page: &Value) -> Vec<String> {
    let rows = page["data"].as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().map_or_else(|| row["id"].to_string(), String::from)).collect()
}

#[tokio::test]
async fn indexed_columns_filter_and_nothing_else_does() {
    let service = Service::start().await;
    let (ada, bob) =
        (service.user("ada", UserRole::User).await, service.user("bob", UserRole::User).await);
    let first = service.account(&ada, "DE-1").await;
    let second = service.account(&bob, "DE-2").await;
    service.deposit(first, "10.00").await;
    service.deposit(first, "2.50").await;
    service.deposit(second, "7.00").await;
    let admin = Actor::system();
    let list = async |path: String| ids(&service.get_posted(&admin, &path).await.ok().json());

    let mine = list(format!("/v1/banking/accounts?user_id={}", ada.id)).await;
    assert_eq!(mine, [first.to_string()]);
    let numbered = list("/v1/banking/accounts?account_number=DE-2".into()).await;
    assert_eq!(numbered, [second.to_string()]);
    let mailed = list("/v1/identity/users?email=BOB@example.ORG".into()).await;
    assert_eq!(mailed, [bob.id.to_string()]);
    assert_eq!(list("/v1/identity/users?username=ADA".into()).await, [ada.id.to_string()]);
    assert_eq!(list("/v1/identity/users?status=deleted".into()).await.len(), 0);
    assert_eq!(list("/v1/identity/users?status=nonsense".into()).await.len(), 0);
    assert_eq!(list(format!("/v1/banking/transactions?account_id={first}")).await.len(), 2);
    assert_eq!(list("/v1/banking/transactions?from=2999-01-01T00:00:00Z".into()).await.len(), 0);
    let trail = format!("/v1/platform/audit-logs?entity_type=accounts&entity_id={first}");
    assert_eq!(list(trail).await.len(), 3);

    let refuse = async |path: &str| service.get(&admin, path).await.refused(400, "malformed");
    let problem = refuse("/v1/banking/accounts?ballance=3").await;
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("ballance") && detail.contains("account_number"), "{detail}");
    for path in [
        "/v1/banking/accounts?limit=0",
        "/v1/banking/accounts?limit=1001",
        "/v1/banking/accounts?limit=some",
        "/v1/banking/accounts?user_id=me",
        "/v1/banking/accounts?order=up",
        "/v1/banking/accounts?cursor=nonsense",
        "/v1/banking/accounts?user_id=a&user_id=b",
        "/v1/banking/accounts?account_number=%00",
        "/v1/banking/transactions?from=yesterday",
    ] {
        refuse(path).await;
    }
    service.get(&admin, "/v1/banking/nothing").await.refused(404, "not-found");
    service.get(&admin, "/v1/banking/accounts/nobody").await.refused(404, "not-found");
}

#[tokio::test]
async fn rows_are_typed_and_secrets_have_no_column() {
    let service = Service::start().await;
    let ada = service.user("ada", UserRole::User).await;
    let account = service.account(&ada, "DE-1").await;
    service.deposit(account, "1234.50").await;
    let path = format!("/v1/banking/accounts/{account}");
    let answer = service.get_posted(&Actor::system(), &path).await.ok();
    assert_eq!(answer.position(), service.log.head().await.unwrap().position);
    let row = answer.json();
    assert_eq!(row["balance"], "1234.50");
    assert_eq!(row["overdraft_limit"], "0.00");
    assert_eq!(row["frozen_at"], Value::Null);
    let made = row["created_at"].as_str().unwrap();
    assert!(made.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(made).is_ok(), "{made}");
    let user = service.get(&Actor::system(), &format!("/v1/identity/users/{}", ada.id)).await.ok();
    assert_eq!(user.json()["email"], "ada@Example.org");
    assert_eq!(user.json().get("password_hash"), None);
}

#[tokio::test]
async fn a_walk_meets_every_row_once_while_others_are_made() {
    let service = Arc::new(Service::start().await);
    let ada = service.user("ada", UserRole::User).await;
    let mut wanted = BTreeMap::new();
    for number in 0..23 {
        wanted.insert(service.account(&ada, &format!("old-{number}")).await.to_string(), 0);
    }
    let account: uuid::Uuid = wanted.keys().next().unwrap().parse().unwrap();
    for _ in 0..23 {
        service.deposit(account, "1.00").await;
    }
    let admin = Actor::system();
    service.get_posted(&admin, "/v1/banking/accounts").await.ok();
    for (path, order) in [
        ("accounts", "asc"),
        ("accounts", "desc"),
        ("transactions", "asc"),
        ("transactions", "desc"),
    ] {
        let start = format!("/v1/banking/{path}?limit=4&order={order}");
        let before = service.get(&admin, &format!("/v1/banking/{path}?limit=1000")).await.ok();
        let mut seen: BTreeMap<String, i32> =
            ids(&before.json()).into_iter().map(|id| (id, 0)).collect();
        assert!(seen.len() >= 23);
        let mut next = String::new();
        let mut round = 0;
        loop {
            // A row in front, one behind, and a change of one that is there, for every page.
            round += 1;
            service.account(&ada, &format!("new-{path}-{order}-{round}")).await;
            service.deposit(account, "0.01").await;
            let page = service.get_posted(&admin, &format!("{start}{next}")).await.ok().json();
            for id in ids(&page) {
                *seen.entry(id).or_insert(1_000) += 1;
            }
            if page["has_more"] == false {
                assert_eq!(page.get("next_cursor"), None);
                break;
            }
            assert_eq!(page["data"].as_array().unwrap().len(), 4);
            next = format!("&cursor={}", page["next_cursor"].as_str().unwrap());
        }
        let wrong: Vec<_> =
            seen.iter().filter(|(_, count)| **count != 1 && **count != 1_001).collect();
        assert!(wrong.is_empty(), "{path} {order}: {wrong:?}");

        // A cursor is good for its own walk only.
        let other = if order == "asc" { "desc" } else { "asc" };
        let path = format!("/v1/banking/{path}?order={other}{next}");
        service.get(&admin, &path).await.refused(400, "malformed");
    }
}

#[tokio::test]
async fn a_reader_sees_what_was_just_written_or_is_told_how_far_it_is() {
    let service = Service::start().await;
    let ada = service.user("ada", UserRole::User).await;
    let account = service.account(&ada, "DE-1").await;
    let path = format!("/v1/banking/accounts/{account}");
    for cents in 1..=20 {
        let written = service.deposit(account, "0.01").await.position().to_string();
        let headers = [("daybook-min-position", written.as_str()), ("prefer", "wait=10")];
        let row = service.get_with(&ada, &path, &headers).await.ok();
        assert_eq!(row.json()["balance"], format!("0.{cents:02}"));
        assert!(row.position() >= written.parse().unwrap());
    }
    let ahead = service.log.head().await.unwrap().position + 1;
    let headers = [("daybook-min-position", &*ahead.to_string())];
    let problem = service.get_with(&ada, &path, &headers).await.refused(503, "not-posted-yet");
    assert_eq!(problem["position_reached"], ahead - 1);
}

#[tokio::test]
async fn without_a_projector_waiting_ends_with_503_and_the_position_reached() {
    let service = Service::with(Posting::Stands).await;
    let head = service.log.head().await.unwrap().position.to_string();
    let headers = [("daybook-min-position", head.as_str()), ("prefer", "wait=1")];
    let started = std::time::Instant::now();
    let answer = service.get_with(&Actor::system(), "/v1/identity/users", &headers).await;
    assert!(started.elapsed().as_secs() >= 1);
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(answer.refused(503, "not-posted-yet")["position_reached"], 0);
    let answer = service.get(&Actor::system(), "/v1/identity/users").await.ok();
    assert_eq!((answer.position(), &answer.json()["data"]), (0, &json!([])));
}
