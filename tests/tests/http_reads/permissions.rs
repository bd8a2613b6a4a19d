//! Who sees what.

use daybook_domain::context::Actor;
use daybook_domain::values::UserRole;
use serde_json::json;

use crate::service::Service;

#[tokio::test]
async fn a_user_sees_what_is_their_own_and_nothing_else() {
    let service = Service::start().await;
    let ada = service.user("ada", UserRole::User).await;
    let bob = service.user("bob", UserRole::User).await;
    let (hers, his) = (service.account(&ada, "DE-1").await, service.account(&bob, "DE-2").await);
    service.deposit(hers, "1.00").await;
    service.deposit(his, "2.00").await;
    let rows = async |actor: &Actor, path: &str| {
        let page = service.get_posted(actor, path).await.ok().json();
        page["data"].as_array().unwrap().clone()
    };
    let users = rows(&ada, "/v1/identity/users").await;
    assert_eq!((users.len(), &users[0]["id"]), (1, &json!(ada.id)));
    assert!(rows(&ada, "/v1/identity/users?email=bob@example.org").await.is_empty());
    assert_eq!(rows(&ada, "/v1/identity/user-identifiers").await.len(), 2);
    let accounts = rows(&ada, "/v1/banking/accounts").await;
    assert_eq!((accounts.len(), &accounts[0]["id"]), (1, &json!(hers)));
    let transactions = rows(&ada, "/v1/banking/transactions").await;
    assert_eq!((transactions.len(), &transactions[0]["amount"]), (1, &json!("1.00")));
    assert!(rows(&ada, &format!("/v1/banking/transactions?account_id={his}")).await.is_empty());

    service.get(&ada, &format!("/v1/banking/accounts/{hers}")).await.ok();
    let his_path = format!("/v1/banking/accounts/{his}");
    let head = service.log.head().await.unwrap().position;
    let now = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ");
    for path in [
        his_path.clone(),
        format!("{his_path}?at_position={head}"),
        format!("{his_path}?as_of={now}"),
        format!("/v1/streams/{his}/events"),
        format!("/v1/identity/users/{}", bob.id),
    ] {
        service.get(&ada, &path).await.refused(404, "not-found");
    }
    service.get(&ada, &format!("/v1/streams/{hers}/events")).await.ok();
    for path in ["/v1/events", "/v1/platform/audit-logs", "/v1/platform/projector", "/v1/rebuilds"]
    {
        service.get(&ada, path).await.refused(403, "forbidden");
    }
}

#[tokio::test]
async fn roles_and_scopes_bound_what_is_read() {
    let service = Service::start().await;
    let owner = service.user("ada", UserRole::User).await;
    let account = service.account(&owner, "DE-1").await;
    let mut actors = Vec::new();
    for role in [UserRole::Admin, UserRole::Manager, UserRole::Viewer, UserRole::Auditor] {
        actors.push(service.user(&format!("a-{role}"), role).await);
    }
    let one = format!("/v1/banking/accounts/{account}");
    let stream = format!("/v1/streams/{account}/events");
    // For admin, manager, viewer, auditor: whether the whole is seen.
    let expected = [
        ("/v1/banking/accounts", [200, 200, 200, 200]),
        (one.as_str(), [200, 200, 200, 200]),
        (stream.as_str(), [200, 200, 200, 200]),
        ("/v1/events", [200, 403, 403, 200]),
        ("/v1/platform/audit-logs", [200, 403, 403, 200]),
        ("/v1/platform/projector", [200, 200, 200, 200]),
        ("/v1/rebuilds", [200, 200, 200, 200]),
    ];
    for (path, statuses) in expected {
        for (actor, status) in actors.iter().zip(statuses) {
            let answer = service.get_posted(actor, path).await;
            assert_eq!(answer.status.as_u16(), status, "{} {path}: {}", actor.role, answer.text);
        }
    }
    let keys: Vec<usize> = {
        let mut seen = Vec::new();
        for actor in &actors {
            let users = service.get_posted(actor, "/v1/identity/users").await.ok().json();
            seen.push(users["data"].as_array().unwrap().len());
        }
        seen
    };
    // Three parts of the service, Ada, and the four; viewers see themselves.
    assert_eq!(keys, [8, 8, 1, 8]);

    let narrow = |scope: &str| Actor { scopes: Some(vec![scope.to_owned()]), ..actors[0].clone() };
    service.get(&narrow("identity.*:read"), &one).await.refused(403, "forbidden");
    service.get(&narrow("banking.account:read"), &one).await.ok();
    service.get(&narrow("banking.account:read"), "/v1/events").await.refused(403, "forbidden");
    service.get(&narrow("log:history"), "/v1/events").await.ok();
}

#[tokio::test]
async fn parked_events_are_tried_again_by_administrators_only() {
    let service = Service::start().await;
    let manager = service.user("m", UserRole::Manager).await;
    let retry = "/v1/platform/projector/retry";
    service.post(&manager, retry, json!({})).await.refused(403, "forbidden");
    let asked = service.post(&Actor::system(), retry, json!({})).await.ok();
    assert_eq!(asked.json()["asked"], 0);
    let status = service.get_posted(&Actor::system(), "/v1/platform/projector").await.ok().json();
    assert_eq!(status["lanes"].as_array().unwrap().len(), 64);
    assert_eq!((&status["parked"], &status["waiting"]), (&json!([]), &json!([])));
    assert!(status["lag"]["events"].is_i64() && status["lag"]["seconds"].is_number(), "{status}");
}
