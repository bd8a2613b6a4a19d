//! Users, what they may, and with what they come in.

mod api_key;
mod permission;
mod role;
mod session;
mod user;

use std::time::{Duration, Instant};

use daybook_tests::{Daybook, Service};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

const USERS: &str = "/v1/identity/users";
const ROLES: &str = "/v1/identity/roles";
const PERMISSIONS: &str = "/v1/identity/permissions";

/// Issues a key that may all that its owner may.
async fn key_of(service: &Service, user: Uuid) -> String {
    let fields = json!({"user_id": user, "name": "laptop", "scopes": ["*"]});
    let issued = service.command("/v1/identity/api_keys", fields).await.accepted();
    let itself = format!("{USERS}/{user}");
    let _ = service.read_after(&itself, &issued["position"]).await.accepted();
    issued["secret"].as_str().expect("shown once").to_owned()
}

/// Reads as `key` until the answer has this status: what a key may is believed for a moment after
/// something else is posted. When it was asked counts, not when that was answered.
async fn within_five_seconds(service: &Service, key: &str, path: &str, status: StatusCode) {
    service.posted().await;
    let posted = Instant::now();
    loop {
        let asked = posted.elapsed();
        let answer = service.ask(Method::GET, path, key, None, &[]).await;
        if answer.status == status {
            return;
        }
        assert!(asked < Duration::from_secs(5), "not {status} but {answer:?} of {path}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The rows at an address, once what was accepted last is posted.
async fn rows(service: &Service, path: &str, accepted: &Value) -> Vec<Value> {
    let page = service.read_after(path, &accepted["position"]).await.accepted();
    page["data"].as_array().expect("rows").clone()
}

/// The tables as they were posted are the tables made again from the log.
fn live_is_rebuilt(service: &Service) {
    let here = tempfile::tempdir().expect("a folder");
    let url = service.database.service_url();
    let arguments = ["--database-url", url.as_str(), "rebuild", "--check"];
    let checked = Daybook::run(&mut Daybook::command(here.path(), &arguments));
    assert_eq!(checked.code, Some(0), "live and rebuilt tables differ: {checked:?}");
}
