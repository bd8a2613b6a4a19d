//! Organizations, what they have and who pays for them: the whole way, against real servers.
#![allow(clippy::disallowed_methods, reason = "tests are at the edge: they have a clock and ids")]

mod billing_account;
mod organization;
mod owners;
mod resource;

use daybook_tests::{Daybook, Service};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use daybook_tests::Answer;

const ORGANIZATIONS: &str = "/v1/organizations/organizations";
const MEMBERS: &str = "/v1/organizations/org_members";
const RESOURCES: &str = "/v1/organizations/resources";
const METADATA: &str = "/v1/organizations/resource_metadata";
const BILLING: &str = "/v1/organizations/billing_accounts";

/// A user with a key of their own.
struct Person {
    id: Uuid,
    key: String,
}

async fn person(service: &Service, name: &str) -> Person {
    let id = service.register(name).await;
    let fields = json!({"user_id": id, "name": "test", "scopes": ["*"]});
    let issued = service.command("/v1/identity/api_keys", fields).await.accepted();
    let key = issued["secret"].as_str().expect("shown once").to_owned();
    // What the key may is looked up in the read tables.
    let itself = format!("/v1/identity/users/{id}");
    let _ = service.read_after(&itself, &issued["position"]).await.accepted();
    Person { id, key }
}

async fn send(service: &Service, who: &Person, path: &str, fields: Value) -> Answer {
    service.ask(Method::POST, path, &who.key, Some(fields), &[]).await
}

/// Creates an organization as `who`; gives its id.
async fn create(service: &Service, who: &Person, name: &str) -> String {
    let created = send(service, who, ORGANIZATIONS, json!({"name": name})).await.accepted();
    stream(&created)
}

/// Makes a resource as the administrator; gives its id.
async fn resource(service: &Service, organization: &str, name: &str) -> String {
    let fields = json!({"org_id": organization, "name": name, "type": "device"});
    stream(&service.command(RESOURCES, fields).await.accepted())
}

fn stream(answer: &Value) -> String {
    answer["stream_id"].as_str().expect("a stream").to_owned()
}

/// The rows of a list, once `position` is posted, as the administrator sees them.
async fn rows(service: &Service, path: &str, position: &Value) -> Vec<Value> {
    let page = service.read_after(path, position).await.accepted();
    page["data"].as_array().expect("rows").clone()
}

/// The tables that were posted live are those that a rebuild gives.
fn rebuilt_is_the_same(service: &Service) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = service.database.service_url();
    let arguments = ["--database-url", url.as_str(), "rebuild", "--check"];
    let checked = Daybook::run(&mut Daybook::command(folder.path(), &arguments));
    assert_eq!(checked.code, Some(0), "live and rebuilt tables differ: {checked:?}");
}
