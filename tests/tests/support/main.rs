//! `support`, the whole way: tickets and equipment against the real binary.

mod asset;
mod ticket;

use daybook_tests::{Daybook, Service};
use serde_json::{Value, json};
use uuid::Uuid;

/// Sends a command that must be accepted.
async fn act(service: &Service, path: &str, fields: Value) -> Value {
    service.command(path, fields).await.accepted()
}

/// A key of a user's own.
async fn key_of(service: &Service, user: Uuid) -> String {
    let fields = json!({ "user_id": user, "name": "own", "scopes": ["*"] });
    let issued = act(service, "/v1/identity/api_keys", fields).await;
    let user = format!("/v1/identity/users/{user}");
    // What the key may is looked up in the read tables.
    let _ = service.read_after(&user, &issued["position"]).await.accepted();
    issued["secret"].as_str().expect("shown once").to_owned()
}

/// The columns that a row changed in, by the audit trail of an entity, oldest first.
async fn trail(service: &Service, entity: &str, position: &Value) -> Vec<Value> {
    let path = format!("/v1/platform/audit_logs?entity_id={entity}&order=asc");
    let page = service.read_after(&path, position).await.accepted();
    page["data"].as_array().expect("rows").clone()
}

/// The tables posted live are the tables that the log gives.
fn rebuilt_is_the_same(service: &Service) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = service.database.service_url();
    let arguments = ["--database-url", url.as_str(), "rebuild", "--check"];
    let checked = Daybook::run(&mut Daybook::command(folder.path(), &arguments));
    assert_eq!(checked.code, Some(0), "live and rebuilt tables differ: {checked:?}");
}
