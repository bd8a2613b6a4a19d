//! An event out of a row.

use serde_json::value::RawValue;
use sqlx::Row;
use sqlx::postgres::{PgRow, PgValueFormat};
use sqlx::types::ipnetwork::IpNetwork;

use crate::error::ReadError;
use crate::recorded::{Dependency, Recorded};
use crate::request::Metadata;

/// Reads a row of the twenty columns that every reading statement names in the same order.
pub(super) fn recorded(row: &PgRow) -> Result<Recorded, ReadError> {
    let position: i64 = row.try_get(0)?;
    Ok(Recorded {
        position,
        recorded_at: row.try_get(1)?,
        occurred_at: row.try_get(2)?,
        lane: row.try_get(3)?,
        lane_seq: row.try_get(4)?,
        stream_id: row.try_get(5)?,
        version: row.try_get(6)?,
        event_type: row.try_get(7)?,
        schema_version: row.try_get(8)?,
        data: data(row, position)?,
        command_id: row.try_get(10)?,
        metadata: Metadata {
            actor_id: row.try_get(11)?,
            tenant_id: row.try_get(12)?,
            correlation_id: row.try_get(13)?,
            causation_id: row.try_get(14)?,
            session_id: row.try_get(15)?,
            ip_address: row.try_get::<Option<IpNetwork>, _>(16)?.map(|network| network.ip()),
            user_agent: row.try_get(17)?,
            traceparent: row.try_get(18)?,
        },
        after: dependencies(row.try_get(19)?),
    })
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

fn data(row: &PgRow, position: i64) -> Result<Box<RawValue>, ReadError> {
    let text = data_text(row, 9, position)?;
    RawValue::from_string(text.to_owned()).map_err(|error| corrupt(position, error.to_string()))
}

/// The text of the `jsonb` column `at`, where it lies.
pub(super) fn data_text(row: &PgRow, at: usize, position: i64) -> Result<&str, ReadError> {
    let value = row.try_get_raw(at)?;
    match value.format() {
        PgValueFormat::Binary => text_of(value.as_bytes().map_err(sqlx::Error::Decode)?, position),
        PgValueFormat::Text => Err(corrupt(position, "the server answered in text".to_owned())),
    }
}
