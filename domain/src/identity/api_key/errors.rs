//! Why an API key may refuse.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::MAX_SCOPES;
use crate::aggregate::{Refusal, RefusalSort};
use crate::values::{Scope, UserRole, UserStatus};

fn told(instant: &DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Why an API key may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// No key was issued under this id.
    #[error("there is no such API key")]
    Unknown,
    /// A key was issued under this id before.
    #[error("this API key is issued already")]
    AlreadyIssued,
    /// The owner does not exist.
    #[error("there is no user {user_id} to own the key")]
    OwnerUnknown {
        /// Who should own it.
        user_id: Uuid,
    },
    /// The owner is not active.
    #[error("the key's owner {user_id} is {status}, not active")]
    OwnerNotActive {
        /// The owner.
        user_id: Uuid,
        /// Where they stand.
        status: UserStatus,
    },
    /// The owner is a part of the service.
    #[error("{user_id} is a part of the service, which needs no key")]
    OwnerIsSystem {
        /// The owner.
        user_id: Uuid,
    },
    /// Someone else's key.
    #[error("the key is {user_id}'s: only they or an administrator may do this")]
    NotYours {
        /// Whose it is.
        user_id: Uuid,
    },
    /// Too few or too many scopes.
    #[error("a key has 1 to {MAX_SCOPES} scopes, asked {asked}")]
    ScopeCount {
        /// How many were asked.
        asked: usize,
    },
    /// The owner may do nothing that the scope names.
    #[error("the scope {scope} names nothing that the owner's role {role} allows")]
    ScopeBeyondRole {
        /// The scope.
        scope: Scope,
        /// The owner's role.
        role: UserRole,
    },
    /// The key in use may do less than the one asked for.
    #[error("the scope {scope} is wider than the key that asks for it")]
    ScopeBeyondKey {
        /// The scope.
        scope: Scope,
    },
    /// The expiry is not in the future.
    #[error("a key expires in the future: {} is not after {}", told(expires_at), told(now))]
    ExpiryPast {
        /// What was asked.
        expires_at: DateTime<Utc>,
        /// The present.
        now: DateTime<Utc>,
    },
    /// The key was revoked.
    #[error("the key is revoked; issue another one")]
    Revoked,
    /// The key's time has come.
    #[error("the key has expired; issue another one")]
    Expired,
    /// The key's time has not come.
    #[error("the key {}", expires_at.map_or_else(
        || "never expires".to_owned(),
        |end| format!("expires at {}, not before", told(&end))
    ))]
    NotDue {
        /// When it expires, if it does.
        expires_at: Option<DateTime<Utc>>,
    },
}

impl Refusal for ApiKeyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "api-key-not-found",
            Self::AlreadyIssued => "api-key-already-issued",
            Self::OwnerUnknown { .. } => "owner-not-found",
            Self::OwnerNotActive { .. } => "owner-not-active",
            Self::OwnerIsSystem { .. } => "owner-is-system-user",
            Self::NotYours { .. } => "not-your-api-key",
            Self::ScopeCount { .. } => "scope-count",
            Self::ScopeBeyondRole { .. } => "scope-beyond-role",
            Self::ScopeBeyondKey { .. } => "scope-beyond-key",
            Self::ExpiryPast { .. } => "expiry-not-in-future",
            Self::Revoked => "api-key-revoked",
            Self::Expired => "api-key-expired",
            Self::NotDue { .. } => "api-key-not-due",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyIssued => RefusalSort::Exists,
            Self::NotYours { .. } | Self::ScopeBeyondKey { .. } => RefusalSort::Forbidden,
            Self::ScopeCount { .. } | Self::ExpiryPast { .. } => RefusalSort::Invalid,
            Self::OwnerUnknown { .. }
            | Self::OwnerNotActive { .. }
            | Self::OwnerIsSystem { .. }
            | Self::ScopeBeyondRole { .. }
            | Self::Revoked
            | Self::Expired
            | Self::NotDue { .. } => RefusalSort::Rule,
        }
    }
}
