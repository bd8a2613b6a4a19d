//! From the bank's lines to commands.

use std::collections::{BTreeMap, HashSet};

use chrono::{NaiveDate, NaiveTime};
use daybook_command::batch::Line;
use serde_json::{Value, json};
use uuid::Uuid;

use super::read::{AccountLine, Berka, TransactionLine};
use crate::import::plan::{Planned, command};

/// The namespace of everything that comes from this data set.
const BERKA: Uuid = Uuid::from_u128(0x2f3b_6d0a_41c5_5d8e_9a77_be12_6c90_11d4);

/// The id of something of the bank's: the same in every run.
#[must_use]
pub fn id(kind: &str, number: u64) -> Uuid {
    Uuid::new_v5(&BERKA, format!("{kind}/{number}").as_bytes())
}

/// Which command a transaction becomes.
///
/// # Errors
/// An operation that is not known, or that does not fit its direction.
pub fn operation(transaction: &TransactionLine) -> Result<&'static str, String> {
    let TransactionLine { direction, operation, symbol, .. } = transaction;
    match (direction.as_str(), operation.as_str(), symbol.as_str()) {
        ("credit", "cash_deposit", _) => Ok("deposit"),
        ("credit", "transfer_in", _) => Ok("receive_transfer"),
        ("credit", "", "interest") | ("debit", "cash_withdrawal", "penalty_interest") => {
            Ok("post_interest")
        }
        ("debit", "cash_withdrawal", "statement_fee") => Ok("charge_fee"),
        ("debit", "cash_withdrawal" | "card_withdrawal", _) => Ok("withdraw"),
        ("debit", "transfer_out", _) => Ok("send_transfer"),
        _ => Err(format!("a {direction} by {operation:?} for {symbol:?} is not known")),
    }
}

/// The lowest balance of each account: with it as its limit, nothing that the
/// bank let through is refused. The file does not say what the limits were.
#[must_use]
pub fn overdraft_limits(berka: &Berka) -> BTreeMap<u64, i64> {
    let mut limits = BTreeMap::new();
    for (_, transaction) in &berka.transactions {
        let limit = limits.entry(transaction.account_id).or_insert(0);
        *limit = (-transaction.balance_after).max(*limit);
    }
    limits
}

/// All commands, in the file's order; each account is opened when its first
/// transaction is due, and its owner registered just before.
pub fn commands(berka: &Berka) -> impl Iterator<Item = Planned> {
    let limits = overdraft_limits(berka);
    let mut owners = HashSet::new();
    let mut opened = HashSet::new();
    berka.transactions.iter().flat_map(move |(source, transaction)| {
        let mut planned = Vec::with_capacity(3);
        let mut plan = |line| planned.push(Planned { source: *source, line });
        if opened.insert(transaction.account_id)
            && let Some(account) = berka.accounts.get(&transaction.account_id)
        {
            if owners.insert(account.owner_client_id) {
                plan(register(account));
            }
            let limit = limits.get(&account.account_id).copied().unwrap_or(0);
            plan(open(account, limit));
        }
        plan(post(transaction));
        planned
    })
}

/// The same, month by month: as of the last one of a month the log has that month, and nothing of the
/// next.
#[must_use]
pub fn by_month(berka: &Berka) -> Vec<Vec<Planned>> {
    let month = |planned: &Planned| planned.line.occurred_at.as_ref().map(|at| at[..7].to_owned());
    let mut months: Vec<Vec<Planned>> = Vec::new();
    for planned in commands(berka) {
        match months.last_mut() {
            Some(last) if last.last().is_some_and(|last| month(last) == month(&planned)) => {
                last.push(planned);
            }
            _ => months.push(vec![planned]),
        }
    }
    months
}

/// The file says on which day something happened, not when.
fn line(kind: &str, asked: (&str, u64), stream: Uuid, day: NaiveDate, data: Value) -> Line {
    command(kind, id(asked.0, asked.1), stream, day.and_time(NaiveTime::MIN).and_utc(), data)
}

/// The file names its clients by number only; the rest is derived plainly from it.
fn register(account: &AccountLine) -> Line {
    let client = account.owner_client_id;
    line(
        "identity.user.register",
        ("register", client),
        id("client", client),
        account.opened_on,
        json!({
            "username": format!("client-{client}"),
            "email": format!("client-{client}@berka.example"),
            "full_name": format!("Client {client}"),
            // No password fits this: the owners cannot sign in until they set one.
            "password_hash": "!",
        }),
    )
}

fn open(account: &AccountLine, limit: i64) -> Line {
    let number = account.account_id;
    line(
        "banking.account.open",
        ("open", number),
        id("account", number),
        account.opened_on,
        json!({
            "user_id": id("client", account.owner_client_id),
            "account_name": format!("Account {number}"),
            "account_type": "checking",
            "account_number": number.to_string(),
            "currency": "CZK",
            "overdraft_limit": decimal(limit),
        }),
    )
}

fn post(transaction: &TransactionLine) -> Line {
    let command = operation(transaction).unwrap_or("unknown");
    let mut data = json!({
        "amount": decimal(transaction.amount),
        "transaction_id": id("transaction", transaction.trans_id),
        "reference_number": transaction.trans_id.to_string(),
    });
    if !transaction.symbol.is_empty() {
        data["description"] = transaction.symbol.replace('_', " ").into();
    }
    match command {
        "post_interest" => data["direction"] = transaction.direction.clone().into(),
        "receive_transfer" | "send_transfer" => {
            data["counterparty_bank"] = transaction.counter_bank.clone().into();
            data["counterparty_account"] = transaction.counter_account.clone().into();
        }
        _ => {}
    }
    line(
        &format!("banking.account.{command}"),
        ("post", transaction.trans_id),
        id("account", transaction.account_id),
        transaction.date,
        data,
    )
}

/// Hundredths as the interfaces write money.
#[must_use]
pub fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let value = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", value / 100, value % 100)
}
