//! `If-Match`, `If-None-Match` and `Idempotency-Key`.

use axum::http::{HeaderMap, HeaderValue, header};
use daybook_http::Problem;
use uuid::Uuid;

/// The namespace in which keys that are no UUIDs become UUIDs.
const KEYS: Uuid = Uuid::from_u128(0x6f2a_4c1e_9d3b_5e70_8a41_c7d2_f09b_6e13);

/// A header that may stand once: of two, neither is believed.
fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h HeaderValue>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Problem::malformed(format!("the header {name} stands twice")));
    }
    Ok(first)
}

/// The version that the caller expects: `If-Match: "<version>"`, or 0 for `If-None-Match: *`.
///
/// # Errors
/// `400` for anything else in these headers.
pub fn expected_version(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    if let Some(value) = single(headers, "if-none-match")? {
        if value.as_bytes() != b"*" {
            return Err(Problem::malformed("If-None-Match can only be * here"));
        }
        if headers.contains_key(header::IF_MATCH) {
            return Err(Problem::malformed("send If-Match or If-None-Match, not both"));
        }
        return Ok(Some(0));
    }
    let Some(value) = single(headers, "if-match")? else { return Ok(None) };
    value
        .to_str()
        .ok()
        .and_then(|text| text.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok())
        .filter(|version| *version > 0)
        .map(Some)
        .ok_or_else(|| Problem::malformed("If-Match must be one version in quotes, such as \"3\""))
}

/// The command id: a UUID as it is, any other text by a hash of it.
///
/// # Errors
/// `400` for an empty key, one of more than 255 characters, or one that is not ASCII.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<Uuid>, Problem> {
    let Some(value) = single(headers, "idempotency-key")? else { return Ok(None) };
    let key = value.to_str().ok().map(str::trim).filter(|key| (1..=255).contains(&key.len()));
    let Some(key) = key else {
        return Err(Problem::malformed("Idempotency-Key must be 1 to 255 ASCII characters"));
    };
    Ok(Some(Uuid::parse_str(key).unwrap_or_else(|_| Uuid::new_v5(&KEYS, key.as_bytes()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(
            header::HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )])
    }

    #[test]
    fn versions_stand_in_quotes() {
        assert_eq!(expected_version(&headers("if-match", "\"7\"")).expect("ok"), Some(7));
        assert_eq!(expected_version(&headers("if-none-match", "*")).expect("ok"), Some(0));
        assert_eq!(expected_version(&HeaderMap::new()).expect("ok"), None);
        for bad in ["7", "\"x\"", "W/\"7\"", "\"0\"", "\"1\", \"2\""] {
            assert!(expected_version(&headers("if-match", bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn any_text_is_a_key() {
        let uuid = "0193f3c4-0000-7000-8000-000000000000";
        assert_eq!(
            idempotency_key(&headers("idempotency-key", uuid)).expect("ok"),
            Uuid::parse_str(uuid).ok()
        );
        let order = idempotency_key(&headers("idempotency-key", "order-17")).expect("ok");
        assert_eq!(order, idempotency_key(&headers("idempotency-key", "order-17")).expect("ok"));
        assert_ne!(order, idempotency_key(&headers("idempotency-key", "order-18")).expect("ok"));
    }
}
