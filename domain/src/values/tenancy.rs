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
}
