//! `identity.permission`, the whole way.

use daybook_tests::Service;
use futures::future::join_all;
use serde_json::json;

use super::{PERMISSIONS, live_is_rebuilt, rows};

#[tokio::test]
async fn a_name_and_what_is_permitted_belong_to_one_permission_until_it_is_removed() {
    let service = Service::start().await;
    let define = |name: &str, action: &str| {
        let fields = json!({"name": name, "resource": "banking.account", "action": action});
        service.command(PERMISSIONS, fields)
    };
    let defined = define("counter", "withdraw").await.accepted();
    let id = defined["stream_id"].as_str().expect("a stream").to_owned();
    let same_name = define("counter", "deposit").await;
    assert_eq!(same_name.refused(409), "taken");
    assert_eq!(same_name.body["scope"], "permission.name");
    let same_subject = define("other", "withdraw").await;
    assert_eq!(same_subject.refused(409), "taken");
    assert_eq!(same_subject.body["scope"], "permission.resource_action");
    let wrong = json!({"name": "w", "resource": "Banking", "action": "read"});
    let wrong = service.command(PERMISSIONS, wrong).await;
    assert_eq!(wrong.refused(422), "invalid");

    let itself = format!("{PERMISSIONS}/{id}");
    let fields = json!({"name": "till", "description": "for tellers"});
    let described = service.command(&format!("{itself}/describe"), fields).await.accepted();
    let row = service.read_after(&itself, &described["position"]).await.accepted();
    assert_eq!(
        (&row["name"], &row["resource"], &row["action"], &row["description"]),
        (&json!("till"), &json!("banking.account"), &json!("withdraw"), &json!("for tellers"))
    );
    // The name before is free for another one.
    let _ = define("counter", "deposit").await.accepted();

    let remove = format!("{itself}/remove");
    let removed = service.command(&remove, json!({"reason": "unused"})).await.accepted();
    assert_eq!(removed["events"], json!(["identity.permission.removed"]));
    let again = service.command(&remove, json!({})).await.accepted();
    assert_eq!(again["events"], json!([]));
    let left = rows(&service, &format!("{PERMISSIONS}?name=till"), &removed).await;
    assert!(left.is_empty(), "{left:?}");
    let trail = format!("/v1/platform/audit_logs?entity_id={id}");
    let trail = rows(&service, &trail, &removed).await;
    let actions: Vec<_> = trail.iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["DELETE", "UPDATE", "INSERT"], "newest first");
    let _ = define("till", "withdraw").await.accepted();
    live_is_rebuilt(&service);
}

#[tokio::test]
async fn of_those_who_define_the_same_at_once_one_wins() {
    let service = Service::start().await;
    let asked = (0..8).map(|n| {
        let fields = json!({"name": format!("p{n}"), "resource": "*", "action": "read"});
        service.command(PERMISSIONS, fields)
    });
    let answers = join_all(asked).await;
    let (won, lost): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status.is_success());
    assert_eq!(won.len(), 1, "{won:?}");
    assert!(lost.iter().all(|answer| answer.refused(409) == "taken"), "{lost:?}");
}
