//! Why an account may refuse.

use uuid::Uuid;

use super::MAX_PENDING;
use crate::aggregate::{Refusal, RefusalSort};
use crate::values::{Amount, Currency, Direction, Money, OverdraftLimit, UserRole, UserStatus};

/// What an account had when it refused: part of several refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Means {
    /// What is on it.
    pub balance: Money,
    /// What its pending payments reserve, in hundredths.
    pub reserved: i128,
    /// How far below zero it may go.
    pub overdraft_limit: OverdraftLimit,
    /// Its currency.
    pub currency: Currency,
}

impl Means {
    /// Reserved money and the limit, where there are any.
    fn besides(&self) -> String {
        let mut said = String::new();
        if self.reserved > 0 {
            said += &format!(", of it pending {}", hundredths(self.reserved));
        }
        if self.overdraft_limit != OverdraftLimit::NONE {
            said += &format!(", overdraft limit {}", self.overdraft_limit);
        }
        said
    }
}

/// A sum that may be greater than [`Money`] holds.
fn hundredths(sum: i128) -> String {
    format!("{}.{:02}", sum / 100, sum % 100)
}

/// Why an account may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// No account was opened under this id.
    #[error("there is no such account")]
    Unknown,
    /// An account was opened under this id before.
    #[error("this account is open already")]
    AlreadyOpen,
    /// The owner does not exist.
    #[error("there is no user {user_id} to own the account")]
    OwnerUnknown {
        /// Who should own it.
        user_id: Uuid,
    },
    /// The owner is not active.
    #[error("the account's owner {user_id} is {status}, not active")]
    OwnerNotActive {
        /// The owner.
        user_id: Uuid,
        /// Where they stand.
        status: UserStatus,
    },
    /// Only the bank grants an overdraft.
    #[error("only a manager or an administrator grants an overdraft, asked {asked} as {role}")]
    OverdraftNeedsManager {
        /// The limit that was asked.
        asked: OverdraftLimit,
        /// The actor's role.
        role: UserRole,
    },
    /// The account is frozen.
    #[error("the account is frozen; unfreeze it first")]
    Frozen,
    /// The account is closed.
    #[error("the account is closed")]
    Closed,
    /// Not enough money.
    #[error("balance {} {}, asked {asked} {}{}", means.balance, means.currency, means.currency, means.besides())]
    InsufficientFunds {
        /// What there was.
        means: Means,
        /// What was asked.
        asked: Amount,
    },
    /// Another currency than the account's.
    #[error("the account is in {account}, asked {asked}")]
    WrongCurrency {
        /// The account's.
        account: Currency,
        /// What was asked.
        asked: Currency,
    },
    /// The balance would not fit.
    #[error("balance {balance} {currency}, with a {direction} of {amount} it would pass 10^13")]
    BalanceOutOfRange {
        /// What is on it.
        balance: Money,
        /// Which way.
        direction: Direction,
        /// What should come or go.
        amount: Amount,
        /// The account's currency.
        currency: Currency,
    },
    /// A transfer from an account to itself.
    #[error("a transfer goes to another account, and {account_id} is the same")]
    SameAccount {
        /// The account.
        account_id: Uuid,
    },
    /// The account that the money should go to does not exist.
    #[error("there is no account {account_id} to transfer to")]
    TargetUnknown {
        /// The other account.
        account_id: Uuid,
    },
    /// The account that the money should go to takes none.
    #[error("the account {account_id} to transfer to is frozen or closed")]
    TargetNotOpen {
        /// The other account.
        account_id: Uuid,
    },
    /// The account that the money should go to is in another currency.
    #[error("the account is in {source_currency}, the one to transfer to in {target_currency}")]
    TargetCurrency {
        /// This account's.
        source_currency: Currency,
        /// The other one's.
        target_currency: Currency,
    },
    /// The account that the money should go to cannot hold so much.
    #[error("the account {account_id} to transfer to cannot hold {amount} more")]
    TargetFull {
        /// The other account.
        account_id: Uuid,
        /// What should come.
        amount: Amount,
    },
    /// A transfer was decided on one account alone.
    #[error("a transfer is decided on both accounts at once")]
    NeedsBothAccounts,
    /// The id is that of a pending transaction.
    #[error("there is a transaction {transaction_id} already")]
    TransactionExists {
        /// The id.
        transaction_id: Uuid,
    },
    /// Too much is pending.
    #[error("{MAX_PENDING} transactions are pending, which is the most an account keeps")]
    TooManyPending,
    /// It has ended, or never was.
    #[error(
        "the transaction {transaction_id} is not pending: it has ended, or is not this account's"
    )]
    NotPending {
        /// The id.
        transaction_id: Uuid,
    },
    /// The new limit would be passed already.
    #[error("an overdraft limit of {asked} {} would be passed already: balance {} {}{}", means.currency, means.balance, means.currency, means.besides())]
    LimitBelowUse {
        /// What there was.
        means: Means,
        /// The limit that was asked.
        asked: OverdraftLimit,
    },
    /// There is money on it, or owed.
    #[error("an account is closed at 0.00, the balance is {balance} {currency}")]
    NotEmpty {
        /// What is on it.
        balance: Money,
        /// Its currency.
        currency: Currency,
    },
    /// Something is pending.
    #[error("an account is closed with nothing pending, {count} transactions are")]
    StillPending {
        /// How many.
        count: usize,
    },
}

impl Refusal for AccountError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "account-not-found",
            Self::AlreadyOpen => "account-already-open",
            Self::OwnerUnknown { .. } => "owner-not-found",
            Self::OwnerNotActive { .. } => "owner-not-active",
            Self::OverdraftNeedsManager { .. } => "overdraft-needs-manager",
            Self::Frozen => "account-frozen",
            Self::Closed => "account-closed",
            Self::InsufficientFunds { .. } => "insufficient-funds",
            Self::WrongCurrency { .. } => "wrong-currency",
            Self::BalanceOutOfRange { .. } => "balance-out-of-range",
            Self::SameAccount { .. } => "same-account",
            Self::TargetUnknown { .. } => "target-account-not-found",
            Self::TargetNotOpen { .. } => "target-account-not-open",
            Self::TargetCurrency { .. } => "target-account-currency",
            Self::TargetFull { .. } => "target-account-full",
            Self::NeedsBothAccounts => "transfer-needs-both-accounts",
            Self::TransactionExists { .. } => "transaction-exists",
            Self::TooManyPending => "too-many-pending",
            Self::NotPending { .. } => "transaction-not-pending",
            Self::LimitBelowUse { .. } => "overdraft-limit-below-use",
            Self::NotEmpty { .. } => "account-not-empty",
            Self::StillPending { .. } => "transactions-pending",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyOpen | Self::TransactionExists { .. } => RefusalSort::Exists,
            Self::OverdraftNeedsManager { .. } => RefusalSort::Forbidden,
            Self::SameAccount { .. } | Self::NeedsBothAccounts => RefusalSort::Invalid,
            Self::OwnerUnknown { .. }
            | Self::OwnerNotActive { .. }
            | Self::Frozen
            | Self::Closed
            | Self::InsufficientFunds { .. }
            | Self::WrongCurrency { .. }
            | Self::BalanceOutOfRange { .. }
            | Self::TargetUnknown { .. }
            | Self::TargetNotOpen { .. }
            | Self::TargetCurrency { .. }
            | Self::TargetFull { .. }
            | Self::TooManyPending
            | Self::NotPending { .. }
            | Self::LimitBelowUse { .. }
            | Self::NotEmpty { .. }
            | Self::StillPending { .. } => RefusalSort::Rule,
        }
    }
}
