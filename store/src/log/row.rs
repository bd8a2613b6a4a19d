//! An event out of a row.

use serde_json::value::RawValue;
use sqlx::postgres::{PgRow, PgValueFormat, PgValueRef};
use sqlx::{Row, ValueRef};

use super::binary;
use crate::error::ReadError;
use crate::recorded::{Dependency, Recorded};

/// Reads a row of the twenty columns that every reading statement names in the same order. Their
/// bytes are those of a binary COPY.
pub(super) fn recorded(row: &PgRow) -> Result<Recorded, ReadError> {
    let mut fields = binary::Fields::default();
    for (at, field) in fields.iter_mut().enumerate() {
        *field = bytes(row.try_get_raw(at)?)?;
    }
    binary::recorded(&fields)
}

/// The bytes of a value; `None`: it is null.
fn bytes(value: PgValueRef<'_>) -> Result<Option<&[u8]>, ReadError> {
    if value.is_null() {
        return Ok(None);
    }
    match value.format() {
        PgValueFormat::Binary => Ok(Some(value.as_bytes().map_err(sqlx::Error::Decode)?)),
        PgValueFormat::Text => Err(ReadError::Corrupt {
            place: "a row of the log".to_owned(),
            reason: "the server answered in text".to_owned(),
        }),
    }
}

/// The pairs of lane and place, which are stored flat.
pub(super) fn dependencies(flat: Option<Vec<i64>>) -> Vec<Dependency> {
    let pair = |pair: &[i64]| match pair {
        [lane, lane_seq] => {
            Some(Dependency { lane: i16::try_from(*lane).ok()?, lane_seq: *lane_seq })
        }
        _ => None,
    };
    flat.map_or_else(Vec::new, |flat| flat.chunks_exact(2).filter_map(pair).collect())
}

/// The text of a `jsonb` value in its binary form: a version, 1, and the text.
pub(super) fn json_text(bytes: &[u8], position: i64) -> Result<Box<RawValue>, ReadError> {
    let text = text_of(bytes, position)?;
    RawValue::from_string(text.to_owned()).map_err(|error| corrupt(position, error.to_string()))
}

fn text_of(bytes: &[u8], position: i64) -> Result<&str, ReadError> {
    match bytes.split_first() {
        Some((1, text)) => {
            std::str::from_utf8(text).map_err(|error| corrupt(position, error.to_string()))
        }
        _ => Err(corrupt(position, "jsonb of another version".to_owned())),
    }
}

fn corrupt(position: i64, reason: String) -> ReadError {
    ReadError::Corrupt { place: format!("position {position}"), reason }
}

/// The text of the `jsonb` column `at`, where it lies.
pub(super) fn data_text(row: &PgRow, at: usize, position: i64) -> Result<&str, ReadError> {
    text_of(bytes(row.try_get_raw(at)?)?.unwrap_or_default(), position)
}
