//! Personal data, marked as such.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// Data about a person. In JSON it is the value itself; in schemas it carries
/// `x-personal: true`; `Debug` never shows it, so that no log line does.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal<T>(pub T);

impl<T> Deref for Personal<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal]")
    }
}

impl<T: JsonSchema> JsonSchema for Personal<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Personal_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        schema.insert("x-personal".to_owned(), true.into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_itself_in_json_marked_in_schemas_and_masked_in_debug() {
        let name: Personal<String> = serde_json::from_str("\"Ada\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"Ada\"");
        assert_eq!(format!("{name:?}"), "[personal]");
        let schema = schemars::schema_for!(Personal<String>);
        assert_eq!(schema.get("x-personal"), Some(&true.into()));
        assert_eq!(schema.get("type"), Some(&"string".into()));
    }
}
