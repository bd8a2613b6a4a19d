//! Who may send what in `contracts`. Nothing in it belongs to anyone.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Belongings, Made, Part, made};

pub(super) const PART: Part = Part {
    context: "contracts",
    may: &[
        ("contracts.api_contract.register", "am", "am"),
        ("contracts.api_contract.revise", "am", "am"),
        ("contracts.api_contract.deprecate", "am", "am"),
        ("contracts.api_contract.archive", "am", "am"),
        ("contracts.api_contract.add_alias", "am", "am"),
        ("contracts.api_contract.deactivate_alias", "am", "am"),
        ("contracts.api_contract.expire_alias", "am", "am"),
        ("contracts.governance_rule.define", "am", "am"),
        ("contracts.governance_rule.change", "am", "am"),
        ("contracts.governance_rule.enable", "am", "am"),
        ("contracts.governance_rule.disable", "am", "am"),
        // Nobody asks the rulebook from outside: it follows what happens to rules.
        ("contracts.rulebook.enforce", "", ""),
        ("contracts.rulebook.lift", "", ""),
    ],
    fields,
    target: |kind, owner| made(kind, owner.person.id).to_string(),
};

/// A contract and a rule beside a person; they are nobody's.
pub(super) fn makes(person: Uuid) -> Vec<Made> {
    let contract = json!({
        "canonical_name": person, "version": "1.0.0", "base_url": "https://example.org",
    });
    let rule = json!({
        "rule_name": person, "check": { "kind": "https_only" }, "severity": "warning",
    });
    vec![
        ("contracts.api_contract", "register", contract),
        ("contracts.governance_rule", "define", rule),
    ]
}

fn fields(command: &str, _owner: &Belongings, _other: &Belongings) -> Value {
    match command {
        "contracts.api_contract.register" => json!({
            "canonical_name": "new", "version": "1.0.0", "base_url": "https://example.org",
        }),
        "contracts.api_contract.revise" => json!({ "version": "2.0.0" }),
        "contracts.api_contract.add_alias" => json!({ "alias_name": "new", "context": "web" }),
        "contracts.api_contract.deactivate_alias" | "contracts.api_contract.expire_alias" => {
            json!({ "alias_id": Uuid::now_v7() })
        }
        "contracts.governance_rule.define" => json!({
            "rule_name": "new", "check": { "kind": "https_only" }, "severity": "warning",
        }),
        _ => json!({}),
    }
}
