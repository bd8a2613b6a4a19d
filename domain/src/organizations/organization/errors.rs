//! Why an organization may refuse.

use uuid::Uuid;

use super::{MAX_MEMBERS, MAX_TOGETHER};
use crate::aggregate::{Refusal, RefusalSort};
use crate::values::{MemberRole, UserStatus};

fn told(ids: &[Uuid]) -> String {
    ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(", ")
}

/// Why an organization may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationError {
    /// No organization was created under this id.
    #[error("there is no such organization")]
    Unknown,
    /// An organization was created under this id before.
    #[error("this organization exists already")]
    AlreadyExists,
    /// It is deleted.
    #[error("the organization is deleted; restore it first")]
    Deleted,
    /// Someone else would be the owner.
    #[error(
        "{owner_id} would own the organization: only an administrator or a manager creates one for somebody else"
    )]
    ForSomebodyElse {
        /// Who would own it.
        owner_id: Uuid,
    },
    /// The member-to-be does not exist.
    #[error("there is no user {user_id} to be a member")]
    MemberUnknown {
        /// Who should be a member.
        user_id: Uuid,
    },
    /// The member-to-be is not active.
    #[error(
        "{user_id} is {status}; only an active user becomes a member or is given a higher role"
    )]
    MemberNotActive {
        /// Who should be a member.
        user_id: Uuid,
        /// Where they stand.
        status: UserStatus,
    },
    /// The member-to-be is a part of the service.
    #[error("{user_id} is a part of the service and no member of anything")]
    MemberIsSystem {
        /// Who should be a member.
        user_id: Uuid,
    },
    /// They are a member already, as something else.
    #[error("{user_id} is a member already, as {role}; change_member_role changes that")]
    AlreadyMember {
        /// The member.
        user_id: Uuid,
        /// As what.
        role: MemberRole,
    },
    /// They are no member.
    #[error("{user_id} is no member of the organization")]
    NotMember {
        /// Who is none.
        user_id: Uuid,
    },
    /// Only an owner says who is one.
    #[error("only an owner, an administrator or a manager says who owns the organization")]
    NeedsOwner,
    /// Nobody would own it.
    #[error(
        "{user_id} is the last owner of 1: make another member an owner before this one is demoted or removed"
    )]
    LastOwner {
        /// The one who must stay.
        user_id: Uuid,
    },
    /// Owners were deleted while it was.
    #[error(
        "its owners {} were deleted meanwhile: restore them first, then the organization",
        told(owners)
    )]
    OwnersGone {
        /// Who they are.
        owners: Vec<Uuid>,
    },
    /// It has as many members as it can.
    #[error("the organization has {MAX_MEMBERS} members, which is the most")]
    TooManyMembers,
    /// Too much would be deleted at once.
    #[error(
        "more than {MAX_TOGETHER} resources and open sessions would go with the organization, which is the most for one request: delete some of its resources first (/v1/organizations/resources/{{id}}/delete), then the organization"
    )]
    TooMuchAtOnce,
}

impl Refusal for OrganizationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "organization-not-found",
            Self::AlreadyExists => "organization-already-exists",
            Self::Deleted => "organization-deleted",
            Self::ForSomebodyElse { .. } => "organization-for-somebody-else",
            Self::MemberUnknown { .. } => "member-not-found",
            Self::MemberNotActive { .. } => "member-not-active",
            Self::MemberIsSystem { .. } => "member-is-system-user",
            Self::AlreadyMember { .. } => "already-member",
            Self::NotMember { .. } => "not-a-member",
            Self::NeedsOwner => "needs-owner",
            Self::LastOwner { .. } => "last-owner",
            Self::OwnersGone { .. } => "owners-deleted",
            Self::TooManyMembers => "too-many-members",
            Self::TooMuchAtOnce => "too-much-at-once",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyExists => RefusalSort::Exists,
            Self::ForSomebodyElse { .. } | Self::NeedsOwner => RefusalSort::Forbidden,
            Self::Deleted
            | Self::MemberUnknown { .. }
            | Self::MemberNotActive { .. }
            | Self::MemberIsSystem { .. }
            | Self::AlreadyMember { .. }
            | Self::NotMember { .. }
            | Self::LastOwner { .. }
            | Self::OwnersGone { .. }
            | Self::TooManyMembers
            | Self::TooMuchAtOnce => RefusalSort::Rule,
        }
    }
}
