//! Who may send what in `platform`.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Belongings, Made, Part, made};

/// A notification of this person, and a setting that is nobody's.
pub(super) fn makes(person: Uuid) -> Vec<Made> {
    vec![
        ("platform.notification", "notify", json!({ "user_id": person, "title": "Hello" })),
        ("platform.setting", "set", json!({ "key": format!("of.{person}"), "value": 1 })),
    ]
}

pub(super) const PART: Part = Part {
    context: "platform",
    may: &[
        // Settings are nobody's own.
        ("platform.setting.set", "am", "am"),
        ("platform.setting.unset", "am", "am"),
        ("platform.notification.notify", "am", "am"),
        ("platform.notification.mark_read", "amuvr", "am"),
        ("platform.notification.dismiss", "amuvr", "am"),
    ],
    fields,
    target: |kind, owner| made(kind, owner.person.id).to_string(),
};

fn fields(command: &str, owner: &Belongings, _other: &Belongings) -> Value {
    match command {
        "platform.setting.set" => json!({ "key": "mail.host", "value": "mail.example.org" }),
        "platform.notification.notify" => json!({ "user_id": owner.person.id, "title": "Hello" }),
        _ => json!({}),
    }
}
