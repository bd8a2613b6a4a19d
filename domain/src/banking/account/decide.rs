//! The rules of accounts.

use super::commands::{
    AccountCommand, CancelTransaction, Close, CompleteTransaction, FailTransaction, Freeze, Open,
    Pay, ReceiveTransfer, Rename, SendTransfer, SetOverdraftLimit, Unfreeze,
};
use super::events::{
    Closed, Deposited, FeeCharged, Frozen, InterestPosted, Opened, OverdraftLimitSet,
    PaymentStarted, Renamed, Settlement, TransactionCancelled, TransactionCompleted,
    TransactionFailed, TransferReceived, TransferSent, Unfrozen, Withdrawn,
};
use super::posting::{credit, debit, means, past_limit, reserve};
use super::{Account, AccountError, AccountEvent, AccountFacts, Book, Standing};
use crate::context::{Actor, Context};
use crate::values::{
    Direction, Money, OverdraftLimit, TransactionStatus, TransactionType, UserStatus,
};

type Decision = Result<Vec<AccountEvent>, AccountError>;

pub(super) fn decide(
    account: &Account,
    command: &AccountCommand,
    facts: &AccountFacts,
    context: &Context,
) -> Decision {
    use AccountCommand as Asked;
    use TransactionType::{Deposit, Fee, Interest, Withdrawal};
    match command {
        Asked::Open(command) => open(account, command, facts, &context.actor),
        Asked::Rename(command) => rename(open_book(account)?, command),
        Asked::Deposit(command) => {
            one(Deposited(credit(open_book(account)?, &command.movement(), Deposit, context)?))
        }
        Asked::Withdraw(command) => {
            one(Withdrawn(debit(open_book(account)?, &command.movement(), Withdrawal, context)?))
        }
        Asked::ChargeFee(command) => {
            let (book, out) = (open_book(account)?, Direction::Debit);
            one(FeeCharged(past_limit(book, &command.movement(), Fee, out, context)?))
        }
        Asked::PostInterest(command) => {
            let (book, way) = (open_book(account)?, command.direction);
            one(InterestPosted(past_limit(book, &command.movement(), Interest, way, context)?))
        }
        Asked::Pay(command) => pay(open_book(account)?, command, context),
        Asked::Transfer(_) => Err(AccountError::NeedsBothAccounts),
        Asked::ReceiveTransfer(command) => receive(open_book(account)?, command, context),
        Asked::SendTransfer(command) => send(open_book(account)?, command, context),
        Asked::CompleteTransaction(command) => complete(open_book(account)?, command),
        Asked::FailTransaction(command) => fail(open_book(account)?, command),
        Asked::CancelTransaction(command) => cancel(open_book(account)?, command),
        Asked::SetOverdraftLimit(command) => set_overdraft_limit(open_book(account)?, command),
        Asked::Freeze(command) => freeze(known(account)?, command),
        Asked::Unfreeze(command) => unfreeze(known(account)?, command),
        Asked::Close(command) => close(known(account)?, command),
    }
}

fn one(event: impl Into<AccountEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(account: &Account) -> Result<&Book, AccountError> {
    account.book().ok_or(AccountError::Unknown)
}

/// An account on which things may happen: neither frozen nor closed.
pub(super) fn open_book(account: &Account) -> Result<&Book, AccountError> {
    let book = known(account)?;
    match book.standing {
        Standing::Open => Ok(book),
        Standing::Frozen => Err(AccountError::Frozen),
        Standing::Closed => Err(AccountError::Closed),
    }
}

fn open(account: &Account, command: &Open, facts: &AccountFacts, actor: &Actor) -> Decision {
    if account.book().is_some() {
        return Err(AccountError::AlreadyOpen);
    }
    let user_id = command.user_id;
    let status = facts.owner.as_ref().and_then(|owner| owner.status());
    match status.ok_or(AccountError::OwnerUnknown { user_id })? {
        UserStatus::Active => {}
        status @ (UserStatus::Inactive | UserStatus::Suspended | UserStatus::Deleted) => {
            return Err(AccountError::OwnerNotActive { user_id, status });
        }
    }
    if command.overdraft_limit != OverdraftLimit::NONE && !actor.is_manager() {
        let (asked, role) = (command.overdraft_limit, actor.role);
        return Err(AccountError::OverdraftNeedsManager { asked, role });
    }
    one(Opened {
        user_id,
        account_name: command.account_name.clone(),
        account_type: command.account_type,
        account_number: command.account_number.clone(),
        currency: command.currency,
        overdraft_limit: command.overdraft_limit,
    })
}

fn rename(book: &Book, command: &Rename) -> Decision {
    if command.account_name == book.account_name {
        return Ok(vec![]);
    }
    one(Renamed { account_name: command.account_name.clone() })
}

fn pay(book: &Book, command: &Pay, context: &Context) -> Decision {
    let mut entry = reserve(book, &command.movement(), TransactionType::Payment, context)?;
    entry.counterparty_bank = command.counterparty_bank.clone();
    entry.counterparty_account = command.counterparty_account.clone();
    one(PaymentStarted(entry))
}

fn receive(book: &Book, command: &ReceiveTransfer, context: &Context) -> Decision {
    let mut entry = credit(book, &command.movement(), TransactionType::Transfer, context)?;
    entry.counterparty_bank = Some(command.counterparty_bank.clone());
    entry.counterparty_account = Some(command.counterparty_account.clone());
    one(TransferReceived(entry))
}

fn send(book: &Book, command: &SendTransfer, context: &Context) -> Decision {
    let mut entry = debit(book, &command.movement(), TransactionType::Transfer, context)?;
    entry.counterparty_bank = Some(command.counterparty_bank.clone());
    entry.counterparty_account = Some(command.counterparty_account.clone());
    one(TransferSent(entry))
}

/// What was reserved is spent, also where fees have passed the limit since.
fn complete(book: &Book, command: &CompleteTransaction) -> Decision {
    let mut end = ending(book, command.transaction_id, TransactionStatus::Completed)?;
    end.balance_after = book.balance.after(Direction::Debit, end.amount).ok_or(
        AccountError::BalanceOutOfRange {
            balance: book.balance,
            direction: Direction::Debit,
            amount: end.amount,
            currency: book.currency,
        },
    )?;
    one(TransactionCompleted(end))
}

fn fail(book: &Book, command: &FailTransaction) -> Decision {
    let mut end = ending(book, command.transaction_id, TransactionStatus::Failed)?;
    end.reason = command.reason.clone();
    one(TransactionFailed(end))
}

fn cancel(book: &Book, command: &CancelTransaction) -> Decision {
    let mut end = ending(book, command.transaction_id, TransactionStatus::Cancelled)?;
    end.reason = command.reason.clone();
    one(TransactionCancelled(end))
}

/// The end of a pending payment that leaves the balance as it is.
fn ending(
    book: &Book,
    transaction_id: uuid::Uuid,
    status: TransactionStatus,
) -> Result<Settlement, AccountError> {
    let amount = book.pending.get(&transaction_id);
    let amount = *amount.ok_or(AccountError::NotPending { transaction_id })?;
    Ok(Settlement {
        transaction_id,
        transaction_type: TransactionType::Payment,
        direction: Direction::Debit,
        amount,
        currency: book.currency,
        status,
        balance_after: book.balance,
        reason: None,
    })
}

/// A lower limit must cover what is used of it now; a higher one is always granted.
fn set_overdraft_limit(book: &Book, command: &SetOverdraftLimit) -> Decision {
    let asked = command.overdraft_limit;
    if asked == book.overdraft_limit {
        return Ok(vec![]);
    }
    let free = i128::from(book.balance.hundredths()) - book.reserved();
    if asked < book.overdraft_limit && free + i128::from(asked.hundredths()) < 0 {
        return Err(AccountError::LimitBelowUse { means: means(book), asked });
    }
    one(OverdraftLimitSet { overdraft_limit: asked })
}

fn freeze(book: &Book, command: &Freeze) -> Decision {
    match book.standing {
        Standing::Open => one(Frozen { reason: command.reason.clone() }),
        Standing::Frozen => Ok(vec![]),
        Standing::Closed => Err(AccountError::Closed),
    }
}

fn unfreeze(book: &Book, command: &Unfreeze) -> Decision {
    match book.standing {
        Standing::Open => Ok(vec![]),
        Standing::Frozen => one(Unfrozen { reason: command.reason.clone() }),
        Standing::Closed => Err(AccountError::Closed),
    }
}

fn close(book: &Book, command: &Close) -> Decision {
    match book.standing {
        Standing::Closed => return Ok(vec![]),
        Standing::Frozen => return Err(AccountError::Frozen),
        Standing::Open => {}
    }
    if !book.pending.is_empty() {
        return Err(AccountError::StillPending { count: book.pending.len() });
    }
    if book.balance != Money::ZERO {
        return Err(AccountError::NotEmpty { balance: book.balance, currency: book.currency });
    }
    one(Closed { reason: command.reason.clone() })
}
