//! What leaves the system without its secrets: to Kafka, to other people's screens.
//!
//! By the names of fields, which hold for every event: a hash of a secret ends in `_hash`, a secret
//! itself stands in `secret_value`.

use serde_json::Value;
use serde_json::value::RawValue;

/// What stands where a secret or its hash was.
pub const REDACTED: &str = "[redacted]";

/// The field of an event that has a secret itself: a secret setting's value.
const SECRET: &str = "secret_value";

/// The data without secrets and their hashes; `None`: it has none.
///
/// # Errors
/// Data that is no JSON.
pub fn redacted(data: &RawValue) -> Result<Option<Box<RawValue>>, serde_json::Error> {
    // Names are written plainly by everyone who writes here; an escaped one would still be found,
    // by its backslash.
    if !["_hash", SECRET, "\\u"].iter().any(|mark| data.get().contains(mark)) {
        return Ok(None);
    }
    let mut value: Value = serde_json::from_str(data.get())?;
    if redact(&mut value) { serde_json::value::to_raw_value(&value).map(Some) } else { Ok(None) }
}

/// Whether there was something to take out.
fn redact(value: &mut Value) -> bool {
    match value {
        Value::Object(fields) => {
            let mut found = false;
            for (name, value) in fields.iter_mut() {
                if (name.ends_with("_hash") || name == SECRET) && !value.is_null() {
                    *value = REDACTED.into();
                    found = true;
                } else {
                    found |= redact(value);
                }
            }
            found
        }
        Value::Array(items) => {
            let mut found = false;
            for item in items {
                found |= redact(item);
            }
            found
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(data: &str) -> String {
        let data = RawValue::from_string(data.to_owned()).unwrap();
        redacted(&data).unwrap().unwrap_or(data).get().to_owned()
    }

    #[test]
    fn hashes_of_secrets_never_leave() {
        for name in
            ["password_hash", "secret_hash", "token_hash", "verification_token_hash", SECRET]
        {
            let data =
                format!("{{\"a\":[{{\"{name}\":\"s3cret\"}}],\"{name}\":\"s3cret\",\"b\":1}}");
            let shown = shown(&data);
            assert!(!shown.contains("s3cret"), "{shown}");
            assert!(shown.contains("\"b\":1") && shown.contains(REDACTED), "{shown}");
        }
        assert!(!shown("{\"password\\u005fhash\":\"s3cret\"}").contains("s3cret"));
        assert_eq!(shown("{\"amount\":\"1.00\"}"), "{\"amount\":\"1.00\"}");
    }

    #[test]
    fn what_has_no_secret_is_left_as_it_is() {
        for data in ["{\"b\": \"\\u00e4\", \"a\": 1}", "{\"password_hash\":null}"] {
            let data = RawValue::from_string(data.to_owned()).unwrap();
            assert!(redacted(&data).unwrap().is_none());
        }
    }
}
