//! `identity.api_key`, the whole way.

use std::time::{Duration, Instant};

use daybook_tests::Service;
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_key_works_within_its_scopes_until_it_is_revoked() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let keys = "/v1/identity/api_keys";
    let fields = json!({"user_id": ada, "name": "laptop", "scopes": ["identity.user:read"]});
    let issued = service.command(keys, fields).await.accepted();
    let key = issued["secret"].as_str().expect("shown once").to_owned();
    let itself = format!("/v1/identity/users/{ada}");
    // What the key may is looked up in the read tables.
    let _ = service.read_after(&itself, &issued["position"]).await.accepted();

    let read = service.ask(Method::GET, &itself, &key, None, &[]).await;
    assert_eq!(read.status, StatusCode::OK, "{read:?}");
    let change = format!("{itself}/change_profile");
    let fields = Some(json!({"full_name": "Ada King"}));
    let beyond = service.ask(Method::POST, &change, &key, fields, &[]).await;
    assert_eq!(beyond.status, StatusCode::FORBIDDEN, "{beyond:?}");

    let id = issued["stream_id"].as_str().expect("a stream");
    let _ = service.command(&format!("{keys}/{id}/revoke"), json!({})).await.accepted();
    let revoked = Instant::now();
    while service.ask(Method::GET, &itself, &key, None, &[]).await.status == StatusCode::OK {
        assert!(revoked.elapsed() < Duration::from_secs(5), "it still works");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let refused = service.ask(Method::GET, &itself, &key, None, &[]).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{refused:?}");
}
