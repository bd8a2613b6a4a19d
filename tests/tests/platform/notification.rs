//! `platform.notification`, the whole way.

use daybook_tests::Service;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{rebuilt_is_the_same, rows};

const NOTIFICATIONS: &str = "/v1/platform/notifications";

async fn key_of(service: &Service, user: Uuid) -> String {
    let fields = json!({"user_id": user, "name": "test", "scopes": ["*"]});
    let issued = service.command("/v1/identity/api_keys", fields).await.accepted();
    let itself = format!("/v1/identity/users/{user}");
    let _ = service.read_after(&itself, &issued["position"]).await.accepted();
    issued["secret"].as_str().expect("shown once").to_owned()
}

#[tokio::test]
async fn a_user_is_told_reads_and_is_done_with_it() {
    let service = Service::start().await;
    let (ada, bob) = (service.register("ada").await, service.register("bob").await);
    let (hers, his) = (key_of(&service, ada).await, key_of(&service, bob).await);
    let fields = json!({"user_id": ada, "title": "Your export is ready", "kind": "success",
        "message": "It can be downloaded for a week.", "link": "https://example.org/1"});
    let told = service.command(NOTIFICATIONS, fields.clone()).await.accepted();
    let address = format!("{NOTIFICATIONS}/{}", told["stream_id"].as_str().expect("a stream"));
    // Nobody tells it to themselves.
    let own = service.ask(Method::POST, NOTIFICATIONS, &hers, Some(fields), &[]).await;
    assert_eq!(own.refused(403), "forbidden");
    let nobody = json!({"user_id": Uuid::now_v7(), "title": "x"});
    assert_eq!(service.command(NOTIFICATIONS, nobody).await.refused(409), "user-not-found");

    let act = async |key: &str, name: &str| {
        service.ask(Method::POST, &format!("{address}/{name}"), key, Some(json!({})), &[]).await
    };
    assert_eq!(act(&his, "mark_read").await.refused(403), "forbidden");
    let read = act(&hers, "mark_read").await.accepted();
    let row = service.read_after(&address, &read["position"]).await.accepted();
    assert!(row["read_at"].is_string() && row["dismissed_at"] == Value::Null, "{row}");
    assert_eq!(act(&hers, "mark_read").await.accepted()["events"], json!([]));
    let dismissed = act(&hers, "dismiss").await.accepted();
    let row = service.read_after(&address, &dismissed["position"]).await.accepted();
    assert!(row["dismissed_at"].is_string(), "{row}");

    let seen = service.ask(Method::GET, NOTIFICATIONS, &his, None, &[]).await.accepted();
    assert_eq!(seen["data"], json!([]));
    let seen = service.ask(Method::GET, NOTIFICATIONS, &hers, None, &[]).await.accepted();
    assert_eq!(seen["data"].as_array().map(Vec::len), Some(1));
    let of_her = format!("{NOTIFICATIONS}?user_id={ada}");
    assert_eq!(rows(&service, &of_her, &dismissed["position"]).await.len(), 1);

    let delete = format!("/v1/identity/users/{bob}/delete");
    let _ = service.command(&delete, json!({})).await.accepted();
    let gone = json!({"user_id": bob, "title": "x"});
    assert_eq!(service.command(NOTIFICATIONS, gone).await.refused(409), "user-deleted");
    rebuilt_is_the_same(&service);
}
