//! `identity.api_key`, the whole way.

use daybook_tests::Service;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::within_five_seconds;

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
    within_five_seconds(&service, &key, &itself, StatusCode::UNAUTHORIZED).await;
    let refused = service.ask(Method::GET, &itself, &key, None, &[]).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{refused:?}");
}

#[tokio::test]
async fn on_the_command_line_the_past_is_read_as_whoever_has_the_key() {
    let service = Service::start().await;
    let (eve, ada) = (service.register("eve").await, service.register("ada").await);
    let role = format!("/v1/identity/users/{eve}/change_role");
    let _ = service.command(&role, json!({ "role": "auditor" })).await.accepted();
    let (auditor, user) = (service.key_of(eve).await, service.key_of(ada).await);
    let readers = async || -> Vec<String> {
        sqlx::query_scalar("SELECT actor_id::text || ' ' || what FROM journal.reads WHERE user_agent LIKE 'daybook %' ORDER BY id")
            .fetch_all(&mut service.database.superuser().await)
            .await
            .expect("the journal")
    };
    let stream = eve.to_string();
    for arguments in [&["events", "--limit", "1"][..], &["audit", "--count"], &["state", &stream]] {
        let read = service.tool(&[&["--as-key", auditor.as_str()], arguments].concat());
        assert_eq!(read.code, Some(0), "{read:?}");
        let last = readers().await.pop().expect("a read");
        assert_eq!(last, format!("{eve} {}", arguments[0]));
        let before = readers().await.len();
        let refused = service.tool(&[&["--as-key", user.as_str()], arguments].concat());
        assert!(refused.code == Some(1) && refused.stderr.contains("history"), "{refused:?}");
        let unknown = service.tool(&[&["--as-key", "dbk_nobodys"], arguments].concat());
        assert!(unknown.code == Some(1) && unknown.stderr.contains("valid"), "{unknown:?}");
        assert!(unknown.stdout.is_empty() && refused.stdout.is_empty());
        assert_eq!(readers().await.len(), before);
        // Without a key, as before.
        assert_eq!(service.tool(arguments).code, Some(0));
        let system = daybook_domain::context::SYSTEM_USER;
        assert_eq!(readers().await.pop(), Some(format!("{system} {}", arguments[0])));
    }
}
