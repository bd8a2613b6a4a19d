//! API contracts and the rules that they are held to, the whole way: command, log, rows, both
//! trails, past.

mod api_contract;
mod governance_rule;
mod import;

use daybook_tests::{Answer, Daybook, Service};
use serde_json::{Value, json};

pub(crate) const CONTRACTS: &str = "/v1/contracts/api_contracts";
pub(crate) const ALIASES: &str = "/v1/contracts/api_aliases";
pub(crate) const RULES: &str = "/v1/contracts/governance_rules";
pub(crate) const TRAIL: &str = "/v1/contracts/audit_logs";

/// What registers a contract.
pub(crate) fn registering(name: &str, url: &str) -> Value {
    json!({ "canonical_name": name, "version": "1.2.0", "base_url": url })
}

/// The stream of an answer.
pub(crate) fn stream(answer: Answer) -> String {
    answer.accepted()["stream_id"].as_str().expect("a stream").to_owned()
}

/// Defines a rule; gives its id.
pub(crate) async fn define(service: &Service, name: &str, check: Value, severity: &str) -> String {
    let fields = json!({ "rule_name": name, "check": check, "severity": severity });
    stream(service.command(RULES, fields).await)
}

/// Sends a command to a contract or a rule.
pub(crate) async fn act(
    service: &Service,
    path: &str,
    id: &str,
    name: &str,
    fields: Value,
) -> Answer {
    service.command(&format!("{path}/{id}/{name}"), fields).await
}

/// That the tables posted live are what the log gives again.
pub(crate) fn assert_rebuilt_the_same(service: &Service) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = service.database.service_url();
    let arguments = ["--database-url", url.as_str(), "rebuild", "--check"];
    let checked = Daybook::run(&mut Daybook::command(folder.path(), &arguments));
    assert_eq!(checked.code, Some(0), "live and rebuilt tables differ: {checked:?}");
}
