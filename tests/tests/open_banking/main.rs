//! `open_banking`, the whole way, against the real binary.
#![allow(clippy::disallowed_methods, reason = "tests are at the edge: they have a clock")]

mod aisp_account;

use daybook_tests::{Daybook, Service};
use serde_json::Value;

/// Sends a command that must be accepted.
async fn act(service: &Service, path: &str, fields: Value) -> Value {
    service.command(path, fields).await.accepted()
}

/// The tables posted live are the tables that the log gives.
fn rebuilt_is_the_same(service: &Service) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = service.database.service_url();
    let arguments = ["--database-url", url.as_str(), "rebuild", "--check"];
    let checked = Daybook::run(&mut Daybook::command(folder.path(), &arguments));
    assert_eq!(checked.code, Some(0), "live and rebuilt tables differ: {checked:?}");
}
