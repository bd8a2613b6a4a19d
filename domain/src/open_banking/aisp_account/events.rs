//! What can have happened to an account elsewhere.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{Currency, Money, Personal, Reason, SignedAmount, Text};

/// A consent to read: good from one instant to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Consent {
    /// What the bank calls it.
    pub consent_id: Text<100>,
    /// Since when it is good.
    pub consent_granted: DateTime<Utc>,
    /// Until when.
    pub consent_expires: DateTime<Utc>,
}

impl Consent {
    /// Whether it is good at this instant.
    #[must_use]
    pub fn is_good_at(&self, at: DateTime<Utc>) -> bool {
        self.consent_granted <= at && at < self.consent_expires
    }
}

/// An account elsewhere was linked, with a consent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Linked {
    /// Whose account it is.
    pub user_id: Uuid,
    /// The bank.
    pub bank_id: Text<50>,
    /// The account, as the bank knows it.
    pub account_id: Personal<Text<100>>,
    /// What sort of account the bank says it is.
    pub account_type: Text<50>,
    /// Its currency.
    pub currency: Currency,
    /// The consent.
    #[serde(flatten)]
    pub consent: Consent,
}

/// There is a new consent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ConsentRenewed(pub Consent);

/// The consent was taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentRevoked {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The consent's time came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentExpired {}

/// A balance was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BalanceRecorded {
    /// Whether the user was there.
    pub attended: bool,
    /// When it was read.
    pub read_at: DateTime<Utc>,
    /// What is on the account.
    pub balance: Money,
    /// What may be spent of it, where the bank says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_balance: Option<Money>,
}

/// Transactions were read: those that were not known before, which may be none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TransactionsRecorded {
    /// Whether the user was there.
    pub attended: bool,
    /// When they were read.
    pub read_at: DateTime<Utc>,
    /// The new ones, in the order in which the bank told of them.
    pub transactions: Vec<Transaction>,
}

/// A transaction as the bank told of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Transaction {
    /// The bank's own id of it.
    pub transaction_id: Text<100>,
    /// What it adds to the account (positive) or takes from it (negative).
    pub amount: SignedAmount,
    /// Its currency.
    pub currency: Currency,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Personal<Text<1000>>>,
    /// With whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_name: Option<Personal<Text<200>>>,
    /// What sort of spending or income it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Text<50>>,
    /// The day that it is of.
    pub transaction_date: NaiveDate,
    /// The day that the bank booked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_date: Option<NaiveDate>,
}

/// A transaction is of this sort now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Categorized {
    /// The bank's own id of the transaction.
    pub transaction_id: Text<100>,
    /// The sort, if it is of any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Text<50>>,
}

/// It was ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unlinked {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

crate::events! {
    /// What can have happened to an account elsewhere.
    pub enum AispAccountEvent {
        "open_banking.aisp_account.linked" @ 1 => Linked,
        "open_banking.aisp_account.consent_renewed" @ 1 => ConsentRenewed,
        "open_banking.aisp_account.consent_revoked" @ 1 => ConsentRevoked,
        "open_banking.aisp_account.consent_expired" @ 1 => ConsentExpired,
        "open_banking.aisp_account.balance_recorded" @ 1 => BalanceRecorded,
        "open_banking.aisp_account.transactions_recorded" @ 1 => TransactionsRecorded,
        "open_banking.aisp_account.categorized" @ 1 => Categorized,
        "open_banking.aisp_account.unlinked" @ 1 => Unlinked,
    }
}
