//! What organizations and their members are made of.

use super::{InvalidValue, checked_string, named_values, shown_as_text};

named_values! {
    /// What an organization pays for.
    #[derive(Default)]
    pub enum PlanTier {
        /// Nothing.
        #[default]
        Free = "free",
        /// The smallest plan.
        Starter = "starter",
        /// The usual plan.
        Business = "business",
        /// The largest plan.
        Enterprise = "enterprise",
    }
}

named_values! {
    /// What a member may do within an organization. A later one is above those before it.
    pub enum MemberRole {
        /// Reads.
        Viewer = "viewer",
        /// Works: everything but the organization's own administration.
        Member = "member",
        /// Everything.
        Admin = "admin",
        /// Everything, and says who else is an owner; one of them stays.
        Owner = "owner",
    }
}

impl MemberRole {
    /// Whether it administers the organization itself.
    #[must_use]
    pub const fn administers(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }
}

/// A country by its ISO 3166-1 alpha-2 code: two capital letters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CountryCode(String);

checked_string!(CountryCode);

impl CountryCode {
    fn check(text: &str) -> Result<(), InvalidValue> {
        if text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()) {
            return Ok(());
        }
        Err(InvalidValue::new("a country of two capital letters is allowed: \"CZ\""))
    }
}

shown_as_text! {
    CountryCode { "type": "string", "pattern": "^[A-Z]{2}$", "examples": ["CZ"] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_two_capital_letters() {
        assert_eq!("CZ".parse::<CountryCode>().unwrap().as_str(), "CZ");
        for wrong in ["", "C", "cz", "CZE", "C1", "Č"] {
            assert!(wrong.parse::<CountryCode>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn roles_stand_one_above_the_other() {
        assert!(MemberRole::ALL.is_sorted());
        let administer: Vec<_> =
            MemberRole::ALL.iter().filter(|role| role.administers()).map(|r| r.as_str()).collect();
        assert_eq!(administer, ["admin", "owner"]);
    }
}
