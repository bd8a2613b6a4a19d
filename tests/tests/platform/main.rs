//! Settings and notifications: the whole way, against real servers.
#![allow(clippy::disallowed_methods, reason = "tests are at the edge: they have a clock and ids")]

mod notification;
mod setting;

use daybook_tests::{Daybook, Service};
use serde_json::Value;

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
