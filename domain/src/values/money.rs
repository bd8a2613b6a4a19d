//! Money: exact hundredths, never a float, written as a string with two decimals.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::InvalidValue;
use super::account::Direction;

/// The greatest sum that fits `numeric(15,2)`: below 10^13 units, in hundredths.
const MAX_HUNDREDTHS: i64 = 999_999_999_999_999;

/// A signed sum of money in hundredths of its currency's unit; at most 10^13 units either way.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Money(i64);

/// A sum of money that moves: positive, below 10^13 units.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Amount(Money);

/// How far below zero an account may go: zero or more, below 10^13 units.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OverdraftLimit(Money);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// This many hundredths; `None` where `numeric(15,2)` would not hold it.
    #[must_use]
    pub const fn from_hundredths(hundredths: i64) -> Option<Self> {
        if hundredths < -MAX_HUNDREDTHS || hundredths > MAX_HUNDREDTHS {
            return None;
        }
        Some(Self(hundredths))
    }

    /// In hundredths.
    #[must_use]
    pub const fn hundredths(self) -> i64 {
        self.0
    }

    /// The sum after `amount` came in or went out; `None` where it would not fit.
    #[must_use]
    pub const fn after(self, direction: Direction, amount: Amount) -> Option<Self> {
        // Both are below 10^15 either way: their sum is far from i64's ends.
        Self::from_hundredths(match direction {
            Direction::Credit => self.0 + amount.hundredths(),
            Direction::Debit => self.0 - amount.hundredths(),
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (units, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(units) || !all_digits(decimals) || units.len() > 13 || decimals.len() > 2 {
            return None;
        }
        let tens = if decimals.len() == 1 { 10 } else { 1 };
        let hundredths = units.parse::<i64>().ok()? * 100 + decimals.parse::<i64>().ok()? * tens;
        Self::from_hundredths(if negative { -hundredths } else { hundredths })
    }
}

impl Amount {
    /// This many hundredths; `None` unless positive and below 10^13 units.
    #[must_use]
    pub const fn from_hundredths(hundredths: i64) -> Option<Self> {
        match Money::from_hundredths(hundredths) {
            Some(money) if money.0 > 0 => Some(Self(money)),
            _ => None,
        }
    }

    /// In hundredths.
    #[must_use]
    pub const fn hundredths(self) -> i64 {
        self.0.0
    }

    /// As a sum.
    #[must_use]
    pub const fn money(self) -> Money {
        self.0
    }
}

impl OverdraftLimit {
    /// No overdraft.
    pub const NONE: Self = Self(Money::ZERO);

    /// This many hundredths; `None` unless zero or more and below 10^13 units.
    #[must_use]
    pub const fn from_hundredths(hundredths: i64) -> Option<Self> {
        match Money::from_hundredths(hundredths) {
            Some(money) if money.0 >= 0 => Some(Self(money)),
            _ => None,
        }
    }

    /// In hundredths.
    #[must_use]
    pub const fn hundredths(self) -> i64 {
        self.0.0
    }

    /// As a sum.
    #[must_use]
    pub const fn money(self) -> Money {
        self.0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", magnitude / 100, magnitude % 100)
    }
}

impl FromStr for Money {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Self::parse(text).ok_or_else(|| {
            InvalidValue::new(
                "a sum such as \"12.34\" or \"-12.34\" is allowed: at most two decimals, below 10^13",
            )
        })
    }
}

impl FromStr for Amount {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Money::parse(text).and_then(|money| Self::from_hundredths(money.0)).ok_or_else(|| {
            InvalidValue::new(
                "a positive amount such as \"12.34\" is allowed: at most two decimals, below 10^13",
            )
        })
    }
}

impl FromStr for OverdraftLimit {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Money::parse(text).and_then(|money| Self::from_hundredths(money.0)).ok_or_else(|| {
            InvalidValue::new(
                "a limit such as \"0.00\" or \"500.00\" is allowed: at most two decimals, below 10^13",
            )
        })
    }
}

/// JSON strings only: a JSON number may already have lost its hundredths on the way here.
struct DecimalString<T>(std::marker::PhantomData<T>);

impl<T: FromStr<Err = InvalidValue>> Visitor<'_> for DecimalString<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal string such as \"12.34\"")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! decimal_json {
    ($Name:ident, $pattern:literal) => {
        impl Serialize for $Name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $Name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(DecimalString(std::marker::PhantomData))
            }
        }

        impl JsonSchema for $Name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($Name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string", "format": "decimal", "pattern": $pattern, "examples": ["12.34"]
                })
            }
        }

        impl fmt::Debug for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

decimal_json!(Money, r"^-?[0-9]{1,13}(\.[0-9]{1,2})?$");
decimal_json!(Amount, r"^(?=.*[1-9])[0-9]{1,13}(\.[0-9]{1,2})?$");
decimal_json!(OverdraftLimit, r"^[0-9]{1,13}(\.[0-9]{1,2})?$");

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for OverdraftLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A currency's code in the shape of ISO 4217: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// US dollars, the default of an account.
    pub const USD: Self = Self(*b"USD");

    /// The code itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self::USD
    }
}

impl FromStr for Currency {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(InvalidValue::new("a currency of three capital letters is allowed: \"EUR\"")),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Currency {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"] })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_two_decimals_at_most_and_writes_two() {
        for (text, hundredths, written) in [
            ("0", 0, "0.00"),
            ("-0.00", 0, "0.00"),
            ("12.3", 1_230, "12.30"),
            ("-0.05", -5, "-0.05"),
            ("9999999999999.99", MAX_HUNDREDTHS, "9999999999999.99"),
            ("-9999999999999.99", -MAX_HUNDREDTHS, "-9999999999999.99"),
        ] {
            let money: Money = text.parse().unwrap();
            assert_eq!((money.hundredths(), money.to_string().as_str()), (hundredths, written));
        }
        for wrong in
            ["", "-", ".5", "5.", "1.234", "--1", "+1", " 1", "1 ", "1e2", "10000000000000", "١"]
        {
            assert!(wrong.parse::<Money>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_json_strings_are_money() {
        assert_eq!(serde_json::to_string(&Money(1_230)).unwrap(), "\"12.30\"");
        assert!(serde_json::from_str::<Money>("\"-12.30\"").is_ok());
        for wrong in ["12.30", "12", "null", "true", "[\"1\"]"] {
            assert!(serde_json::from_str::<Money>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn amounts_are_positive_and_limits_not_negative() {
        assert!("0.00".parse::<Amount>().is_err() && "-1".parse::<Amount>().is_err());
        assert!(
            "0.00".parse::<OverdraftLimit>().is_ok() && "-1".parse::<OverdraftLimit>().is_err()
        );
        let most = Amount::from_hundredths(MAX_HUNDREDTHS).unwrap();
        assert!(Amount::from_hundredths(MAX_HUNDREDTHS + 1).is_none());
        assert_eq!(Money(1).after(Direction::Credit, most), None);
        assert_eq!(Money(-1).after(Direction::Debit, most), None);
        assert_eq!(Money(1).after(Direction::Debit, most), Some(Money(1 - MAX_HUNDREDTHS)));
    }

    #[test]
    fn currencies_are_three_capital_letters() {
        assert_eq!("CZK".parse::<Currency>().unwrap().as_str(), "CZK");
        for wrong in ["", "eur", "EU", "EURO", "E1R", "ČZK"] {
            assert!(wrong.parse::<Currency>().is_err(), "{wrong}");
        }
        assert_eq!(serde_json::from_str::<Currency>("\"EUR\"").unwrap().to_string(), "EUR");
        assert_eq!(serde_json::from_str::<Currency>("\"\\u0045UR\"").unwrap().to_string(), "EUR");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(hundredths in -MAX_HUNDREDTHS..=MAX_HUNDREDTHS) {
            let money = Money::from_hundredths(hundredths).unwrap();
            prop_assert_eq!(money.to_string().parse::<Money>().unwrap(), money);
        }
    }
}
