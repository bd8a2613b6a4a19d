//! The roster of administrators: who could mend everything else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Puts a user on the roster. Sent by the write side itself, never from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The user.
    pub user_id: Uuid,
}

/// Takes a user off the roster. Sent by the write side itself, never from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// The user.
    pub user_id: Uuid,
}

crate::commands! {
    /// What can be asked of the roster.
    pub enum AdminsCommand {
        "add" => Add,
        "remove" => Remove,
    }
}

/// A user became an active administrator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Added {
    /// The user.
    pub user_id: Uuid,
}

/// A user is an active administrator no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    /// The user.
    pub user_id: Uuid,
}

crate::events! {
    /// What can have happened to the roster.
    pub enum AdminsEvent {
        "identity.admins.added" @ 1 => Added,
        "identity.admins.removed" @ 1 => Removed,
    }
}
