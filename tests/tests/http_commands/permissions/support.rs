//! Who may send what in `support`.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Belongings, Made, Part, made};

pub(super) const PART: Part = Part {
    context: "support",
    may: &[
        ("support.ticket.open", "amu", "am"),
        ("support.ticket.triage", "am", "am"),
        ("support.ticket.assign", "am", "am"),
        ("support.ticket.start", "am", "am"),
        ("support.ticket.await", "am", "am"),
        ("support.ticket.requeue", "am", "am"),
        ("support.ticket.note", "amu", "am"),
        ("support.ticket.resolve", "am", "am"),
        ("support.ticket.reopen", "amu", "am"),
        ("support.ticket.close", "amu", "am"),
        ("support.asset.register", "am", "am"),
        ("support.asset.assign", "am", "am"),
        ("support.asset.return", "am", "am"),
        ("support.asset.move", "am", "am"),
        ("support.asset.send_to_repair", "am", "am"),
        ("support.asset.retire", "am", "am"),
        ("support.asset.specify", "am", "am"),
    ],
    fields,
    target: |kind, owner| made(kind, owner.person.id).to_string(),
};

/// A ticket of theirs, and a machine that they have.
pub(super) fn makes(person: Uuid) -> Vec<Made> {
    vec![
        ("support.ticket", "open", ticket(person)),
        ("support.asset", "register", asset(&person.to_string())),
        ("support.asset", "assign", json!({ "user_id": person })),
    ]
}

fn ticket(user: Uuid) -> Value {
    json!({ "user_id": user, "title": "No network", "description": "None at all" })
}

fn asset(tag: &str) -> Value {
    json!({ "asset_tag": tag, "asset_type": "laptop" })
}

fn fields(command: &str, owner: &Belongings, _other: &Belongings) -> Value {
    match command {
        "support.ticket.open" => ticket(owner.person.id),
        "support.ticket.triage" => json!({ "priority": "high" }),
        "support.ticket.assign" => json!({ "assigned_group": "Network" }),
        "support.ticket.await" => json!({ "on": "vendor" }),
        "support.ticket.note" => json!({ "text": "Called back" }),
        "support.asset.register" => asset("T-9"),
        "support.asset.assign" => json!({ "user_id": owner.person.id }),
        "support.asset.move" => json!({ "location": "Brno" }),
        _ => json!({}),
    }
}
