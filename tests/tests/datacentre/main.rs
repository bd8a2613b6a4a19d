//! Servers, and what is measured on them, the whole way: command, log, rows, audit trail, past.

mod import;
mod server;
mod usage;

use std::time::Duration;

use daybook_tests::{Answer, Daybook, Service};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const SERVERS: &str = "/v1/datacentre/servers";
pub(crate) const METRICS: &str = "/v1/datacentre/usage_metrics";

/// What provisions a server.
pub(crate) fn provisioning(hostname: &str) -> Value {
    json!({ "hostname": hostname, "ip_address": "192.0.2.7", "server_type": "web", "cpu_cores": 8 })
}

/// Provisions a server; gives its id.
pub(crate) async fn provision(service: &Service, fields: Value) -> String {
    let provisioned = service.command(SERVERS, fields).await.accepted();
    provisioned["stream_id"].as_str().expect("a stream").to_owned()
}

/// Sends a command to a server.
pub(crate) async fn act(service: &Service, server: &str, name: &str, fields: Value) -> Answer {
    service.command(&format!("{SERVERS}/{server}/{name}"), fields).await
}

/// A key of a user's own.
pub(crate) async fn key_of(service: &Service, user: Uuid) -> String {
    let fields = json!({ "user_id": user, "name": "own", "scopes": ["*"] });
    let issued = service.command("/v1/identity/api_keys", fields).await.accepted();
    let key = issued["secret"].as_str().expect("shown once").to_owned();
    // What the key may is looked up in the read tables.
    let users = format!("/v1/identity/users/{user}");
    let _ = service.read_after(&users, &issued["position"]).await.accepted();
    for _ in 0..100 {
        if service.ask(Method::GET, SERVERS, &key, None, &[]).await.status.is_success() {
            return key;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the key does not work");
}

/// That the tables posted live are what the log gives again.
pub(crate) fn assert_rebuilt_the_same(service: &Service) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = service.database.service_url();
    let arguments = ["--database-url", url.as_str(), "rebuild", "--check"];
    let checked = Daybook::run(&mut Daybook::command(folder.path(), &arguments));
    assert_eq!(checked.code, Some(0), "live and rebuilt tables differ: {checked:?}");
}
