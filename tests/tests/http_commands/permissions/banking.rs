//! Who may send what in `banking`.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Belongings, Part};
use crate::support::opening;

pub(super) const PART: Part = Part {
    context: "banking",
    may: &[
        ("banking.account.open", "amu", "am"),
        ("banking.account.rename", "amu", "am"),
        ("banking.account.deposit", "amu", "am"),
        ("banking.account.withdraw", "amu", "am"),
        ("banking.account.charge_fee", "am", "am"),
        ("banking.account.post_interest", "am", "am"),
        ("banking.account.pay", "amu", "am"),
        ("banking.account.transfer", "amu", "am"),
        ("banking.account.receive_transfer", "am", "am"),
        ("banking.account.send_transfer", "amu", "am"),
        ("banking.account.complete_transaction", "am", "am"),
        ("banking.account.fail_transaction", "am", "am"),
        ("banking.account.cancel_transaction", "amu", "am"),
        ("banking.account.set_overdraft_limit", "am", "am"),
        ("banking.account.freeze", "amu", "am"),
        ("banking.account.unfreeze", "am", "am"),
        ("banking.account.close", "amu", "am"),
    ],
    fields,
    target: |_, owner| owner.account.clone(),
};

fn fields(command: &str, owner: &Belongings, other: &Belongings) -> Value {
    match command {
        "banking.account.open" => opening(owner.person.id, "W-9"),
        "banking.account.rename" => json!({ "account_name": "New" }),
        "banking.account.deposit"
        | "banking.account.withdraw"
        | "banking.account.charge_fee"
        | "banking.account.pay" => json!({ "amount": "1.00" }),
        "banking.account.post_interest" => json!({ "amount": "1.00", "direction": "credit" }),
        "banking.account.transfer" => json!({ "amount": "1.00", "to_account_id": other.account }),
        "banking.account.receive_transfer" | "banking.account.send_transfer" => {
            json!({ "amount": "1.00", "counterparty_bank": "B", "counterparty_account": "1" })
        }
        "banking.account.complete_transaction"
        | "banking.account.fail_transaction"
        | "banking.account.cancel_transaction" => json!({ "transaction_id": Uuid::now_v7() }),
        "banking.account.set_overdraft_limit" => json!({ "overdraft_limit": "5.00" }),
        _ => json!({}),
    }
}
