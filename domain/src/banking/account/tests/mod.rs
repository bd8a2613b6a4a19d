//! Tests of accounts, by subject; what they begin with is here.

mod life;
mod money;
mod pending;
mod properties;
mod transfers;

use serde_json::{Value, json};
use uuid::Uuid;

use super::events::{Deposited, Entry, FeeCharged, Frozen, Opened};
use super::*;
use crate::aggregate::{Given, given};
use crate::message::CommandMessage;
use crate::testing::{ADA, asked_as, personal, user, value};
use crate::values::{AccountType, Direction, TransactionType, UserRole, UserStatus};

type Decision = Result<Vec<AccountEvent>, AccountError>;

const NOTHING: Decision = Ok(vec![]);

fn one(event: impl Into<AccountEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn teller() -> Context {
    asked_as(UserRole::Manager)
}

fn opened(overdraft_limit: &str) -> AccountEvent {
    Opened {
        user_id: ADA,
        account_name: personal("Household"),
        account_type: AccountType::Checking,
        account_number: personal("CZ-1"),
        currency: value("EUR"),
        overdraft_limit: value(overdraft_limit),
    }
    .into()
}

/// A completed entry in euros under the context's first fresh id.
fn entry(
    transaction_type: TransactionType,
    direction: Direction,
    amount: &str,
    balance_after: &str,
) -> Entry {
    Entry {
        transaction_id: teller().fresh_id(0),
        id_given: false,
        transaction_type,
        direction,
        amount: value(amount),
        currency: value("EUR"),
        status: TransactionStatus::Completed,
        balance_after: value(balance_after),
        description: None,
        reference_number: None,
        transfer_id: None,
        counterparty_account_id: None,
        counterparty_bank: None,
        counterparty_account: None,
    }
}

fn holding(balance: &str) -> AccountEvent {
    Deposited(entry(TransactionType::Deposit, Direction::Credit, balance, balance)).into()
}

fn owing(balance: &str) -> AccountEvent {
    let amount = balance.trim_start_matches('-');
    FeeCharged(entry(TransactionType::Fee, Direction::Debit, amount, balance)).into()
}

fn frozen() -> AccountEvent {
    Frozen { reason: None }.into()
}

fn closed() -> AccountEvent {
    events::Closed { reason: None }.into()
}

/// An account with this much on it.
fn account(balance: &str, overdraft_limit: &str) -> Given<Account> {
    let mut events = vec![opened(overdraft_limit)];
    match balance {
        "0.00" => {}
        owed if owed.starts_with('-') => events.push(owing(owed)),
        held => events.push(holding(held)),
    }
    given(events)
}

fn command(name: &str, fields: Value) -> AccountCommand {
    AccountCommand::decode(name, &fields.to_string()).expect(name)
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// One of each command but Open and Transfer, each of which an account with
/// 100.00 and the transaction 7 pending would do.
fn others() -> Vec<AccountCommand> {
    let money = |name| command(name, json!({"amount": "1.00"}));
    let elsewhere =
        json!({"amount": "1.00", "counterparty_bank": "AB", "counterparty_account": "77"});
    vec![
        command("rename", json!({"account_name": "Holidays"})),
        money("deposit"),
        money("withdraw"),
        money("charge_fee"),
        command("post_interest", json!({"amount": "1.00", "direction": "credit"})),
        money("pay"),
        command("receive_transfer", elsewhere.clone()),
        command("send_transfer", elsewhere),
        command("complete_transaction", json!({"transaction_id": id(7)})),
        command("fail_transaction", json!({"transaction_id": id(7)})),
        command("cancel_transaction", json!({"transaction_id": id(7)})),
        command("set_overdraft_limit", json!({"overdraft_limit": "5.00"})),
    ]
}
