//! What can have happened to an account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{
    AccountNumber, AccountType, Amount, Currency, Description, Direction, Money, OverdraftLimit,
    Personal, Reason, Text, TransactionStatus, TransactionType,
};

/// An account began, with nothing on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// Whose account it is.
    pub user_id: Uuid,
    /// What people call it.
    pub account_name: Personal<Text<255>>,
    /// What sort of account it is.
    pub account_type: AccountType,
    /// Its number.
    pub account_number: Personal<AccountNumber>,
    /// The currency of everything on it.
    pub currency: Currency,
    /// How far below zero it may go.
    pub overdraft_limit: OverdraftLimit,
}

/// People call it by another name now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Renamed {
    /// The new name.
    pub account_name: Personal<Text<255>>,
}

/// A new transaction of the account. When it happened is when its event happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Entry {
    /// The transaction's id.
    pub transaction_id: Uuid,
    /// Whether the id came from outside: then it is claimed, so that it is used once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub id_given: bool,
    /// What sort of transaction it is.
    pub transaction_type: TransactionType,
    /// Which way the money moves.
    pub direction: Direction,
    /// How much.
    pub amount: Amount,
    /// The account's currency.
    pub currency: Currency,
    /// Completed, or pending where it awaits settlement.
    pub status: TransactionStatus,
    /// What is on the account now; a pending transaction does not count.
    pub balance_after: Money,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Personal<Description>>,
    /// Its number elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_number: Option<Text<100>>,
    /// What ties the two halves of a transfer here together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_id: Option<Uuid>,
    /// The other account of a transfer here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty_account_id: Option<Uuid>,
    /// The other bank of a transfer or payment elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty_bank: Option<Text<50>>,
    /// The other account of a transfer or payment elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty_account: Option<Personal<Text<50>>>,
}

/// The end of a pending transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Settlement {
    /// The transaction that was pending.
    pub transaction_id: Uuid,
    /// What sort of transaction it is.
    pub transaction_type: TransactionType,
    /// Which way the money was to move.
    pub direction: Direction,
    /// How much.
    pub amount: Amount,
    /// The account's currency.
    pub currency: Currency,
    /// Completed, failed or cancelled.
    pub status: TransactionStatus,
    /// What is on the account now.
    pub balance_after: Money,
    /// Why, where it was not completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Makes structs with the JSON of the one inside.
macro_rules! carrying {
    ($($(#[$meta:meta])* pub struct $Name:ident($Inside:ty);)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $Name(pub $Inside);
    )+};
}

carrying! {
    /// Money was paid in.
    pub struct Deposited(Entry);
    /// Money was taken out.
    pub struct Withdrawn(Entry);
    /// A fee was charged.
    pub struct FeeCharged(Entry);
    /// Interest was posted, either way.
    pub struct InterestPosted(Entry);
    /// Money was reserved for a payment, which is pending.
    pub struct PaymentStarted(Entry);
    /// Money went to another account here.
    pub struct TransferredOut(Entry);
    /// Money came from another account here.
    pub struct TransferredIn(Entry);
    /// Money came from an account elsewhere.
    pub struct TransferReceived(Entry);
    /// Money went to an account elsewhere.
    pub struct TransferSent(Entry);
    /// A pending transaction was settled.
    pub struct TransactionCompleted(Settlement);
    /// A pending transaction did not work out.
    pub struct TransactionFailed(Settlement);
    /// A pending transaction was called off.
    pub struct TransactionCancelled(Settlement);
}

/// The account may go this far below zero now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverdraftLimitSet {
    /// The new limit.
    pub overdraft_limit: OverdraftLimit,
}

/// Everything on the account stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Frozen {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The account goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unfrozen {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The account was closed for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Closed {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

crate::events! {
    /// What can have happened to an account.
    pub enum AccountEvent {
        "banking.account.opened" @ 1 => Opened,
        "banking.account.renamed" @ 1 => Renamed,
        "banking.account.deposited" @ 1 => Deposited,
        "banking.account.withdrawn" @ 1 => Withdrawn,
        "banking.account.fee_charged" @ 1 => FeeCharged,
        "banking.account.interest_posted" @ 1 => InterestPosted,
        "banking.account.payment_started" @ 1 => PaymentStarted,
        "banking.account.transferred_out" @ 1 => TransferredOut,
        "banking.account.transferred_in" @ 1 => TransferredIn,
        "banking.account.transfer_received" @ 1 => TransferReceived,
        "banking.account.transfer_sent" @ 1 => TransferSent,
        "banking.account.transaction_completed" @ 1 => TransactionCompleted,
        "banking.account.transaction_failed" @ 1 => TransactionFailed,
        "banking.account.transaction_cancelled" @ 1 => TransactionCancelled,
        "banking.account.overdraft_limit_set" @ 1 => OverdraftLimitSet,
        "banking.account.frozen" @ 1 => Frozen,
        "banking.account.unfrozen" @ 1 => Unfrozen,
        "banking.account.closed" @ 1 => Closed,
    }
}
