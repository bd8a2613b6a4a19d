//! One entity between two moments, at a version, and after it is gone.

use daybook_domain::context::Actor;
use daybook_domain::values::UserRole;
use serde_json::{Value, json};

use crate::service::Service;

#[tokio::test]
async fn a_diff_is_the_net_change_and_every_step_with_its_event() {
    let service = Service::start().await;
    let ada = service.user("ada", UserRole::User).await;
    let account = service.account(&ada, "DE-1").await;
    let path = format!("/v1/banking/accounts/{account}");
    let from = service.deposit(account, "10.00").await.position();
    let mut positions = Vec::new();
    for command in ["freeze", "unfreeze"] {
        let answer = service.post(&Actor::system(), &format!("{path}/{command}"), json!({})).await;
        positions.push(answer.ok().position());
    }
    positions.push(service.deposit(account, "2.50").await.position());
    let to = positions[2];
    service.deposit(account, "99.00").await;
    let diff = service.get_posted(&ada, &format!("{path}/diff?from={from}&to={to}")).await.ok();
    assert_eq!(diff.position(), to);
    let diff = diff.json();
    assert_eq!((&diff["from_version"], &diff["to_version"]), (&json!(2), &json!(5)));
    let change = |table: &str, column: &str| {
        let changes = diff["changes"].as_array().unwrap();
        let is_it = |change: &&Value| change["table"] == table && change["column"] == column;
        changes.iter().find(is_it).map(|change| (change["before"].clone(), change["after"].clone()))
    };
    assert_eq!(change("accounts", "balance"), Some((json!("10.00"), json!("12.50"))));
    assert_eq!(change("transactions", "amount"), Some((Value::Null, json!("2.50"))));
    assert_eq!(change("accounts", "status"), None, "what went and came back is no change");
    let steps = diff["steps"].as_array().unwrap();
    let stood: Vec<i64> = steps.iter().map(|step| step["position"].as_i64().unwrap()).collect();
    assert_eq!(stood, positions);
    assert_eq!(steps[0]["event_type"], "banking.account.frozen");
    assert_eq!(steps[0]["rows"][0]["after"]["status"], "frozen");
    assert_eq!(steps[2]["rows"].as_array().unwrap().len(), 2, "{}", steps[2]);

    // One row of a stream that has several: only itself.
    let list = service.get_posted(&ada, "/v1/banking/transactions").await.ok().json();
    let paid = list["data"].as_array().unwrap().iter().find(|row| row["amount"] == "2.50").unwrap();
    let paid = format!("/v1/banking/transactions/{}/diff?from=0", paid["id"].as_str().unwrap());
    let diff = service.get(&ada, &paid).await.ok().json();
    assert_eq!(diff["steps"].as_array().unwrap().len(), 1, "{diff}");
    assert!(diff["changes"].as_array().unwrap().iter().all(|c| c["table"] == "transactions"));

    let bob = service.user("bob", UserRole::User).await;
    service.get(&bob, &format!("{path}/diff?from=0")).await.refused(404, "not-found");
    for wrong in ["", "?from=x", "?from=9&to=1", "?from=0&until=3"] {
        service.get(&ada, &format!("{path}/diff{wrong}")).await.refused(400, "malformed");
    }
    service.get(&ada, &format!("{path}/diff?from=0&to=100000")).await.refused(422, "not-yet");
}

#[tokio::test]
async fn each_version_is_the_position_of_its_event() {
    let service = Service::start().await;
    let ada = service.user("ada", UserRole::User).await;
    let account = service.account(&ada, "DE-1").await;
    let path = format!("/v1/banking/accounts/{account}");
    let mut stood = Vec::new();
    for _ in 0..5 {
        stood.push(service.deposit(account, "1.00").await.position());
    }
    service.get_posted(&ada, &path).await.ok();
    for (at, position) in stood.iter().enumerate() {
        let version = at + 2;
        let answer = service.get(&ada, &format!("{path}?at_version={version}")).await.ok();
        let then = service.get(&ada, &format!("{path}?at_position={position}")).await.ok();
        assert_eq!((answer.position(), &answer.text), (*position, &then.text));
        assert_eq!(answer.headers["etag"], format!("\"{version}\""));
        assert_eq!(answer.json()["balance"], format!("{}.00", at + 1));
    }
    service.get(&ada, &format!("{path}?at_version=7")).await.refused(404, "not-found");
    for wrong in ["at_version=0", "at_version=2&at_position=3"] {
        service.get(&ada, &format!("{path}?{wrong}")).await.refused(400, "malformed");
    }
}

#[tokio::test]
async fn what_is_gone_has_a_past_for_who_may_read_everyones() {
    let service = Service::start().await;
    let admin = Actor::system();
    let body = json!({ "name": "p", "resource": "banking.account", "action": "freeze" });
    let made = service.post(&admin, "/v1/identity/permissions", body).await.ok();
    let id = made.json()["stream_id"].as_str().unwrap().to_owned();
    let path = format!("/v1/identity/permissions/{id}");
    service.get_posted(&admin, &path).await.ok();
    let gone = service.post(&admin, &format!("{path}/remove"), json!({})).await.ok().position();
    service.get_posted(&admin, &path).await.refused(404, "not-found");
    let then = format!("{path}?at_position={}", made.position());
    let auditor = service.user("eve", UserRole::Auditor).await;
    let row = service.get(&auditor, &then).await.ok().json();
    assert_eq!(row["id"], id.as_str());
    let diff = format!("{path}/diff?from={}&to={gone}", made.position());
    let diff = service.get(&auditor, &diff).await.ok().json();
    assert_eq!(diff["steps"][0]["rows"][0]["action"], "DELETE", "{diff}");
    let ada = service.user("ada", UserRole::User).await;
    let refused = service.get(&ada, &then).await;
    assert!([403, 404].contains(&refused.status.as_u16()), "{refused:?}");
}
