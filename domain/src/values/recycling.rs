//! What is weighed and measured in recycling, and where collections stand.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{InvalidValue, Money, named_values};

named_values! {
    /// Where a collection stands.
    pub enum CollectionStatus {
        /// It will be made.
        Scheduled = "scheduled",
        /// It was made.
        Completed = "completed",
        /// It was not made on its day.
        Missed = "missed",
        /// It will not be made.
        Cancelled = "cancelled",
    }
}

/// An exact number with at most two decimals, of `MIN` to `MAX` hundredths; in JSON a string such as
/// `"12.50"`, as money is: a JSON number may already have lost its hundredths on the way here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Money", into = "Money")]
pub struct Measured<const MIN: i64, const MAX: i64>(Money);

/// A weight in kilograms: more than nothing, below 10^6.
pub type Weight = Measured<1, 99_999_999>;
/// A mass of carbon in kilograms: nothing or more, below 10^8.
pub type Carbon = Measured<0, 9_999_999_999>;
/// A rate in percent, 0 to 100.
pub type Percentage = Measured<0, 10_000>;

impl<const MIN: i64, const MAX: i64> Measured<MIN, MAX> {
    /// In hundredths.
    #[must_use]
    pub const fn hundredths(self) -> i64 {
        self.0.hundredths()
    }
}

/// Hundredths as they are written, with two decimals.
struct Hundredths(i64);

impl fmt::Display for Hundredths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl<const MIN: i64, const MAX: i64> TryFrom<Money> for Measured<MIN, MAX> {
    type Error = InvalidValue;

    fn try_from(number: Money) -> Result<Self, InvalidValue> {
        if number.hundredths() < MIN || number.hundredths() > MAX {
            let (min, max) = (Hundredths(MIN), Hundredths(MAX));
            return Err(InvalidValue::new(format!("{min} to {max} is allowed, this is {number}")));
        }
        Ok(Self(number))
    }
}

impl<const MIN: i64, const MAX: i64> From<Measured<MIN, MAX>> for Money {
    fn from(measured: Measured<MIN, MAX>) -> Self {
        measured.0
    }
}

impl<const MIN: i64, const MAX: i64> std::str::FromStr for Measured<MIN, MAX> {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        text.parse::<Money>()?.try_into()
    }
}

impl<const MIN: i64, const MAX: i64> fmt::Debug for Measured<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MIN: i64, const MAX: i64> fmt::Display for Measured<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<const MIN: i64, const MAX: i64> JsonSchema for Measured<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Measured_{MIN}_{MAX}").into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Money::json_schema(generator);
        let says = format!("{} to {}, at most two decimals", Hundredths(MIN), Hundredths(MAX));
        schema.insert("description".to_owned(), says.into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_within_its_bounds() {
        let weight = |text: &str| serde_json::from_str::<Weight>(text).map_err(|e| e.to_string());
        assert_eq!(weight("\"12.5\"").expect("a weight").to_string(), "12.50");
        assert_eq!(weight("\"999999.99\"").expect("a weight").hundredths(), 99_999_999);
        for (text, number) in [("0.00", "0.00"), ("-1", "-1.00"), ("1000000", "1000000.00")] {
            let says = weight(&format!("\"{text}\"")).expect_err(text);
            let expected = format!("0.01 to 999999.99 is allowed, this is {number}");
            assert!(says.starts_with(&expected), "{says}");
        }
        assert!(weight("12.5").is_err() && weight("\"1.005\"").is_err());
        assert!("100.00".parse::<Percentage>().is_ok() && "0".parse::<Carbon>().is_ok());
        let says = "100.01".parse::<Percentage>().expect_err("too much").to_string();
        assert_eq!(says, "0.00 to 100.00 is allowed, this is 100.01");
    }
}
