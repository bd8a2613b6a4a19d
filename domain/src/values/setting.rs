//! What settings are made of.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{InvalidValue, checked_string, named_values, shown_as_text};

/// What a setting is called: 1 to 100 lower-case letters, digits, `_`, `-` and `.`, such as
/// `mail.smtp.host`. There is no other way to write one, so case cannot make two of it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SettingKey(String);

checked_string!(SettingKey);

impl SettingKey {
    fn check(text: &str) -> Result<(), InvalidValue> {
        let fits =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.');
        if text.is_empty() || text.len() > 100 || !text.bytes().all(fits) {
            return Err(InvalidValue::new(
                "a key of 1 to 100 lower-case letters, digits, \"_\", \"-\" and \".\" is allowed",
            ));
        }
        Ok(())
    }
}

shown_as_text! {
    SettingKey { "type": "string", "pattern": "^[a-z0-9_.-]{1,100}$", "examples": ["mail.smtp.host"] }
}

named_values! {
    /// What sort of value a setting has.
    pub enum SettingType {
        /// Text.
        String = "string",
        /// A whole number.
        Integer = "integer",
        /// Any number.
        Number = "number",
        /// Yes or no.
        Boolean = "boolean",
        /// An object or a list.
        Json = "json",
    }
}

impl SettingType {
    /// The sort that a value is of when nobody says; `None` for null, which is no value.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Bool(_) => Some(Self::Boolean),
            Value::Number(_) => Some(Self::Number),
            Value::String(_) => Some(Self::String),
            Value::Array(_) | Value::Object(_) => Some(Self::Json),
        }
    }

    /// Whether a value is of this sort.
    #[must_use]
    pub fn takes(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Json => value.is_object() || value.is_array(),
        }
    }
}

/// A value that is kept in the log and shown nowhere. In JSON it is the value itself; in schemas
/// it carries `x-secret: true`; `Debug` never shows it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretValue(pub Value);

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl JsonSchema for SecretValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SecretValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "x-secret": true })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_have_one_way_to_be_written() {
        for right in ["a", "mail.smtp.host", "feature-x_2"] {
            assert!(right.parse::<SettingKey>().is_ok(), "{right}");
        }
        for wrong in ["", "Mail", "a b", "ä", &"a".repeat(101)] {
            assert!(wrong.parse::<SettingKey>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_value_but_null_is_of_a_sort_that_takes_it() {
        for value in [json!(true), json!(1), json!(1.5), json!("a"), json!([]), json!({})] {
            assert!(SettingType::of(&value).unwrap().takes(&value), "{value}");
        }
        assert_eq!(SettingType::of(&Value::Null), None);
        for of in SettingType::ALL {
            assert!(!of.takes(&Value::Null), "{of}");
        }
        assert!(SettingType::Integer.takes(&json!(-1)) && !SettingType::Integer.takes(&json!(1.5)));
    }

    #[test]
    fn secrets_are_not_told() {
        let secret: SecretValue = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(format!("{secret:?}"), "[secret]");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"hunter2\"");
    }
}
