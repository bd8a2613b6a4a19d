//! How a transaction comes onto an account: the checks that every movement of
//! money passes, and the entry that it leaves.

use super::commands::Movement;
use super::errors::Means;
use super::events::Entry;
use super::{AccountError, Book, MAX_PENDING};
use crate::context::Context;
use crate::values::{Direction, TransactionStatus, TransactionType};

/// Money that comes in.
pub(super) fn credit(
    book: &Book,
    movement: &Movement<'_>,
    transaction_type: TransactionType,
    context: &Context,
) -> Result<Entry, AccountError> {
    entry(book, movement, transaction_type, Direction::Credit, context)
}

/// Money that goes out, if it is there: what is pending and the overdraft limit counted.
pub(super) fn debit(
    book: &Book,
    movement: &Movement<'_>,
    transaction_type: TransactionType,
    context: &Context,
) -> Result<Entry, AccountError> {
    // The currency first: a sum in another one says nothing about what is there.
    same_currency(book, movement)?;
    if i128::from(movement.amount.hundredths()) > book.available() {
        return Err(AccountError::InsufficientFunds { means: means(book), asked: movement.amount });
    }
    entry(book, movement, transaction_type, Direction::Debit, context)
}

/// What the bank takes or gives as it is due, be it beyond the overdraft limit.
pub(super) fn past_limit(
    book: &Book,
    movement: &Movement<'_>,
    transaction_type: TransactionType,
    direction: Direction,
    context: &Context,
) -> Result<Entry, AccountError> {
    entry(book, movement, transaction_type, direction, context)
}

/// Money that is set aside, if it is there, and leaves the balance as it is.
pub(super) fn reserve(
    book: &Book,
    movement: &Movement<'_>,
    transaction_type: TransactionType,
    context: &Context,
) -> Result<Entry, AccountError> {
    let mut entry = debit(book, movement, transaction_type, context)?;
    if book.pending.len() >= MAX_PENDING {
        return Err(AccountError::TooManyPending);
    }
    entry.status = TransactionStatus::Pending;
    entry.balance_after = book.balance;
    Ok(entry)
}

/// What an account has, for a refusal to say.
pub(super) fn means(book: &Book) -> Means {
    Means {
        balance: book.balance,
        reserved: book.reserved(),
        overdraft_limit: book.overdraft_limit,
        currency: book.currency,
    }
}

fn same_currency(book: &Book, movement: &Movement<'_>) -> Result<(), AccountError> {
    match movement.currency {
        Some(asked) if asked != book.currency => {
            Err(AccountError::WrongCurrency { account: book.currency, asked })
        }
        Some(_) | None => Ok(()),
    }
}

fn entry(
    book: &Book,
    movement: &Movement<'_>,
    transaction_type: TransactionType,
    direction: Direction,
    context: &Context,
) -> Result<Entry, AccountError> {
    same_currency(book, movement)?;
    let (amount, currency) = (movement.amount, book.currency);
    let transaction_id = movement.transaction_id.unwrap_or_else(|| context.fresh_id(0));
    if book.pending.contains_key(&transaction_id) {
        return Err(AccountError::TransactionExists { transaction_id });
    }
    let balance_after =
        book.balance.after(direction, amount).ok_or(AccountError::BalanceOutOfRange {
            balance: book.balance,
            direction,
            amount,
            currency,
        })?;
    Ok(Entry {
        transaction_id,
        id_given: movement.transaction_id.is_some(),
        transaction_type,
        direction,
        amount,
        currency,
        status: TransactionStatus::Completed,
        balance_after,
        description: movement.description.cloned(),
        reference_number: movement.reference_number.cloned(),
        transfer_id: None,
        counterparty_account_id: None,
        counterparty_bank: None,
        counterparty_account: None,
    })
}
