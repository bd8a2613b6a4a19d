//! What banks elsewhere tell of accounts.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{InvalidValue, Money};

/// What a transaction adds to an account elsewhere, or takes from it: never nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Money", into = "Money")]
pub struct SignedAmount(Money);

impl SignedAmount {
    /// As a sum.
    #[must_use]
    pub const fn money(self) -> Money {
        self.0
    }
}

impl TryFrom<Money> for SignedAmount {
    type Error = InvalidValue;

    fn try_from(money: Money) -> Result<Self, InvalidValue> {
        if money == Money::ZERO {
            return Err(InvalidValue::new("an amount other than 0.00 is needed"));
        }
        Ok(Self(money))
    }
}

impl From<SignedAmount> for Money {
    fn from(amount: SignedAmount) -> Self {
        amount.0
    }
}

impl std::str::FromStr for SignedAmount {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        text.parse::<Money>()?.try_into()
    }
}

impl fmt::Debug for SignedAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for SignedAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl JsonSchema for SignedAmount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SignedAmount".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Money::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_something_either_way() {
        let read = |text: &str| serde_json::from_str::<SignedAmount>(text);
        for text in ["\"12.34\"", "\"-0.01\""] {
            let amount = read(text).expect(text);
            assert_eq!(serde_json::to_string(&amount).expect("JSON"), text);
        }
        for text in ["\"0\"", "\"0.00\"", "\"-0.00\""] {
            let says = read(text).expect_err(text).to_string();
            assert!(says.starts_with("an amount other than 0.00 is needed"), "{says}");
        }
        assert!(read("12.34").is_err() && read("\"1.005\"").is_err());
    }
}
