//! Who may send what in `open_banking`.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Belongings, Made, Part, made};

pub(super) const PART: Part = Part {
    context: "open_banking",
    may: &[
        ("open_banking.aisp_account.link", "amu", "am"),
        ("open_banking.aisp_account.renew_consent", "amu", "am"),
        ("open_banking.aisp_account.revoke_consent", "amu", "am"),
        ("open_banking.aisp_account.expire_consent", "am", "am"),
        ("open_banking.aisp_account.record_balance", "am", "am"),
        ("open_banking.aisp_account.record_transactions", "am", "am"),
        ("open_banking.aisp_account.categorize", "amu", "am"),
        ("open_banking.aisp_account.unlink", "amu", "am"),
    ],
    fields,
    target: |kind, owner| made(kind, owner.person.id).to_string(),
};

/// An account elsewhere of theirs.
pub(super) fn makes(person: Uuid) -> Vec<Made> {
    vec![("open_banking.aisp_account", "link", link(person, "1"))]
}

fn link(user: Uuid, account: &str) -> Value {
    json!({
        "user_id": user, "bank_id": "B-1", "account_id": account, "account_type": "current",
        "currency": "EUR", "consent_id": "c-1", "consent_expires": "2999-01-01T00:00:00Z",
    })
}

fn fields(command: &str, owner: &Belongings, _other: &Belongings) -> Value {
    match command {
        "open_banking.aisp_account.link" => link(owner.person.id, "2"),
        "open_banking.aisp_account.renew_consent" => {
            json!({ "consent_id": "c-2", "consent_expires": "2999-01-01T00:00:00Z" })
        }
        "open_banking.aisp_account.record_balance" => {
            json!({ "attended": true, "balance": "1.00" })
        }
        "open_banking.aisp_account.record_transactions" => {
            json!({ "attended": true, "transactions": [] })
        }
        "open_banking.aisp_account.categorize" => json!({ "transaction_id": "T-1" }),
        _ => json!({}),
    }
}
