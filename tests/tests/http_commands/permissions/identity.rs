//! Who may send what in `identity`.

use daybook_domain::identity::bootstrap::role_stream;
use daybook_domain::values::UserRole;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Belongings, Made, Part, made};
use crate::support::registration;

pub(super) const PART: Part = Part {
    context: "identity",
    may: &[
        ("identity.user.register", "a", "a"),
        ("identity.user.verify_email", "amuvr", "a"),
        ("identity.user.request_verification", "amuvr", "a"),
        ("identity.user.change_email", "amuvr", "a"),
        ("identity.user.change_username", "amuvr", "a"),
        ("identity.user.change_profile", "amuvr", "a"),
        ("identity.user.describe", "amuvr", "a"),
        ("identity.user.change_password", "amuvr", "a"),
        ("identity.user.change_role", "a", "a"),
        ("identity.user.assign_role", "a", "a"),
        ("identity.user.unassign_role", "a", "a"),
        ("identity.user.record_login", "a", "a"),
        ("identity.user.record_failed_login", "a", "a"),
        ("identity.user.unlock", "a", "a"),
        ("identity.user.suspend", "a", "a"),
        ("identity.user.close_sessions", "amuvr", "a"),
        ("identity.user.deactivate", "amuvr", "a"),
        ("identity.user.reactivate", "a", "a"),
        ("identity.user.delete", "amuvr", "a"),
        ("identity.user.restore", "a", "a"),
        // Nobody asks the roster from outside: it follows what happens to users.
        ("identity.admins.add", "", ""),
        ("identity.admins.remove", "", ""),
        ("identity.permission.define", "a", "a"),
        ("identity.permission.describe", "a", "a"),
        ("identity.permission.remove", "a", "a"),
        ("identity.role.create", "a", "a"),
        ("identity.role.describe", "a", "a"),
        ("identity.role.grant_permission", "a", "a"),
        ("identity.role.revoke_permission", "a", "a"),
        ("identity.role.delete", "a", "a"),
        ("identity.session.open", "amuvr", "a"),
        ("identity.session.extend", "amuvr", "a"),
        ("identity.session.close", "amuvr", "a"),
        ("identity.session.expire", "a", "a"),
        ("identity.api_key.issue", "amuvr", "a"),
        ("identity.api_key.rotate", "amuvr", "a"),
        ("identity.api_key.revoke", "amuvr", "a"),
        ("identity.api_key.expire", "a", "a"),
    ],
    fields,
    target,
};

/// A permission named after them, which is nobody's, and a session of theirs.
pub(super) fn makes(person: Uuid) -> Vec<Made> {
    let action = format!("a{}", person.simple());
    let permission = json!({ "name": person, "resource": "*", "action": action });
    vec![
        ("identity.permission", "define", permission),
        ("identity.session", "open", json!({ "user_id": person })),
    ]
}

/// Fields with which the command can be read; whether a rule refuses it then does not matter.
fn fields(command: &str, owner: &Belongings, _other: &Belongings) -> Value {
    match command {
        "identity.user.register" => {
            let mut fields = registration("somebody");
            fields["password_hash"] = "!".into();
            fields.as_object_mut().expect("fields").remove("password");
            fields
        }
        "identity.user.verify_email" => json!({ "token": "x" }),
        "identity.user.change_email" => json!({ "email": "new@example.org" }),
        "identity.user.change_username" => json!({ "username": "new" }),
        "identity.user.change_password" => json!({ "password": "a password of length" }),
        "identity.user.change_role" => json!({ "role": "viewer" }),
        "identity.user.assign_role" | "identity.user.unassign_role" => {
            json!({ "role_id": role_stream(UserRole::Viewer) })
        }
        "identity.permission.define" => {
            json!({ "name": "p", "resource": "banking.account", "action": "withdraw" })
        }
        "identity.role.create" => json!({ "name": "teller" }),
        // No such permission: 409 for who may.
        "identity.role.grant_permission" | "identity.role.revoke_permission" => {
            json!({ "permission_id": Uuid::now_v7() })
        }
        "identity.session.open" => json!({ "user_id": owner.person.id }),
        "identity.api_key.issue" => {
            json!({ "user_id": owner.person.id, "name": "k", "scopes": ["identity.api_key:read"] })
        }
        _ => json!({}),
    }
}

fn target(kind: &str, owner: &Belongings) -> String {
    match kind {
        "identity.user" => owner.person.id.to_string(),
        // A built-in role, which refuses every change: 409 for who may.
        "identity.role" => role_stream(UserRole::Viewer).to_string(),
        "identity.permission" | "identity.session" => made(kind, owner.person.id).to_string(),
        "identity.api_key" => owner.person.key_id.to_string(),
        other => panic!("say which {other} is theirs"),
    }
}
