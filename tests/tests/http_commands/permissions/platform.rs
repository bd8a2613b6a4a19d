//! Who may send what in `platform`.

use daybook_command::Engine;
use serde_json::{Value, json};

use super::{Belongings, Part};
use crate::support::Person;

/// A notification of this person, and a setting that is nobody's.
pub(in super::super) struct Had {
    notification: String,
    setting: String,
}

/// What is there for this person.
pub(super) async fn had(engine: &Engine, user: &Person) -> Had {
    let make = async |kind: &str, name: &str, fields: Value| {
        let made = engine.as_system(kind, name, fields).await.expect(kind);
        made.appended.stream_id.to_string()
    };
    let fields = json!({ "user_id": user.id, "title": "Hello" });
    let notification = make("platform.notification", "notify", fields).await;
    let fields = json!({ "key": format!("of.{}", user.id), "value": 1 });
    let setting = make("platform.setting", "set", fields).await;
    Had { notification, setting }
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
    target: |kind, owner| match kind {
        "platform.setting" => owner.platform.setting.clone(),
        "platform.notification" => owner.platform.notification.clone(),
        other => panic!("say which {other} is theirs"),
    },
};

fn fields(command: &str, owner: &Belongings, _other: &Belongings) -> Value {
    match command {
        "platform.setting.set" => json!({ "key": "mail.host", "value": "mail.example.org" }),
        "platform.notification.notify" => json!({ "user_id": owner.person.id, "title": "Hello" }),
        _ => json!({}),
    }
}
