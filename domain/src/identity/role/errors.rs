//! Why a role may refuse.

use uuid::Uuid;

use super::{MAX_PERMISSIONS, MAX_UNASSIGNED};
use crate::aggregate::{Refusal, RefusalSort};
use crate::values::RoleName;

/// Why a role may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// No role was created under this id.
    #[error("there is no such role")]
    Unknown,
    /// A role was created under this id before.
    #[error("this role is created already")]
    AlreadyCreated,
    /// The role is gone for good.
    #[error("the role {name:?} was deleted; create another one")]
    Deleted {
        /// What it was called.
        name: RoleName,
    },
    /// The role is built in.
    #[error("the role {name:?} is built in: it neither changes nor goes")]
    System {
        /// What it is called.
        name: RoleName,
    },
    /// The permission does not exist.
    #[error("there is no permission {permission_id} to grant")]
    PermissionUnknown {
        /// The permission.
        permission_id: Uuid,
    },
    /// It grants as many as it can.
    #[error("a role grants at most {MAX_PERMISSIONS} permissions, this one has {granted}")]
    TooManyPermissions {
        /// How many it grants.
        granted: usize,
    },
    /// More users have it than one request unassigns.
    #[error(
        "the role is assigned to more than {MAX_UNASSIGNED} users, at least {assigned}: unassign it from some of them first (unassign_role of each user), then delete it"
    )]
    TooManyUsers {
        /// How many users were found.
        assigned: usize,
    },
}

impl Refusal for RoleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "role-not-found",
            Self::AlreadyCreated => "role-already-created",
            Self::Deleted { .. } => "role-deleted",
            Self::System { .. } => "system-role",
            Self::PermissionUnknown { .. } => "no-such-permission",
            Self::TooManyPermissions { .. } => "too-many-permissions",
            Self::TooManyUsers { .. } => "too-many-users",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyCreated => RefusalSort::Exists,
            Self::Deleted { .. }
            | Self::System { .. }
            | Self::PermissionUnknown { .. }
            | Self::TooManyPermissions { .. }
            | Self::TooManyUsers { .. } => RefusalSort::Rule,
        }
    }
}
