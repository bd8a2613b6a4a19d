//! From the file's lines to commands.

use daybook_command::batch::Line;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::read::ContractLine;

/// The namespace of everything that comes from this data set.
const CONTRACTS: Uuid = Uuid::from_u128(0x9c47_0a6e_1b5d_5382_a0f9_3e68_d7c1_42b5);

/// The name of the rule that base URLs are https.
pub const HTTPS_ONLY: &str = "https-only";
/// The name of the rule that contracts are described.
pub const DESCRIPTION_REQUIRED: &str = "description-required";

fn id(of: &str) -> Uuid {
    Uuid::new_v5(&CONTRACTS, of.as_bytes())
}

/// The rules that the contracts are held to: public APIs often break them, so they only warn.
#[must_use]
pub fn rules() -> Vec<Line> {
    let rule = |name: &str, check: Value| {
        let data = json!({ "rule_name": name, "check": check, "severity": "warning" });
        let (stream, command) = (id(&format!("rule/{name}")), id(&format!("define/{name}")));
        line("contracts.governance_rule.define", stream, command, data)
    };
    vec![
        rule(HTTPS_ONLY, json!({ "kind": "https_only" })),
        rule(DESCRIPTION_REQUIRED, json!({ "kind": "description_required" })),
    ]
}

/// The command that registers a contract.
#[must_use]
pub fn register(contract: &ContractLine) -> Line {
    let name = &contract.canonical_name;
    let mut data = json!({
        "canonical_name": name,
        "version": contract.version,
        "base_url": contract.base_url,
    });
    if !contract.description.is_empty() {
        data["description"] = contract.description.clone().into();
    }
    let (stream, command) = (id(&format!("contract/{name}")), id(&format!("register/{name}")));
    line("contracts.api_contract.register", stream, command, data)
}

fn line(command_type: &str, stream: Uuid, command: Uuid, data: Value) -> Line {
    let data = match data {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    Line {
        id: Some(command),
        command_type: command_type.to_owned(),
        stream_id: Some(stream),
        expected_version: None,
        occurred_at: None,
        data,
    }
}
