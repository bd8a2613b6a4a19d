//! Why a session may refuse.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::LONGEST;
use crate::aggregate::{Refusal, RefusalSort};
use crate::values::UserStatus;

fn told(instant: &DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Why a session may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// No session was opened under this id.
    #[error("there is no such session")]
    Unknown,
    /// A session was opened under this id before.
    #[error("this session is opened already")]
    AlreadyOpened,
    /// The user does not exist.
    #[error("there is no user {user_id} to have a session")]
    UserUnknown {
        /// Whose it should be.
        user_id: Uuid,
    },
    /// The user is not active.
    #[error("{user_id} is {status}, not active")]
    UserNotActive {
        /// The user.
        user_id: Uuid,
        /// Where they stand.
        status: UserStatus,
    },
    /// The user is a part of the service.
    #[error("{user_id} is a part of the service, which does not sign in")]
    UserIsSystem {
        /// The user.
        user_id: Uuid,
    },
    /// Someone else's session.
    #[error("the session is {user_id}'s: only they or an administrator may do this")]
    NotYours {
        /// Whose it is.
        user_id: Uuid,
    },
    /// A key that is limited would get around its limits.
    #[error("a session has no limits, so a key that has some opens none")]
    BeyondKey,
    /// The user is no member of the organization, or it is not there.
    #[error("{user_id} is not a member of the organization {org_id}")]
    NotAMember {
        /// The user.
        user_id: Uuid,
        /// The organization.
        org_id: Uuid,
    },
    /// The end is not in the future.
    #[error("a session ends in the future: {} is not after {}", told(expires_at), told(now))]
    ExpiryPast {
        /// What was asked.
        expires_at: DateTime<Utc>,
        /// The present.
        now: DateTime<Utc>,
    },
    /// The end is too far away.
    #[error(
        "a session lasts {} days at most: {} is after {}",
        LONGEST.num_days(), told(expires_at), told(latest)
    )]
    TooLong {
        /// What was asked.
        expires_at: DateTime<Utc>,
        /// The latest end.
        latest: DateTime<Utc>,
    },
    /// Extending does not shorten.
    #[error(
        "the session ends at {}, and extending it does not shorten it: {} is before that",
        told(ends_at),
        told(expires_at)
    )]
    Shorter {
        /// What was asked.
        expires_at: DateTime<Utc>,
        /// When it ends.
        ends_at: DateTime<Utc>,
    },
    /// The session was closed.
    #[error("the session is closed; open another one")]
    Closed,
    /// The session's time has come.
    #[error("the session has expired; open another one")]
    Expired,
    /// The session's time has not come.
    #[error("the session ends at {}, not before", told(expires_at))]
    NotDue {
        /// When it ends.
        expires_at: DateTime<Utc>,
    },
}

impl Refusal for SessionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "session-not-found",
            Self::AlreadyOpened => "session-already-opened",
            Self::UserUnknown { .. } => "no-such-user",
            Self::UserNotActive { .. } => "user-not-active",
            Self::UserIsSystem { .. } => "system-user",
            Self::NotYours { .. } => "not-your-session",
            Self::BeyondKey => "session-beyond-key",
            Self::NotAMember { .. } => "not-a-member",
            Self::ExpiryPast { .. } => "expiry-not-in-future",
            Self::TooLong { .. } => "session-too-long",
            Self::Shorter { .. } => "session-not-shortened",
            Self::Closed => "session-closed",
            Self::Expired => "session-expired",
            Self::NotDue { .. } => "session-not-due",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyOpened => RefusalSort::Exists,
            Self::NotYours { .. } | Self::BeyondKey => RefusalSort::Forbidden,
            Self::ExpiryPast { .. } | Self::TooLong { .. } => RefusalSort::Invalid,
            Self::UserUnknown { .. }
            | Self::UserNotActive { .. }
            | Self::UserIsSystem { .. }
            | Self::NotAMember { .. }
            | Self::Shorter { .. }
            | Self::Closed
            | Self::Expired
            | Self::NotDue { .. } => RefusalSort::Rule,
        }
    }
}
