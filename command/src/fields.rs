//! A command's fields as JSON, in which no name stands twice: which of two
//! values was meant is not for us to guess, and a proxy may have checked the other.

use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Map<String, Value>, A::Error> {
        let mut fields = Map::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if fields.contains_key(&name) {
                return Err(A::Error::custom(format!("field {name:?} stands twice")));
            }
            fields.insert(name, value);
        }
        Ok(fields)
    }
}

/// Reads fields as a part of something larger.
///
/// # Errors
/// No object, or a name that stands twice.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Map<String, Value>, D::Error> {
    deserializer.deserialize_map(Fields)
}

/// Reads fields out of a whole body.
///
/// # Errors
/// No JSON, no object, or a name that stands twice.
pub(crate) fn read(bytes: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let fields = deserialize(&mut json)?;
    json.end()?;
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_name_stands_once() {
        assert_eq!(read(b"{\"a\":1,\"b\":{}}").expect("two fields").len(), 2);
        let twice = read(b"{\"a\":1,\"\\u0061\":2}").expect_err("however it is written");
        assert!(twice.to_string().contains("stands twice"), "{twice}");
        for wrong in ["[]", "null", "{} {}", "{", ""] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
