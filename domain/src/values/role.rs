//! The built-in roles of users.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a user may do, as a built-in set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserRole {
    /// Everything.
    Admin,
    /// Everything but identity administration.
    Manager,
    /// What is their own.
    #[default]
    User,
    /// Reads.
    Viewer,
    /// Reads everything, and history.
    Auditor,
}

impl UserRole {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Admin, Self::Manager, Self::User, Self::Viewer, Self::Auditor];

    /// The name as it stands in events and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Manager => "manager",
            Self::User => "user",
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
        }
    }
}

impl std::fmt::Display for UserRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
