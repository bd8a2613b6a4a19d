//! Who may send what in `organizations`: an organization is its owners' and administrators' own;
//! what it has is its members' who act on its behalf.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Belongings, Made, Part, made};

const ORGANIZATION: &str = "organizations.organization";
const BILLING_ACCOUNT: &str = "organizations.billing_account";
const RESOURCE: &str = "organizations.resource";

/// An organization that belongs to this person and to nobody else, and what it has.
pub(super) fn makes(person: Uuid) -> Vec<Made> {
    let organization = made(ORGANIZATION, person);
    vec![
        (ORGANIZATION, "create", json!({ "name": "Oakford", "owner_id": person })),
        (
            BILLING_ACCOUNT,
            "open",
            json!({ "org_id": organization, "billing_email": "bills@example.org",
                "company_name": "Oakford Ltd" }),
        ),
        (
            RESOURCE,
            "create",
            json!({ "org_id": organization, "name": "printer", "type": "device" }),
        ),
    ]
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
    target: |kind, owner| made(kind, owner.person.id).to_string(),
};

fn fields(command: &str, owner: &Belongings, other: &Belongings) -> Value {
    let organization = made(ORGANIZATION, owner.person.id);
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
