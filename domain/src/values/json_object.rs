//! JSON of the users' own shape, with a bound.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::InvalidValue;

/// A JSON object of at most 64 KiB as text, nested at most 32 deep, and without U+0000, which
/// PostgreSQL refuses. Its names are in one order, so that equal objects have equal text.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct JsonObject(Map<String, Value>);

impl JsonObject {
    /// How long it may be, in bytes, written without spaces.
    pub const MAX_BYTES: usize = 64 * 1024;
    /// How deep it may nest, itself included.
    pub const MAX_DEPTH: usize = 32;

    /// Its fields.
    #[must_use]
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// It, written without spaces.
    #[must_use]
    pub fn to_text(&self) -> String {
        // A map with text for names always has a form in JSON.
        serde_json::to_string(&self.0).unwrap_or_else(|_| "{}".to_owned())
    }

    fn check(&self) -> Result<(), InvalidValue> {
        let deepest = 1 + self.0.values().map(depth).max().unwrap_or(0);
        if deepest > Self::MAX_DEPTH {
            return Err(InvalidValue::new(format!(
                "JSON nested at most {} deep is allowed, this is {deepest} deep",
                Self::MAX_DEPTH
            )));
        }
        if self.0.iter().any(|(name, value)| name.contains('\0') || has_nul(value)) {
            return Err(InvalidValue::new("JSON without U+0000 is allowed"));
        }
        let bytes = self.to_text().len();
        if bytes > Self::MAX_BYTES {
            return Err(InvalidValue::new(format!(
                "a JSON object of at most {} bytes is allowed, this has {bytes}",
                Self::MAX_BYTES
            )));
        }
        Ok(())
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

impl TryFrom<Map<String, Value>> for JsonObject {
    type Error = InvalidValue;

    fn try_from(fields: Map<String, Value>) -> Result<Self, InvalidValue> {
        let object = Self(fields);
        object.check()?;
        Ok(object)
    }
}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Map::deserialize(deserializer)?;
        Self::try_from(fields).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for JsonObject {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "JsonObject".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "description": "any JSON object, at most 64 KiB" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<JsonObject, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    fn nested(deep: usize) -> String {
        format!("{{\"a\":{}{}}}", "[".repeat(deep - 1), "]".repeat(deep - 1))
    }

    #[test]
    fn is_an_object_of_any_shape() {
        let object = read(r#"{"b": [1, 2.5, null], "a": {"é": "\u00e9\n"}}"#).expect("an object");
        assert_eq!(object.to_text(), "{\"a\":{\"é\":\"é\\n\"},\"b\":[1,2.5,null]}");
        assert_eq!(read(&object.to_text()), Ok(object));
        for wrong in ["[]", "null", "1", "\"a\""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn is_bounded() {
        let of = |bytes: usize| read(&format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8)));
        assert!(of(JsonObject::MAX_BYTES).is_ok());
        let long = of(JsonObject::MAX_BYTES + 1).expect_err("too long");
        let says = "a JSON object of at most 65536 bytes is allowed, this has 65537";
        assert!(long.starts_with(says), "{long}");
        assert!(read(&nested(32)).is_ok());
        let deep = read(&nested(33)).expect_err("too deep");
        assert!(deep.starts_with("JSON nested at most 32 deep is allowed, this is 33"), "{deep}");
        for nul in [r#"{"a":"\u0000"}"#, r#"{"\u0000":1}"#, r#"{"a":[{"\u0000":1}]}"#] {
            let nul = read(nul).expect_err("U+0000");
            assert!(nul.starts_with("JSON without U+0000 is allowed"), "{nul}");
        }
    }
}
