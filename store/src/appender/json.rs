//! What PostgreSQL refuses in JSON, found before it is sent, so that one request's
//! data does not fail the batch it shares.

use serde::de::IgnoredAny;

/// How deep JSON may nest.
const MAX_DEPTH: usize = 64;

/// Checks that `text` is one JSON object that `jsonb` takes. Absent on purpose: numbers beyond
/// what `numeric` holds; the database finds those, and the batch is halved until they are alone.
pub(super) fn check(text: &str) -> Result<(), &'static str> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut bytes = text.bytes();
    let mut escaped_from = 0;
    while let Some(byte) = bytes.next() {
        match (in_string, byte) {
            (true, b'\\') => {
                escaped_from = text.len() - bytes.len();
                if bytes.next() == Some(b'u') && text[escaped_from..].starts_with("u0000") {
                    return Err("JSON contains \\u0000, which the database does not store");
                }
            }
            (true, b'"') => in_string = false,
            (false, b'"') => in_string = true,
            (false, b'{' | b'[') => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err("JSON nests deeper than 64");
                }
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            (true | false, _) => {}
        }
    }
    if !text.trim_start().starts_with('{') {
        return Err("an event's data is not a JSON object");
    }
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| "an event's data is not JSON")?;
    if escaped_from > 0 && has_lone_surrogate(text) {
        return Err("JSON contains half a surrogate pair");
    }
    Ok(())
}

/// A strict parse of the strings: `jsonb` refuses what is not Unicode.
fn has_lone_surrogate(text: &str) -> bool {
    text.contains("\\u") && serde_json::from_str::<serde_json::Value>(text).is_err()
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_the_database_refuses_is_found() {
        assert!(check(r#"{"a": "b\\u0000 is text", "c": [1, 2.5e3]}"#).is_ok());
        assert!(check(r#"{"a": "\\"}"#).is_ok());
        assert!(check(r#"{"a": "\u0000"}"#).is_err());
        assert!(check(r#"{"a": "\\\u0000"}"#).is_err());
        assert!(check(r#"{"a": "\ud800"}"#).is_err());
        assert!(check(r#"{"a": "\ud83d\ude00"}"#).is_ok());
        assert!(check("[1]").is_err());
        assert!(check(r#"{"a": }"#).is_err());
        assert!(check(&format!("{{\"a\":{}{}}}", "[".repeat(63), "]".repeat(63))).is_ok());
        assert!(check(&format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64))).is_err());
    }
}
