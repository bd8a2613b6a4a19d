//! PostgreSQL's binary COPY format, for the twenty columns of an event.
//! (Its documentation: the page of COPY, "Binary Format".)

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::row::{dependencies, json_text};
use crate::error::ReadError;
use crate::recorded::Recorded;
use crate::request::Metadata;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
const COLUMNS: i16 = 20;
/// The bytes of an event's columns; `None`: null.
pub(super) type Fields<'b> = [Option<&'b [u8]>; COLUMNS as usize];
/// The first moment of PostgreSQL's clock, in microseconds of Unix time.
const FIRST_MOMENT: i64 = 946_684_800_000_000;
/// `inet`'s families: `AF_INET`, and one more.
const INET: u8 = 2;

/// What stands at the beginning of the bytes.
pub(super) enum Tuple {
    /// A row, and its length.
    Row(usize, Box<Recorded>),
    /// More bytes are needed.
    Incomplete,
    /// No more rows.
    End,
}

/// The length of the header, once it is complete.
pub(super) fn header(bytes: &[u8]) -> Result<Option<usize>, ReadError> {
    // The signature, flags, and the length of an extension.
    let Some(extension) = bytes.get(15..19) else { return Ok(None) };
    if !bytes.starts_with(SIGNATURE) {
        return Err(corrupt("COPY began with something else"));
    }
    let length = 19 + usize::try_from(integer(extension)).unwrap_or(0);
    Ok((bytes.len() >= length).then_some(length))
}

/// The next row.
pub(super) fn tuple(bytes: &[u8]) -> Result<Tuple, ReadError> {
    let Some(count) = bytes.get(..2) else { return Ok(Tuple::Incomplete) };
    match i16::from_be_bytes([count[0], count[1]]) {
        -1 => return Ok(Tuple::End),
        COLUMNS => {}
        _ => return Err(corrupt("a row has another number of columns")),
    }
    let mut fields = Fields::default();
    let mut at = 2;
    for field in &mut fields {
        let Some(length) = bytes.get(at..at + 4) else { return Ok(Tuple::Incomplete) };
        at += 4;
        if let Ok(length) = usize::try_from(integer(length)) {
            let Some(value) = bytes.get(at..at + length) else { return Ok(Tuple::Incomplete) };
            *field = Some(value);
            at += length;
        }
    }
    Ok(Tuple::Row(at, Box::new(recorded(&fields)?)))
}

/// The event that its columns make.
pub(super) fn recorded(fields: &Fields<'_>) -> Result<Recorded, ReadError> {
    let required =
        |n: usize| fields[n].ok_or_else(|| corrupt("a column without which no event is"));
    let position = long(required(0)?)?;
    Ok(Recorded {
        position,
        recorded_at: moment(required(1)?)?,
        occurred_at: fields[2].map(moment).transpose()?,
        lane: short(required(3)?)?,
        lane_seq: long(required(4)?)?,
        stream_id: id(required(5)?)?,
        version: long(required(6)?)?,
        event_type: text(required(7)?)?,
        schema_version: short(required(8)?)?,
        data: json_text(required(9)?, position)?,
        command_id: id(required(10)?)?,
        metadata: Metadata {
            actor_id: id(required(11)?)?,
            tenant_id: fields[12].map(id).transpose()?,
            correlation_id: id(required(13)?)?,
            causation_id: fields[14].map(id).transpose()?,
            session_id: fields[15].map(id).transpose()?,
            ip_address: fields[16].map(address).transpose()?,
            user_agent: fields[17].map(text).transpose()?,
            traceparent: fields[18].map(text).transpose()?,
        },
        after: dependencies(fields[19].map(longs).transpose()?),
    })
}

fn corrupt(reason: &str) -> ReadError {
    ReadError::Corrupt { place: "a row of the log".to_owned(), reason: reason.to_owned() }
}

/// Four bytes that are known to be four.
fn integer(bytes: &[u8]) -> i32 {
    bytes.try_into().map_or(-1, i32::from_be_bytes)
}

fn short(bytes: &[u8]) -> Result<i16, ReadError> {
    bytes.try_into().map(i16::from_be_bytes).map_err(|_| corrupt("a smallint of another size"))
}

fn long(bytes: &[u8]) -> Result<i64, ReadError> {
    bytes.try_into().map(i64::from_be_bytes).map_err(|_| corrupt("a bigint of another size"))
}

fn id(bytes: &[u8]) -> Result<Uuid, ReadError> {
    Uuid::from_slice(bytes).map_err(|_| corrupt("a uuid of another size"))
}

fn text(bytes: &[u8]) -> Result<String, ReadError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| corrupt("text that is not UTF-8"))
}

fn moment(bytes: &[u8]) -> Result<DateTime<Utc>, ReadError> {
    long(bytes)?
        .checked_add(FIRST_MOMENT)
        .and_then(DateTime::from_timestamp_micros)
        .ok_or_else(|| corrupt("a time beyond time"))
}

/// `inet`: family, bits, is it a cidr, length, address.
fn address(bytes: &[u8]) -> Result<IpAddr, ReadError> {
    match bytes {
        [INET, _, _, 4, rest @ ..] => {
            rest.try_into().ok().map(|four: [u8; 4]| Ipv4Addr::from(four).into())
        }
        [_, _, _, 16, rest @ ..] => {
            rest.try_into().ok().map(|all: [u8; 16]| Ipv6Addr::from(all).into())
        }
        _ => None,
    }
    .ok_or_else(|| corrupt("an address of another form"))
}

/// An array of bigint of one dimension: dimensions, nulls, type, length, first index, elements.
fn longs(bytes: &[u8]) -> Result<Vec<i64>, ReadError> {
    if bytes.len() < 20 {
        return Ok(Vec::new());
    }
    bytes[20..].chunks_exact(12).map(|element| long(&element[4..])).collect()
}
