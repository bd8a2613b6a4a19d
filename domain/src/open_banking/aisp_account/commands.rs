//! What can be asked of an account elsewhere.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::events::Transaction;
use crate::values::{Currency, Money, Personal, Reason, SignedAmount, Text};

/// Links an account at a bank elsewhere to a user, who consents to its being read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Whose account it is; they must be active.
    pub user_id: Uuid,
    /// The bank; with the account and the user unique among what is linked.
    pub bank_id: Text<50>,
    /// The account, as the bank knows it.
    pub account_id: Personal<Text<100>>,
    /// What sort of account the bank says it is.
    pub account_type: Text<50>,
    /// Its currency.
    pub currency: Currency,
    /// The consent, as the bank knows it.
    pub consent_id: Text<100>,
    /// Until when the consent is good; in the future.
    pub consent_expires: DateTime<Utc>,
}

/// Puts a new consent in the place of the one before, if there still was one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewConsent {
    /// The consent, as the bank knows it.
    pub consent_id: Text<100>,
    /// Until when it is good; in the future.
    pub consent_expires: DateTime<Utc>,
}

/// Takes the consent back: nothing is read from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeConsent {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Ends a consent whose time has come; sent by the scheduler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpireConsent {}

/// Records a balance that was read at the bank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordBalance {
    /// Whether the user was there; without them an account is read four times in 24 hours at most.
    pub attended: bool,
    /// What is on the account.
    pub balance: Money,
    /// What may be spent of it, where the bank says so.
    #[serde(default)]
    pub available_balance: Option<Money>,
}

/// Records transactions that were read at the bank; those that are known already are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordTransactions {
    /// Whether the user was there; without them an account is read four times in 24 hours at most.
    pub attended: bool,
    /// The transactions, at most 1,000.
    #[schemars(length(max = 1_000))]
    pub transactions: Vec<ReadTransaction>,
}

/// A transaction as the bank tells of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct ReadTransaction {
    /// The bank's own id of it: recorded once, however often it is told.
    pub transaction_id: Text<100>,
    /// What it adds to the account (positive) or takes from it (negative).
    pub amount: SignedAmount,
    /// Its currency; the account's where absent.
    #[serde(default)]
    pub currency: Option<Currency>,
    /// What it is about.
    #[serde(default)]
    pub description: Option<Personal<Text<1000>>>,
    /// With whom.
    #[serde(default)]
    pub merchant_name: Option<Personal<Text<200>>>,
    /// What sort of spending or income it is.
    #[serde(default)]
    pub category: Option<Text<50>>,
    /// The day that it is of.
    pub transaction_date: NaiveDate,
    /// The day that the bank booked it.
    #[serde(default)]
    pub booking_date: Option<NaiveDate>,
}

impl ReadTransaction {
    /// The same as events have it.
    pub(super) fn recorded(&self, currency: Currency) -> Transaction {
        Transaction {
            transaction_id: self.transaction_id.clone(),
            amount: self.amount,
            currency: self.currency.unwrap_or(currency),
            description: self.description.clone(),
            merchant_name: self.merchant_name.clone(),
            category: self.category.clone(),
            transaction_date: self.transaction_date,
            booking_date: self.booking_date,
        }
    }
}

/// Says what sort of spending or income a transaction is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Categorize {
    /// The bank's own id of the transaction.
    pub transaction_id: Text<100>,
    /// The sort; of none where absent.
    #[serde(default)]
    pub category: Option<Text<50>>,
}

/// Ends it: nothing is read or changed any more. The same account may be linked anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unlink {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

crate::commands! {
    /// What can be asked of an account elsewhere.
    pub enum AispAccountCommand {
        "link" => Link,
        "renew_consent" => RenewConsent,
        "revoke_consent" => RevokeConsent,
        "expire_consent" => ExpireConsent,
        "record_balance" => RecordBalance,
        "record_transactions" => RecordTransactions,
        "categorize" => Categorize,
        "unlink" => Unlink,
    }
}
