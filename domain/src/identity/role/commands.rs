//! What can be asked of a role.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::message::given_or_null;
use crate::values::{Description, Reason, RoleName};

/// Makes a new role, which grants nothing yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// What it is called, unique.
    pub name: RoleName,
    /// What it is for.
    #[serde(default)]
    pub description: Option<Description>,
}

/// Changes name and description. What is absent stays; a null description is removed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// What it is called, unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<RoleName>,
    /// What it is for; null removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given_or_null")]
    pub description: Option<Option<Description>>,
}

/// Gives a permission to everyone to whom the role is assigned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantPermission {
    /// The permission.
    pub permission_id: Uuid,
}

/// Takes a permission away from everyone to whom the role is assigned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokePermission {
    /// The permission.
    pub permission_id: Uuid,
}

/// Deletes the role for good, and unassigns it from everyone who has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

crate::commands! {
    /// What can be asked of a role.
    pub enum RoleCommand {
        "create" => Create,
        "describe" => Describe,
        "grant_permission" => GrantPermission,
        "revoke_permission" => RevokePermission,
        "delete" => Delete,
    }
}
