//! The built-in roles of users, and those of an organization's members.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::named_values;

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

named_values! {
    /// What a user is in an organization that they belong to.
    pub enum MemberRole {
        /// Everything there; at least one stays.
        Owner = "owner",
        /// Everything there.
        Admin = "admin",
        /// What managers may, but for the administration of the organization itself.
        Member = "member",
        /// Reads.
        Viewer = "viewer",
    }
}

impl MemberRole {
    /// Whether it administers the organization itself.
    #[must_use]
    pub const fn administers(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }

    /// Whether it may more than the other one.
    #[must_use]
    pub fn is_above(self, other: Self) -> bool {
        // They stand from the highest to the lowest.
        self < other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_one_above_the_other() {
        let roles = MemberRole::ALL;
        assert!(roles.windows(2).all(|pair| pair[0].is_above(pair[1])));
        assert!(!MemberRole::Owner.is_above(MemberRole::Owner));
        let administer: Vec<_> =
            roles.iter().filter(|role| role.administers()).map(|role| role.as_str()).collect();
        assert_eq!(administer, ["owner", "admin"]);
    }
}
