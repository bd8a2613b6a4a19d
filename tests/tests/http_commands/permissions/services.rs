//! Who may send what in `services`.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Belongings, Made, Part, made};

pub(super) const PART: Part = Part {
    context: "services",
    may: &[
        ("services.service.register", "am", "am"),
        ("services.service.describe", "am", "am"),
        ("services.service.configure", "am", "am"),
        ("services.service.activate", "am", "am"),
        ("services.service.deactivate", "am", "am"),
        ("services.subscription.subscribe", "amu", "am"),
        ("services.subscription.change_plan", "amu", "am"),
        ("services.subscription.configure", "amu", "am"),
        ("services.subscription.renew", "amu", "am"),
        ("services.subscription.cancel", "amu", "am"),
        ("services.subscription.expire", "am", "am"),
    ],
    fields,
    target: |kind, owner| made(kind, owner.person.id).to_string(),
};

/// A service named after them, which is nobody's, and their subscription to it.
pub(super) fn makes(person: Uuid) -> Vec<Made> {
    vec![
        ("services.service", "register", service(&person.to_string())),
        ("services.subscription", "subscribe", subscription(person)),
    ]
}

fn service(name: &str) -> Value {
    json!({ "name": name, "type": "storage" })
}

fn subscription(user: Uuid) -> Value {
    json!({ "user_id": user, "service_id": made("services.service", user), "plan": "basic" })
}

fn fields(command: &str, owner: &Belongings, _other: &Belongings) -> Value {
    match command {
        "services.service.register" => service("W-9"),
        "services.service.configure" | "services.subscription.configure" => {
            json!({ "configuration": { "copies": 2 } })
        }
        "services.subscription.subscribe" => subscription(owner.person.id),
        "services.subscription.change_plan" => json!({ "plan": "gold" }),
        "services.subscription.renew" => json!({ "expires_at": "2999-01-01T00:00:00Z" }),
        _ => json!({}),
    }
}
