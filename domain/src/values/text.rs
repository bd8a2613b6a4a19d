//! Plain text with a bound.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{InvalidValue, checked_string};

/// Text of `MIN` to `MAX` characters, not blank unless `MIN` is 0, and without
/// control characters (U+0000 among them, which PostgreSQL refuses).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text<const MAX: usize, const MIN: usize = 1>(String);

checked_string!(Text<const MAX: usize, const MIN: usize>);

impl<const MAX: usize, const MIN: usize> Text<MAX, MIN> {
    fn check(text: &str) -> Result<(), InvalidValue> {
        let length = text.chars().count();
        if length > MAX || length < MIN {
            return Err(InvalidValue::new(format!(
                "text of {MIN} to {MAX} characters is allowed, this has {length}"
            )));
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidValue::new("text without control characters is allowed"));
        }
        if MIN > 0 && text.trim().is_empty() {
            return Err(InvalidValue::new("text that is not blank is needed"));
        }
        Ok(())
    }
}

impl<const MAX: usize, const MIN: usize> fmt::Debug for Text<MAX, MIN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MAX: usize, const MIN: usize> fmt::Display for Text<MAX, MIN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize, const MIN: usize> JsonSchema for Text<MAX, MIN> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Text_{MIN}_{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": MIN, "maxLength": MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_allowed() {
        let says = |text: &str| text.parse::<Text<5>>().map_err(|e| e.to_string());
        assert_eq!(says("Žižka").expect("five characters").as_str(), "Žižka");
        assert_eq!(says("sixsix").unwrap_err(), "text of 1 to 5 characters is allowed, this has 6");
        assert_eq!(says("").unwrap_err(), "text of 1 to 5 characters is allowed, this has 0");
        assert_eq!(says("  ").unwrap_err(), "text that is not blank is needed");
        for text in ["a\0", "a\nb", "\u{85}"] {
            assert_eq!(says(text).unwrap_err(), "text without control characters is allowed");
        }
        assert!("".parse::<Text<5, 0>>().is_ok());
    }

    #[test]
    fn is_checked_while_parsing_json() {
        let error = serde_json::from_str::<Text<3>>("\"long\"").unwrap_err().to_string();
        assert!(error.starts_with("text of 1 to 3 characters is allowed"), "{error}");
    }
}
