//! What servers and what is measured on them are made of.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{InvalidValue, checked_string, named_values, shown_as_text};

named_values! {
    /// Whether a server does its work.
    pub enum ServerStatus {
        /// It does.
        Active = "active",
        /// Being worked on.
        Maintenance = "maintenance",
        /// Gone for good.
        Decommissioned = "decommissioned",
    }
}

/// A host's name in lower case, as RFC 1123 has it: 1 to 100 letters, digits, `-` and `.`, each
/// part of 1 to 63 and neither beginning nor ending with `-`. One case only, so that the name
/// itself is what is unique.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hostname(String);

checked_string!(Hostname);

impl Hostname {
    fn check(text: &str) -> Result<(), InvalidValue> {
        let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_part = |part: &str| {
            (1..=63).contains(&part.len())
                && part.bytes().all(is_inner)
                && !part.starts_with('-')
                && !part.ends_with('-')
        };
        if text.len() > 100 || !text.split('.').all(is_part) {
            return Err(InvalidValue::new(
                "a host name of 1 to 100 lower-case letters, digits, \"-\" and \".\" is allowed, such as \"db-1.example.com\"",
            ));
        }
        Ok(())
    }
}

shown_as_text! {
    Hostname { "type": "string", "maxLength": 100, "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$" }
}

/// How much of something a server has: a whole number from 1 to 2147483647.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Capacity(i32);

impl Capacity {
    /// The number.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl TryFrom<i64> for Capacity {
    type Error = InvalidValue;

    fn try_from(number: i64) -> Result<Self, InvalidValue> {
        let refused = || {
            InvalidValue::new(format!(
                "a whole number from 1 to {} is allowed, not {number}",
                i32::MAX
            ))
        };
        i32::try_from(number).ok().filter(|number| *number > 0).map(Self).ok_or_else(refused)
    }
}

impl From<Capacity> for i64 {
    fn from(capacity: Capacity) -> Self {
        capacity.0.into()
    }
}

impl JsonSchema for Capacity {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Capacity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": i32::MAX })
    }
}

/// A measured value: exact millionths, below 10^14 either way. What is given with more decimals
/// is rounded to six, halves away from zero, as PostgreSQL's numeric(20,6) does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricValue(i128);

/// The greatest that fits `numeric(20,6)`, in millionths.
const MAX_MILLIONTHS: i128 = 99_999_999_999_999_999_999;

impl MetricValue {
    /// In millionths.
    #[must_use]
    pub const fn millionths(self) -> i128 {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (units, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(units) || !all_digits(decimals) {
            return None;
        }
        let units = units.trim_start_matches('0');
        if units.len() > 14 {
            return None;
        }
        let kept: String = decimals.chars().chain(std::iter::repeat('0')).take(6).collect();
        let mut millionths: i128 = format!("{units}{kept}").parse().ok()?;
        if decimals.as_bytes().get(6).is_some_and(|seventh| *seventh >= b'5') {
            millionths += 1;
        }
        (millionths <= MAX_MILLIONTHS).then_some(Self(if negative {
            -millionths
        } else {
            millionths
        }))
    }
}

impl FromStr for MetricValue {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Self::parse(text).ok_or_else(|| {
            InvalidValue::new(
                "a decimal number below 10^14 either way is allowed, such as \"0.132\"",
            )
        })
    }
}

impl fmt::Display for MetricValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let (units, decimals) = (magnitude / 1_000_000, magnitude % 1_000_000);
        let sign = if self.0 < 0 { "-" } else { "" };
        if decimals == 0 {
            return write!(f, "{sign}{units}");
        }
        let decimals = format!("{decimals:06}");
        write!(f, "{sign}{units}.{}", decimals.trim_end_matches('0'))
    }
}

impl fmt::Debug for MetricValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for MetricValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct Measured;

impl Visitor<'_> for Measured {
    type Value = MetricValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal number, as text or as a JSON number")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<MetricValue, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<MetricValue, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<MetricValue, E> {
        self.visit_str(&number.to_string())
    }

    /// The shortest digits that mean this number, which is what was written wherever it had at
    /// most 15 of them.
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<MetricValue, E> {
        self.visit_str(&number.to_string())
    }
}

impl<'de> Deserialize<'de> for MetricValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Measured).map_err(D::Error::custom)
    }
}

impl JsonSchema for MetricValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "MetricValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number"], "examples": ["0.132"] })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Result<String, String> {
        text.parse::<MetricValue>()
            .map(|value| value.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_measured_is_kept_to_six_decimals() {
        for (given, kept) in [
            ("0.132", "0.132"),
            ("0.20199999999999999", "0.202"),
            ("1.7619999999999998", "1.762"),
            ("547457000.0", "547457000"),
            ("0.0000005", "0.000001"),
            ("-0.0000005", "-0.000001"),
            ("0.00000049", "0"),
            ("-0.0", "0"),
            ("000000000000000000001", "1"),
            ("99999999999999.999999", "99999999999999.999999"),
        ] {
            assert_eq!(shown(given).as_deref(), Ok(kept));
        }
        for wrong in [
            "",
            "-",
            ".5",
            "5.",
            "1e3",
            "+1",
            "NaN",
            "1,5",
            " 1",
            "99999999999999.9999995",
            "100000000000000",
        ] {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        let read =
            |json: &str| serde_json::from_str::<MetricValue>(json).map(|value| value.to_string());
        for (json, kept) in [
            ("0.1", "0.1"),
            ("-3", "-3"),
            ("245126000.0", "245126000"),
            ("\"2.5\"", "2.5"),
            ("1e3", "1000"),
        ] {
            assert_eq!(read(json).unwrap(), kept);
        }
        for wrong in ["1e300", "true", "null", "[1]", "\"x\""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn text_and_value_are_the_same_and_rounding_moves_by_half_a_millionth(
            millionths in -MAX_MILLIONTHS..=MAX_MILLIONTHS, more in 0..1_000_000_i128,
        ) {
            let value = MetricValue(millionths);
            prop_assert_eq!(value.to_string().parse::<MetricValue>().unwrap(), value);
            let magnitude = millionths.abs() / 2;
            let text = format!("{}.{:06}{more:06}", magnitude / 1_000_000, magnitude % 1_000_000);
            let rounded = text.parse::<MetricValue>().unwrap().millionths();
            prop_assert_eq!(rounded, magnitude + i128::from(more >= 500_000));
        }
    }

    #[test]
    fn host_names_are_lower_case_and_in_parts() {
        for name in ["a", "db-1.example.com", "10", &"a".repeat(63)] {
            assert!(name.parse::<Hostname>().is_ok(), "{name}");
        }
        for name in
            ["", "A", "a..b", "-a", "a-", "a_b", ".a", "a b", &"a".repeat(64), &"a.".repeat(51)]
        {
            assert!(name.parse::<Hostname>().is_err(), "{name}");
        }
    }

    #[test]
    fn capacities_are_positive() {
        let read = |json: &str| serde_json::from_str::<Capacity>(json).map(Capacity::get);
        assert_eq!(read("1").unwrap(), 1);
        assert_eq!(read("2147483647").unwrap(), i32::MAX);
        for wrong in ["0", "-1", "2147483648", "1.5", "\"1\""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
