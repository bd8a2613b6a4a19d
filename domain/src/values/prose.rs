//! Text of several lines with a bound.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{InvalidValue, checked_string};

/// Text of `MIN` to `MAX` characters, not blank unless `MIN` is 0. Of the control characters it has
/// line feeds, carriage returns and tabs only. Kept as it came: what marks it up is the reader's affair.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prose<const MAX: usize, const MIN: usize = 1>(String);

checked_string!(Prose<const MAX: usize, const MIN: usize>);

impl<const MAX: usize, const MIN: usize> Prose<MAX, MIN> {
    /// Whether there is nothing to read in it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    fn check(text: &str) -> Result<(), InvalidValue> {
        let length = text.chars().count();
        if length > MAX || length < MIN {
            return Err(InvalidValue::new(format!(
                "text of {MIN} to {MAX} characters is allowed, this has {length}"
            )));
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(InvalidValue::new(
                "text without control characters other than line ends and tabs is allowed",
            ));
        }
        if MIN > 0 && text.trim().is_empty() {
            return Err(InvalidValue::new("text that is not blank is needed"));
        }
        Ok(())
    }
}

impl<const MAX: usize, const MIN: usize> fmt::Debug for Prose<MAX, MIN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MAX: usize, const MIN: usize> JsonSchema for Prose<MAX, MIN> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Prose_{MIN}_{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": MIN, "maxLength": MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_lines_and_nothing_that_is_not_text() {
        let says = |text: &str| text.parse::<Prose<9>>().map_err(|e| e.to_string());
        assert_eq!(says("<p>\r\n\tŽ</").expect("nine").as_str(), "<p>\r\n\tŽ</");
        assert_eq!(
            says("0123456789").unwrap_err(),
            "text of 1 to 9 characters is allowed, this has 10"
        );
        assert_eq!(says("").unwrap_err(), "text of 1 to 9 characters is allowed, this has 0");
        assert_eq!(says(" \n ").unwrap_err(), "text that is not blank is needed");
        for text in ["a\0", "a\u{1b}[0m", "a\u{85}", "\u{7f}"] {
            assert_eq!(
                says(text).unwrap_err(),
                "text without control characters other than line ends and tabs is allowed"
            );
        }
        let empty = "".parse::<Prose<9, 0>>().expect("empty text");
        assert!(empty.is_blank() && !says("a\n").expect("text").is_blank());
    }
}
