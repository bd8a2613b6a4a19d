//! Why an account elsewhere may refuse.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use uuid::Uuid;

use super::{FIRST_DAY, MAX_AHEAD_DAYS, MAX_BATCH, UNATTENDED_READS};
use crate::aggregate::{Refusal, RefusalSort};
use crate::values::{Text, UserStatus};

fn told(instant: &DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Why an account elsewhere may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AispAccountError {
    /// Nothing was linked under this id.
    #[error("there is no such linked account")]
    Unknown,
    /// Something was linked under this id before.
    #[error("an account is linked under this id already")]
    AlreadyLinked,
    /// The user does not exist.
    #[error("there is no user {user_id} to link an account for")]
    UserUnknown {
        /// Whose account it should be.
        user_id: Uuid,
    },
    /// The user is not active.
    #[error("the user {user_id} is {status}, not active")]
    UserNotActive {
        /// Whose account it should be.
        user_id: Uuid,
        /// Where they stand.
        status: UserStatus,
    },
    /// The consent would be over already.
    #[error(
        "a consent expires in the future: {} is not after {}",
        told(consent_expires),
        told(now)
    )]
    ConsentPast {
        /// When it would expire.
        consent_expires: DateTime<Utc>,
        /// When it would be given.
        now: DateTime<Utc>,
    },
    /// There is no consent.
    #[error("nothing is read without a consent, and there is none since it was revoked or expired")]
    NoConsent,
    /// The consent was not good when it was read.
    #[error(
        "nothing is read without a valid consent: this one is good from {} until {}, and it was read at {}",
        told(granted),
        told(expires),
        told(read_at)
    )]
    ConsentNotValid {
        /// Since when it is good.
        granted: DateTime<Utc>,
        /// Until when.
        expires: DateTime<Utc>,
        /// When it was read.
        read_at: DateTime<Utc>,
    },
    /// The consent's time has not come.
    #[error("the consent expires at {}, not before", told(expires))]
    ConsentNotDue {
        /// When.
        expires: DateTime<Utc>,
    },
    /// It was read too often without the user.
    #[error(
        "an account is read without its user {UNATTENDED_READS} times in 24 hours at most: {count} reads are between {} and {} already, and this one is at {}",
        told(first),
        told(last),
        told(read_at)
    )]
    TooManyUnattended {
        /// How many there are in those 24 hours.
        count: usize,
        /// The first of them.
        first: DateTime<Utc>,
        /// The last of them.
        last: DateTime<Utc>,
        /// When this one would be.
        read_at: DateTime<Utc>,
    },
    /// It was read so long ago that nobody can say how often it was read then.
    #[error(
        "what was read without the user is recorded in order: this was read at {}, and only reads since {} are remembered",
        told(read_at),
        told(since)
    )]
    ReadTooLongAgo {
        /// When it was read.
        read_at: DateTime<Utc>,
        /// Since when reads are remembered.
        since: DateTime<Utc>,
    },
    /// Too many transactions at once.
    #[error("at most {MAX_BATCH} transactions are recorded at once, these are {count}")]
    TooManyTransactions {
        /// How many there are.
        count: usize,
    },
    /// A day that no transaction is of.
    #[error(
        "the transaction {transaction_id} is of {day}; what is between {FIRST_DAY} and {MAX_AHEAD_DAYS} days after the reading on {read_on} is recorded"
    )]
    DayOutOfRange {
        /// Which.
        transaction_id: Text<100>,
        /// Its day.
        day: NaiveDate,
        /// The day it was read.
        read_on: NaiveDate,
    },
    /// No such transaction was recorded.
    #[error("the bank told of no transaction {transaction_id} here")]
    TransactionUnknown {
        /// Which.
        transaction_id: Text<100>,
    },
    /// It was ended.
    #[error("the account is unlinked; link it anew")]
    Unlinked,
}

impl Refusal for AispAccountError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "aisp-account-not-found",
            Self::AlreadyLinked => "aisp-account-already-linked",
            Self::UserUnknown { .. } => "owner-not-found",
            Self::UserNotActive { .. } => "owner-not-active",
            Self::ConsentPast { .. } => "expiry-not-in-future",
            Self::NoConsent => "no-consent",
            Self::ConsentNotValid { .. } => "consent-not-valid",
            Self::ConsentNotDue { .. } => "consent-not-due",
            Self::TooManyUnattended { .. } => "too-many-unattended-reads",
            Self::ReadTooLongAgo { .. } => "read-too-long-ago",
            Self::TooManyTransactions { .. } => "too-many-transactions",
            Self::DayOutOfRange { .. } => "day-out-of-range",
            Self::TransactionUnknown { .. } => "aisp-transaction-not-found",
            Self::Unlinked => "aisp-account-unlinked",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyLinked => RefusalSort::Exists,
            Self::ConsentPast { .. }
            | Self::TooManyTransactions { .. }
            | Self::DayOutOfRange { .. } => RefusalSort::Invalid,
            Self::UserUnknown { .. }
            | Self::UserNotActive { .. }
            | Self::NoConsent
            | Self::ConsentNotValid { .. }
            | Self::ConsentNotDue { .. }
            | Self::TooManyUnattended { .. }
            | Self::ReadTooLongAgo { .. }
            | Self::TransactionUnknown { .. }
            | Self::Unlinked => RefusalSort::Rule,
        }
    }
}
