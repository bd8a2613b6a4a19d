//! Why a user may refuse.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::{MAX_CLOSED, MAX_ROLES};
use crate::aggregate::{Refusal, RefusalSort};
use crate::values::{UserRole, UserStatus};

/// How many organizations a refusal names.
const NAMED: usize = 10;

fn owned(organizations: &[Uuid]) -> String {
    let named: Vec<String> = organizations.iter().take(NAMED).map(Uuid::to_string).collect();
    let more = if organizations.len() > NAMED { " and more" } else { "" };
    let noun = if organizations.len() == 1 { "the organization" } else { "the organizations" };
    format!("{noun} {}{more}", named.join(", "))
}

/// Why a user may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// Nobody was registered under this id.
    #[error("there is no such user")]
    Unknown,
    /// Someone was registered under this id before.
    #[error("this user is registered already")]
    AlreadyRegistered,
    /// The user was deleted.
    #[error("the user is deleted; restore them first")]
    Deleted,
    /// The user is not active.
    #[error("the user is {status}, not active")]
    NotActive {
        /// Where they stand.
        status: UserStatus,
    },
    /// Too many failures in a row.
    #[error(
        "after {failures} failures in a row nobody can sign in as this user until {}",
        until.to_rfc3339_opts(SecondsFormat::Secs, true)
    )]
    Locked {
        /// How many.
        failures: u32,
        /// When the lock ends.
        until: DateTime<Utc>,
    },
    /// The token is not the one that was sent last.
    #[error("this is not the verification token that was made last for the user's email")]
    WrongToken,
    /// The user is a part of the service.
    #[error("this user is a part of the service: it neither changes nor signs in")]
    SystemUser,
    /// The role to be assigned does not exist.
    #[error("there is no role {role_id} to assign")]
    RoleUnknown {
        /// The role.
        role_id: Uuid,
    },
    /// The user has as many roles as they can.
    #[error(
        "a user has at most {MAX_ROLES} roles beside the built-in one, this one has {assigned}"
    )]
    TooManyRoles {
        /// How many they have.
        assigned: usize,
    },
    /// More sessions are open than one request closes.
    #[error(
        "more than {MAX_CLOSED} sessions are open, at least {open}: close some of them first (/v1/identity/sessions/{{id}}/close)"
    )]
    TooManySessions {
        /// How many were found.
        open: usize,
    },
    /// Organizations would be left without this owner.
    #[error(
        "the user owns {}: make another member the owner and have this one leave, or delete the organization; then delete the user",
        owned(organizations)
    )]
    OwnsOrganizations {
        /// Some of them, by id.
        organizations: Vec<Uuid>,
    },
    /// Only administrators may.
    #[error("only an administrator may do this, and the actor's role is {role}")]
    NeedsAdmin {
        /// The actor's role.
        role: UserRole,
    },
}

impl Refusal for UserError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "user-not-found",
            Self::AlreadyRegistered => "user-already-registered",
            Self::Deleted => "user-deleted",
            Self::NotActive { .. } => "user-not-active",
            Self::Locked { .. } => "user-locked",
            Self::WrongToken => "wrong-verification-token",
            Self::SystemUser => "system-user",
            Self::RoleUnknown { .. } => "no-such-role",
            Self::TooManyRoles { .. } => "too-many-roles",
            Self::TooManySessions { .. } => "too-many-sessions",
            Self::OwnsOrganizations { .. } => "owns-organizations",
            Self::NeedsAdmin { .. } => "needs-administrator",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyRegistered => RefusalSort::Exists,
            Self::Deleted
            | Self::NotActive { .. }
            | Self::Locked { .. }
            | Self::WrongToken
            | Self::SystemUser
            | Self::RoleUnknown { .. }
            | Self::TooManyRoles { .. }
            | Self::TooManySessions { .. }
            | Self::OwnsOrganizations { .. } => RefusalSort::Rule,
            Self::NeedsAdmin { .. } => RefusalSort::Forbidden,
        }
    }
}
