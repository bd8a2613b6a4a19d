//! Reading and checking the two files, line by line.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::import::report::{ImportError, Wrong};

/// A line of `accounts.tsv`.
#[derive(Debug, Clone, Deserialize)]
pub struct AccountLine {
    /// The bank's id.
    pub account_id: u64,
    /// The day it was opened.
    pub opened_on: NaiveDate,
    /// The owner.
    pub owner_client_id: u64,
    /// The bank's own last balance.
    #[serde(deserialize_with = "hundredths")]
    pub closing_balance: i64,
}

/// A line of `transactions.tsv`.
#[derive(Debug, Clone, Deserialize)]
pub struct TransactionLine {
    /// The bank's id.
    pub trans_id: u64,
    /// The account.
    pub account_id: u64,
    /// The day.
    pub date: NaiveDate,
    /// `credit` or `debit`.
    pub direction: String,
    /// How the money moved; empty for what the bank posts by itself.
    pub operation: String,
    /// How much, in hundredths.
    #[serde(deserialize_with = "hundredths")]
    pub amount: i64,
    /// The bank's own balance after it, in hundredths.
    #[serde(deserialize_with = "hundredths")]
    pub balance_after: i64,
    /// What it was for.
    pub symbol: String,
    /// The other bank.
    pub counter_bank: String,
    /// The account there.
    pub counter_account: String,
}

impl TransactionLine {
    /// The amount with the sign that it has for the account.
    #[must_use]
    pub fn signed(&self) -> i64 {
        if self.direction == "debit" { -self.amount } else { self.amount }
    }
}

/// Money as hundredths: a sign, digits, and at most two decimals.
fn hundredths<'de, D: serde::Deserializer<'de>>(input: D) -> Result<i64, D::Error> {
    let text = String::deserialize(input)?;
    parse_hundredths(&text)
        .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no amount with two decimals")))
}

fn parse_hundredths(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (units, cents) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if units.is_empty() || !plain(units) || !plain(cents) || cents.len() > 2 {
        return None;
    }
    let cents: i64 = format!("{cents:0<2}").parse().ok()?;
    Some(sign * (units.parse::<i64>().ok()?.checked_mul(100)? + cents))
}

/// Both files, checked.
#[derive(Debug, Default)]
pub struct Berka {
    /// The accounts by id.
    pub accounts: BTreeMap<u64, AccountLine>,
    /// The transactions in the file's order, with their line numbers.
    pub transactions: Vec<(u64, TransactionLine)>,
    /// The lines that were left out.
    pub wrong: Vec<Wrong>,
}

/// Reads `accounts.tsv` and `transactions.tsv` in `folder`.
///
/// A line that cannot be understood is left out as a whole and told of.
///
/// # Errors
/// A file cannot be opened, or has other columns.
pub fn read(folder: &Path) -> Result<Berka, ImportError> {
    let mut berka = Berka::default();
    for (line, account) in lines::<AccountLine>(&folder.join("accounts.tsv"), &mut berka.wrong)? {
        if berka.accounts.contains_key(&account.account_id) {
            let reason = format!("account {} stands in the file twice", account.account_id);
            berka.wrong.push(Wrong { file: "accounts.tsv", line, reason });
        } else {
            berka.accounts.insert(account.account_id, account);
        }
    }
    let transactions = lines(&folder.join("transactions.tsv"), &mut berka.wrong)?;
    let mut seen = HashSet::new();
    let mut latest = HashMap::new();
    for (line, transaction) in transactions {
        match check(&berka.accounts, &mut seen, &mut latest, &transaction) {
            Ok(()) => berka.transactions.push((line, transaction)),
            Err(reason) => berka.wrong.push(Wrong { file: "transactions.tsv", line, reason }),
        }
    }
    berka.wrong.sort_by_key(|wrong| (wrong.file, wrong.line));
    Ok(berka)
}

/// What a transaction must be besides well-formed.
fn check(
    accounts: &BTreeMap<u64, AccountLine>,
    seen: &mut HashSet<u64>,
    latest: &mut HashMap<u64, NaiveDate>,
    transaction: &TransactionLine,
) -> Result<(), String> {
    let account = accounts
        .get(&transaction.account_id)
        .ok_or_else(|| format!("account {} is not in accounts.tsv", transaction.account_id))?;
    if !matches!(transaction.direction.as_str(), "credit" | "debit") {
        return Err(format!("direction {:?} is neither credit nor debit", transaction.direction));
    }
    if transaction.amount <= 0 {
        return Err("the amount must be positive".to_owned());
    }
    super::plan::operation(transaction)?;
    if transaction.date < account.opened_on {
        return Err(format!(
            "it is of {}, before the account was opened on {}",
            transaction.date, account.opened_on
        ));
    }
    let last = latest.entry(transaction.account_id).or_insert(transaction.date);
    if transaction.date < *last {
        return Err(format!("it is of {}, after one of {last}", transaction.date));
    }
    if !seen.insert(transaction.trans_id) {
        return Err(format!("transaction {} stands in the file twice", transaction.trans_id));
    }
    *last = transaction.date;
    Ok(())
}

/// The lines of a file that can be understood, with their numbers.
fn lines<T: serde::de::DeserializeOwned>(
    path: &Path,
    wrong: &mut Vec<Wrong>,
) -> Result<Vec<(u64, T)>, ImportError> {
    let file = if path.ends_with("accounts.tsv") { "accounts.tsv" } else { "transactions.tsv" };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .flexible(true)
        .quoting(false)
        .from_path(path)
        .map_err(|error| ImportError::File { path: path.to_owned(), reason: error.to_string() })?;
    let headers = reader
        .headers()
        .map_err(|error| ImportError::File { path: path.to_owned(), reason: error.to_string() })?
        .clone();
    let mut read = Vec::new();
    for record in reader.records() {
        let outcome = record.and_then(|record| {
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != headers.len() {
                let reason =
                    format!("{} columns, where the header has {}", record.len(), headers.len());
                wrong.push(Wrong { file, line, reason });
                return Ok(None);
            }
            record.deserialize(Some(&headers)).map(|parsed| Some((line, parsed)))
        });
        match outcome {
            Ok(Some(parsed)) => read.push(parsed),
            Ok(None) => {}
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                wrong.push(Wrong { file, line, reason: reason(&error) });
            }
        }
    }
    Ok(read)
}

/// What is wrong, without the position that stands beside it anyway.
fn reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::parse_hundredths;

    #[test]
    fn amounts_have_at_most_two_decimals() {
        assert_eq!(parse_hundredths("31041.50"), Some(3_104_150));
        assert_eq!(parse_hundredths("-0.5"), Some(-50));
        assert_eq!(parse_hundredths("7"), Some(700));
        for bad in ["", "-", "1.234", "1,5", "1e3", ".5", "+1", "1.-5", "99999999999999999999"] {
            assert_eq!(parse_hundredths(bad), None, "{bad:?}");
        }
    }
}
