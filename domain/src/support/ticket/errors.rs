//! Why a ticket may refuse.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::REOPEN_DAYS;
use crate::aggregate::{Refusal, RefusalSort};
use crate::values::{TicketStatus, UserRole, UserStatus};

fn told(instant: &DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Why a ticket may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// No ticket was opened under this id.
    #[error("there is no such ticket")]
    Unknown,
    /// A ticket was opened under this id before.
    #[error("there is a ticket of this id already")]
    AlreadyOpened,
    /// The user does not exist.
    #[error("there is no user {user_id} to open a ticket for")]
    UserUnknown {
        /// Who should be helped.
        user_id: Uuid,
    },
    /// The user is not active.
    #[error("the user {user_id} is {status}, not active")]
    UserNotActive {
        /// Who should be helped.
        user_id: Uuid,
        /// Where they stand.
        status: UserStatus,
    },
    /// The person does not exist.
    #[error("there is no user {user_id} to work on it")]
    AssigneeUnknown {
        /// Who should work on it.
        user_id: Uuid,
    },
    /// The person is not active.
    #[error("{user_id}, who is to work on it, is {status}, not active")]
    AssigneeNotActive {
        /// Who should work on it.
        user_id: Uuid,
        /// Where they stand.
        status: UserStatus,
    },
    /// Those who need help do not say who gives it.
    #[error("who works on a ticket is for a manager to say, not for the role {role}")]
    AssigningNeedsManager {
        /// The role of whoever asked.
        role: UserRole,
    },
    /// It is resolved or closed.
    #[error("the ticket is {status}; reopen it first")]
    NotOpen {
        /// Where it stands.
        status: TicketStatus,
    },
    /// It was closed too long ago.
    #[error(
        "a closed ticket is reopened within {REOPEN_DAYS} days: this one was closed at {}, and it is {}",
        told(closed_at),
        told(asked_at)
    )]
    ReopenTooLate {
        /// When it was closed.
        closed_at: DateTime<Utc>,
        /// When this was asked.
        asked_at: DateTime<Utc>,
    },
}

impl Refusal for TicketError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "ticket-not-found",
            Self::AlreadyOpened => "ticket-already-opened",
            Self::UserUnknown { .. } => "owner-not-found",
            Self::UserNotActive { .. } => "owner-not-active",
            Self::AssigneeUnknown { .. } => "assignee-not-found",
            Self::AssigneeNotActive { .. } => "assignee-not-active",
            Self::AssigningNeedsManager { .. } => "assigning-needs-manager",
            Self::NotOpen { .. } => "ticket-not-open",
            Self::ReopenTooLate { .. } => "ticket-closed-too-long",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyOpened => RefusalSort::Exists,
            Self::AssigningNeedsManager { .. } => RefusalSort::Forbidden,
            Self::UserUnknown { .. }
            | Self::UserNotActive { .. }
            | Self::AssigneeUnknown { .. }
            | Self::AssigneeNotActive { .. }
            | Self::NotOpen { .. }
            | Self::ReopenTooLate { .. } => RefusalSort::Rule,
        }
    }
}
