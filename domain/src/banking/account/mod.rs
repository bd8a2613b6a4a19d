//! An account: a balance, and the rules by which money comes and goes.
//!
//! The balance is what the completed transactions add up to. A pending
//! transaction is not in the balance, but what it reserves cannot be spent
//! twice. Of its past an account keeps only what is pending, so that its state
//! stays small however long it lives. Absent on purpose: the dates of
//! transactions, which are when their events happened.

pub mod commands;
mod decide;
pub mod errors;
pub mod events;
mod posting;
#[cfg(test)]
mod tests;
mod transfer;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Lifecycle};
use crate::context::Context;
use crate::identity::user::User;
use crate::values::{Amount, Currency, Money, OverdraftLimit, Personal, Text, TransactionStatus};

pub use commands::AccountCommand;
pub use errors::AccountError;
pub use events::AccountEvent;
pub use transfer::{Transferred, transfer};

/// The scope of claims on account numbers (as they are: case counts).
pub const NUMBER_CLAIM: &str = "account.number";
/// The scope of claims on transaction ids that came from outside.
pub const TRANSACTION_CLAIM: &str = "transaction.id";
/// How many transactions may be pending on an account at a time.
pub const MAX_PENDING: usize = 10_000;

/// An account as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Account(Option<Book>);

/// An account that was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Book {
    /// Whose it is.
    pub user_id: Uuid,
    /// What people call it.
    pub account_name: Personal<Text<255>>,
    /// The currency of everything on it.
    pub currency: Currency,
    /// How far below zero it may go.
    pub overdraft_limit: OverdraftLimit,
    /// What its completed transactions add up to.
    pub balance: Money,
    /// The payments that await settlement, with what each reserves.
    pub pending: BTreeMap<Uuid, Amount>,
    /// Whether things may happen on it.
    pub standing: Standing,
}

/// Whether things may happen on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// They may.
    Open,
    /// Nothing may, until it is unfrozen.
    Frozen,
    /// Nothing may, ever again.
    Closed,
}

/// What an account must know of others, read under a guard.
#[derive(Debug, Clone, Default)]
pub struct AccountFacts {
    /// The state of the user for whom it is opened; `None` or an empty one: there is no such user.
    pub owner: Option<User>,
}

impl Account {
    /// The account, once opened.
    #[must_use]
    pub fn book(&self) -> Option<&Book> {
        self.0.as_ref()
    }

    /// The user whose state the command's decision must know, if any.
    #[must_use]
    pub fn reads(&self, command: &AccountCommand) -> Option<Uuid> {
        match command {
            AccountCommand::Open(command) => Some(command.user_id),
            AccountCommand::Rename(_)
            | AccountCommand::Deposit(_)
            | AccountCommand::Withdraw(_)
            | AccountCommand::ChargeFee(_)
            | AccountCommand::PostInterest(_)
            | AccountCommand::Pay(_)
            | AccountCommand::Transfer(_)
            | AccountCommand::ReceiveTransfer(_)
            | AccountCommand::SendTransfer(_)
            | AccountCommand::CompleteTransaction(_)
            | AccountCommand::FailTransaction(_)
            | AccountCommand::CancelTransaction(_)
            | AccountCommand::SetOverdraftLimit(_)
            | AccountCommand::Freeze(_)
            | AccountCommand::Unfreeze(_)
            | AccountCommand::Close(_) => None,
        }
    }
}

impl Book {
    /// What the pending payments reserve, in hundredths; many of them together may be
    /// more than [`Money`] holds.
    #[must_use]
    pub fn reserved(&self) -> i128 {
        self.pending.values().map(|amount| i128::from(amount.hundredths())).sum()
    }

    /// What may still go out, in hundredths; negative where fees passed the limit.
    #[must_use]
    pub fn available(&self) -> i128 {
        i128::from(self.balance.hundredths()) - self.reserved()
            + i128::from(self.overdraft_limit.hundredths())
    }
}

impl Owned for Account {
    fn owner(&self, _: Uuid, command: &AccountCommand) -> Option<Uuid> {
        match (&self.0, command) {
            (Some(book), _) => Some(book.user_id),
            (None, command) => self.reads(command),
        }
    }
}

impl AccountEvent {
    /// The new transaction that the event brings, if it brings one.
    #[must_use]
    pub fn entry(&self) -> Option<&events::Entry> {
        match self {
            Self::Deposited(event) => Some(&event.0),
            Self::Withdrawn(event) => Some(&event.0),
            Self::FeeCharged(event) => Some(&event.0),
            Self::InterestPosted(event) => Some(&event.0),
            Self::PaymentStarted(event) => Some(&event.0),
            Self::TransferredOut(event) => Some(&event.0),
            Self::TransferredIn(event) => Some(&event.0),
            Self::TransferReceived(event) => Some(&event.0),
            Self::TransferSent(event) => Some(&event.0),
            Self::Opened(_)
            | Self::Renamed(_)
            | Self::TransactionCompleted(_)
            | Self::TransactionFailed(_)
            | Self::TransactionCancelled(_)
            | Self::OverdraftLimitSet(_)
            | Self::Frozen(_)
            | Self::Unfrozen(_)
            | Self::Closed(_) => None,
        }
    }

    /// The end of a pending transaction that the event brings, if it brings one.
    #[must_use]
    pub fn settlement(&self) -> Option<&events::Settlement> {
        match self {
            Self::TransactionCompleted(event) => Some(&event.0),
            Self::TransactionFailed(event) => Some(&event.0),
            Self::TransactionCancelled(event) => Some(&event.0),
            Self::Opened(_)
            | Self::Renamed(_)
            | Self::Deposited(_)
            | Self::Withdrawn(_)
            | Self::FeeCharged(_)
            | Self::InterestPosted(_)
            | Self::PaymentStarted(_)
            | Self::TransferredOut(_)
            | Self::TransferredIn(_)
            | Self::TransferReceived(_)
            | Self::TransferSent(_)
            | Self::OverdraftLimitSet(_)
            | Self::Frozen(_)
            | Self::Unfrozen(_)
            | Self::Closed(_) => None,
        }
    }
}

impl Aggregate for Account {
    const KIND: &'static str = "banking.account";
    type Command = AccountCommand;
    type Event = AccountEvent;
    type Error = AccountError;
    type Facts = AccountFacts;

    fn decide(
        &self,
        command: &AccountCommand,
        facts: &AccountFacts,
        context: &Context,
    ) -> Result<Vec<AccountEvent>, AccountError> {
        decide::decide(self, command, facts, context)
    }

    fn apply(&mut self, event: &AccountEvent) {
        if let AccountEvent::Opened(event) = event {
            self.0 = Some(Book::opened(event));
        } else if let Some(book) = &mut self.0 {
            book.apply(event);
        }
    }

    fn effects(&self, _: Uuid, event: &AccountEvent) -> Effects {
        match event {
            AccountEvent::Opened(event) => Effects {
                lifecycle: Lifecycle::Opens,
                claims: vec![Claim::new(NUMBER_CLAIM, event.account_number.as_str())],
                references: vec![event.user_id],
                ..Effects::default()
            },
            AccountEvent::Closed(_) => {
                Effects { lifecycle: Lifecycle::Closes, ..Effects::default() }
            }
            AccountEvent::Deposited(_)
            | AccountEvent::Withdrawn(_)
            | AccountEvent::FeeCharged(_)
            | AccountEvent::InterestPosted(_)
            | AccountEvent::PaymentStarted(_)
            | AccountEvent::TransferredOut(_)
            | AccountEvent::TransferredIn(_)
            | AccountEvent::TransferReceived(_)
            | AccountEvent::TransferSent(_) => Effects {
                claims: event
                    .entry()
                    .filter(|entry| entry.id_given)
                    .map(|entry| Claim::new(TRANSACTION_CLAIM, entry.transaction_id.to_string()))
                    .into_iter()
                    .collect(),
                ..Effects::default()
            },
            AccountEvent::Renamed(_)
            | AccountEvent::TransactionCompleted(_)
            | AccountEvent::TransactionFailed(_)
            | AccountEvent::TransactionCancelled(_)
            | AccountEvent::OverdraftLimitSet(_)
            | AccountEvent::Frozen(_)
            | AccountEvent::Unfrozen(_) => Effects::default(),
        }
    }
}

impl Book {
    fn opened(event: &events::Opened) -> Self {
        Self {
            user_id: event.user_id,
            account_name: event.account_name.clone(),
            currency: event.currency,
            overdraft_limit: event.overdraft_limit,
            balance: Money::ZERO,
            pending: BTreeMap::new(),
            standing: Standing::Open,
        }
    }

    fn apply(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::Opened(event) => *self = Self::opened(event),
            AccountEvent::Renamed(event) => self.account_name = event.account_name.clone(),
            AccountEvent::Deposited(events::Deposited(entry))
            | AccountEvent::Withdrawn(events::Withdrawn(entry))
            | AccountEvent::FeeCharged(events::FeeCharged(entry))
            | AccountEvent::InterestPosted(events::InterestPosted(entry))
            | AccountEvent::PaymentStarted(events::PaymentStarted(entry))
            | AccountEvent::TransferredOut(events::TransferredOut(entry))
            | AccountEvent::TransferredIn(events::TransferredIn(entry))
            | AccountEvent::TransferReceived(events::TransferReceived(entry))
            | AccountEvent::TransferSent(events::TransferSent(entry)) => {
                self.balance = entry.balance_after;
                if entry.status == TransactionStatus::Pending {
                    self.pending.insert(entry.transaction_id, entry.amount);
                }
            }
            AccountEvent::TransactionCompleted(events::TransactionCompleted(end))
            | AccountEvent::TransactionFailed(events::TransactionFailed(end))
            | AccountEvent::TransactionCancelled(events::TransactionCancelled(end)) => {
                self.balance = end.balance_after;
                self.pending.remove(&end.transaction_id);
            }
            AccountEvent::OverdraftLimitSet(event) => self.overdraft_limit = event.overdraft_limit,
            AccountEvent::Frozen(_) => self.standing = Standing::Frozen,
            AccountEvent::Unfrozen(_) => self.standing = Standing::Open,
            AccountEvent::Closed(_) => self.standing = Standing::Closed,
        }
    }
}
