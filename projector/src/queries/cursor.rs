//! Cursors: where a walk goes on. Opaque to clients: base64url of JSON.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Where a walk along a read table goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableCursor {
    /// The table, its order and its filters: a cursor is good for the walk that gave it only.
    pub walk: String,
    /// The sort columns of the last row, as text.
    pub after: Vec<String>,
}

/// Where a walk along the log goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogCursor {
    /// The log's epoch: after a failover that lost events, positions are given out again.
    pub epoch: i64,
    /// Everything up to here has been seen.
    pub after: i64,
}

/// A cursor as clients carry it.
///
/// # Errors
/// What JSON cannot carry; none of the cursors here have any.
pub fn encode<T: Serialize>(cursor: &T) -> Result<String, serde_json::Error> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor)?))
}

/// Reads a cursor; `None`: it never was one.
#[must_use]
pub fn decode<T: DeserializeOwned>(text: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_and_nothing_else_is_one() {
        let cursor = TableCursor { walk: "banking/accounts".into(), after: vec!["x y".into()] };
        let text = encode(&cursor).unwrap();
        assert!(
            text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
            "{text}"
        );
        assert_eq!(decode::<TableCursor>(&text), Some(cursor));
        assert_eq!(decode::<LogCursor>(&text), None);
        assert_eq!(decode::<TableCursor>("nonsense!"), None);
    }
}
