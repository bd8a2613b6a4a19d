//! Who may send what in `organizations`: an organization is its owners' and administrators' own;
//! what it has is its members' who act on its behalf.

use daybook_command::Engine;
use serde_json::{Value, json};

use super::{Belongings, Part};
use crate::support::Person;

/// An organization, and what it has.
pub(in super::super) struct Had {
    organization: String,
    billing_account: String,
    resource: String,
}

/// An organization that belongs to this person, and to nobody else.
pub(super) async fn had(engine: &Engine, owner: &Person) -> Had {
    let make = async |kind: &str, name: &str, fields: Value| {
        let made = engine.as_system(kind, name, fields).await.expect(kind);
        made.appended.stream_id.to_string()
    };
    let fields = json!({ "name": "Oakford", "owner_id": owner.id });
    let organization = make("organizations.organization", "create", fields).await;
    let fields = json!({ "org_id": organization, "billing_email": "bills@example.org",
        "company_name": "Oakford Ltd" });
    let billing_account = make("organizations.billing_account", "open", fields).await;
    let fields = json!({ "org_id": organization, "name": "printer", "type": "device" });
    let resource = make("organizations.resource", "create", fields).await;
    Had { organization, billing_account, resource }
}

pub(super) const PART: Part = Part {
    context: "organizations",
    may: &[
        ("organizations.organization.create", "amu", "am"),
        ("organizations.organization.rename", "amu", "am"),
        ("organizations.organization.change_plan", "amu", "am"),
        ("organizations.organization.add_member", "amu", "am"),
        ("organizations.organization.change_member_role", "amu", "am"),
        ("organizations.organization.remove_member", "amu", "am"),
        ("organizations.organization.delete", "amu", "am"),
        ("organizations.organization.restore", "amu", "am"),
        ("organizations.billing_account.open", "am", "am"),
        ("organizations.billing_account.change_details", "am", "am"),
        ("organizations.billing_account.suspend", "am", "am"),
        ("organizations.billing_account.resume", "am", "am"),
        ("organizations.billing_account.close", "am", "am"),
        ("organizations.resource.create", "am", "am"),
        ("organizations.resource.rename", "am", "am"),
        ("organizations.resource.set_metadata", "am", "am"),
        ("organizations.resource.delete", "am", "am"),
        ("organizations.resource.restore", "am", "am"),
    ],
    fields,
    target: |kind, owner| match kind {
        "organizations.organization" => owner.organization.organization.clone(),
        "organizations.billing_account" => owner.organization.billing_account.clone(),
        "organizations.resource" => owner.organization.resource.clone(),
        other => panic!("say which {other} is theirs"),
    },
};

fn fields(command: &str, owner: &Belongings, other: &Belongings) -> Value {
    let organization = &owner.organization.organization;
    match command {
        "organizations.organization.create" => {
            json!({ "name": "New", "owner_id": owner.person.id })
        }
        "organizations.organization.change_plan" => json!({ "plan_tier": "business" }),
        "organizations.organization.add_member" => {
            json!({ "user_id": other.person.id, "role": "member" })
        }
        "organizations.organization.change_member_role" => {
            json!({ "user_id": owner.person.id, "role": "admin" })
        }
        "organizations.organization.remove_member" => json!({ "user_id": owner.person.id }),
        "organizations.organization.rename" | "organizations.resource.rename" => {
            json!({ "name": "New" })
        }
        "organizations.billing_account.open" => json!({ "org_id": organization,
            "billing_email": "bills@example.org", "company_name": "Oakford Ltd" }),
        "organizations.resource.create" => {
            json!({ "org_id": organization, "name": "press", "type": "device" })
        }
        "organizations.resource.set_metadata" => json!({ "metadata": { "a": 1 } }),
        _ => json!({}),
    }
}
