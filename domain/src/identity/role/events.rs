//! What can have happened to a role.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{Description, Reason, RoleName};

/// A role began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    /// What it is called.
    pub name: RoleName,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Whether it is one of the built-in roles.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_system: bool,
}

/// Name or description changed; both as they are now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Described {
    /// What it was called.
    pub from_name: RoleName,
    /// What it is called.
    pub name: RoleName,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
}

/// The role grants a permission from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PermissionGranted {
    /// The permission.
    pub permission_id: Uuid,
}

/// The role does not grant a permission any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PermissionRevoked {
    /// The permission.
    pub permission_id: Uuid,
}

/// The role was deleted for good; nobody has it any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// The permissions that it granted to the last.
    pub permissions: Vec<Uuid>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

crate::events! {
    /// What can have happened to a role.
    pub enum RoleEvent {
        "identity.role.created" @ 1 => Created,
        "identity.role.described" @ 1 => Described,
        "identity.role.permission_granted" @ 1 => PermissionGranted,
        "identity.role.permission_revoked" @ 1 => PermissionRevoked,
        "identity.role.deleted" @ 1 => Deleted,
    }
}
