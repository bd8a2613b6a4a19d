//! An account at a bank elsewhere, of which its holder lets us know (AISP).
//!
//! Nothing is read without a consent that is good at that moment, and without
//! the user at most four times in 24 hours. What the bank tells again is
//! recorded once: each of its transaction ids is claimed for the account, and
//! whoever decides is told which of the ids at hand are claimed. So the state
//! stays small however long it lives, and no id is forgotten: a list of the
//! latest ones in it would be wrong for what is told again after years.

pub mod commands;
mod decide;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;
mod unattended;

use std::collections::{BTreeSet, VecDeque};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Lifecycle};
use crate::context::Context;
use crate::identity::user::User;
use crate::values::{Currency, Personal, Text};

pub use commands::AispAccountCommand;
pub use errors::AispAccountError;
pub use events::AispAccountEvent;
pub use unattended::UnattendedReads;

use events::Consent;

/// The scope of claims on (user, bank, account) while it is linked.
pub const LINK_CLAIM: &str = "aisp_account.link";
/// The scope of claims on a bank's transaction ids, each for one account.
pub const TRANSACTION_CLAIM: &str = "aisp_account.transaction";
/// How often an account is read in 24 hours without its user.
pub const UNATTENDED_READS: usize = 4;
/// How many transactions are recorded at once.
pub const MAX_BATCH: usize = 1_000;
/// The first day that a transaction may be of.
pub const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(1900, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};
/// How many days after the reading a transaction may be of.
pub const MAX_AHEAD_DAYS: u64 = 366;

/// An account elsewhere as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AispAccount(Option<Link>);

/// An account that was linked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Whose it is.
    pub user_id: Uuid,
    /// The bank.
    pub bank_id: Text<50>,
    /// The account, as the bank knows it.
    pub account_id: Personal<Text<100>>,
    /// Its currency.
    pub currency: Currency,
    /// The consent, until it is revoked or has expired.
    pub consent: Option<Consent>,
    /// When it was read without the user.
    pub unattended: UnattendedReads,
    /// What was said lately of which sort some transactions are.
    pub categorized: LatelyCategorized,
    /// Whether it is still linked.
    pub is_linked: bool,
}

/// The latest transactions of which somebody said what sort they are. What is said again of one that
/// is not among them is taken for news: that changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LatelyCategorized(VecDeque<(Text<100>, Option<Text<50>>)>);

impl LatelyCategorized {
    /// How many are remembered.
    const REMEMBERED: usize = 128;

    /// What was said of a transaction, if that is remembered.
    #[must_use]
    pub fn category_of(&self, transaction_id: &Text<100>) -> Option<&Option<Text<50>>> {
        self.0.iter().find(|(known, _)| known == transaction_id).map(|(_, category)| category)
    }

    fn add(&mut self, transaction_id: &Text<100>, category: &Option<Text<50>>) {
        self.0.retain(|(known, _)| known != transaction_id);
        self.0.push_back((transaction_id.clone(), category.clone()));
        if self.0.len() > Self::REMEMBERED {
            self.0.pop_front();
        }
    }
}

/// What an account elsewhere must know of others.
#[derive(Debug, Clone, Default)]
pub struct AispAccountFacts {
    /// The state of the user for whom it is linked, read under a guard; `None` or an empty one: there
    /// is no such user.
    pub user: Option<User>,
    /// Those of [`AispAccount::names`] that this account has claimed. Only its own events claim them,
    /// so the version that the decision is made on keeps them true.
    pub recorded: BTreeSet<Text<100>>,
}

/// The claim on a bank's transaction id, for one account. The account's id has a fixed length, so no
/// two pairs have the same key.
#[must_use]
pub fn transaction_claim(account: Uuid, transaction_id: &Text<100>) -> Claim {
    Claim::new(TRANSACTION_CLAIM, format!("{account}/{transaction_id}"))
}

/// The id of the row of a transaction: the same whenever it is asked for.
#[must_use]
pub fn transaction_row(account: Uuid, transaction_id: &Text<100>) -> Uuid {
    Uuid::new_v5(&account, transaction_id.as_str().as_bytes())
}

/// The claim on an account while it is linked; the texts have no control characters.
fn link_claim(user_id: Uuid, bank_id: &Text<50>, account_id: &Text<100>) -> Claim {
    Claim::new(LINK_CLAIM, format!("{user_id}\u{1f}{bank_id}\u{1f}{account_id}"))
}

impl AispAccount {
    /// The account, once linked.
    #[must_use]
    pub fn link(&self) -> Option<&Link> {
        self.0.as_ref()
    }

    /// The bank's transaction ids of which the command's decision must know whether they are
    /// recorded.
    #[must_use]
    pub fn names(command: &AispAccountCommand) -> BTreeSet<Text<100>> {
        match command {
            AispAccountCommand::RecordTransactions(command) => {
                command.transactions.iter().map(|told| told.transaction_id.clone()).collect()
            }
            AispAccountCommand::Categorize(command) => [command.transaction_id.clone()].into(),
            AispAccountCommand::Link(_)
            | AispAccountCommand::RenewConsent(_)
            | AispAccountCommand::RevokeConsent(_)
            | AispAccountCommand::ExpireConsent(_)
            | AispAccountCommand::RecordBalance(_)
            | AispAccountCommand::Unlink(_) => BTreeSet::new(),
        }
    }
}

impl Owned for AispAccount {
    fn owner(&self, _: Uuid, command: &AispAccountCommand) -> Option<Uuid> {
        match (&self.0, command) {
            (Some(link), _) => Some(link.user_id),
            (None, AispAccountCommand::Link(command)) => Some(command.user_id),
            (None, _) => None,
        }
    }
}

impl Aggregate for AispAccount {
    const KIND: &'static str = "open_banking.aisp_account";
    type Command = AispAccountCommand;
    type Event = AispAccountEvent;
    type Error = AispAccountError;
    type Facts = AispAccountFacts;

    fn decide(
        &self,
        command: &AispAccountCommand,
        facts: &AispAccountFacts,
        context: &Context,
    ) -> Result<Vec<AispAccountEvent>, AispAccountError> {
        decide::decide(self, command, facts, context)
    }

    fn apply(&mut self, event: &AispAccountEvent) {
        if let AispAccountEvent::Linked(event) = event {
            self.0 = Some(Link::linked(event));
        } else if let Some(link) = &mut self.0 {
            link.apply(event);
        }
    }

    fn effects(&self, stream: Uuid, event: &AispAccountEvent) -> Effects {
        match event {
            AispAccountEvent::Linked(event) => Effects {
                lifecycle: Lifecycle::Opens,
                claims: vec![link_claim(event.user_id, &event.bank_id, &event.account_id)],
                references: vec![event.user_id],
                ..Effects::default()
            },
            AispAccountEvent::TransactionsRecorded(event) => Effects {
                claims: event
                    .transactions
                    .iter()
                    .map(|transaction| transaction_claim(stream, &transaction.transaction_id))
                    .collect(),
                ..Effects::default()
            },
            // Transaction ids stay claimed: the rows stay.
            AispAccountEvent::Unlinked(_) => Effects {
                lifecycle: Lifecycle::Closes,
                releases: self
                    .0
                    .iter()
                    .map(|link| link_claim(link.user_id, &link.bank_id, &link.account_id))
                    .collect(),
                ..Effects::default()
            },
            AispAccountEvent::ConsentRenewed(_)
            | AispAccountEvent::ConsentRevoked(_)
            | AispAccountEvent::ConsentExpired(_)
            | AispAccountEvent::BalanceRecorded(_)
            | AispAccountEvent::Categorized(_) => Effects::default(),
        }
    }
}

impl Link {
    fn linked(event: &events::Linked) -> Self {
        Self {
            user_id: event.user_id,
            bank_id: event.bank_id.clone(),
            account_id: event.account_id.clone(),
            currency: event.currency,
            consent: Some(event.consent.clone()),
            unattended: UnattendedReads::default(),
            categorized: LatelyCategorized::default(),
            is_linked: true,
        }
    }

    fn apply(&mut self, event: &AispAccountEvent) {
        match event {
            AispAccountEvent::Linked(event) => *self = Self::linked(event),
            AispAccountEvent::ConsentRenewed(event) => self.consent = Some(event.0.clone()),
            AispAccountEvent::ConsentRevoked(_) | AispAccountEvent::ConsentExpired(_) => {
                self.consent = None;
            }
            AispAccountEvent::BalanceRecorded(event) => {
                if !event.attended {
                    self.unattended.add(event.read_at);
                }
            }
            AispAccountEvent::TransactionsRecorded(event) => {
                if !event.attended {
                    self.unattended.add(event.read_at);
                }
            }
            AispAccountEvent::Categorized(event) => {
                self.categorized.add(&event.transaction_id, &event.category);
            }
            AispAccountEvent::Unlinked(_) => {
                self.is_linked = false;
                self.consent = None;
            }
        }
    }
}
