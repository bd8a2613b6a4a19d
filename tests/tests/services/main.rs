//! Services and subscriptions the whole way: command, log, rows, audit trail, past, rebuild.

mod service;
mod subscription;

use daybook_tests::Service;
use serde_json::{Value, json};
use uuid::Uuid;

const SERVICES: &str = "/v1/services/services";
const SUBSCRIPTIONS: &str = "/v1/services/subscriptions";

/// Registers a service; gives its id.
async fn register(service: &Service, name: &str) -> String {
    let fields = json!({ "name": name, "type": "storage", "description": "Every night." });
    let registered = service.command(SERVICES, fields).await.accepted();
    registered["stream_id"].as_str().expect("a stream").to_owned()
}

/// What subscribes a user to a service.
fn subscribing(user: Uuid, to: &str) -> Value {
    json!({ "user_id": user, "service_id": to, "plan": "basic" })
}

/// The rows of a list.
fn rows(page: &Value) -> Vec<&Value> {
    page["data"].as_array().expect("rows").iter().collect()
}
