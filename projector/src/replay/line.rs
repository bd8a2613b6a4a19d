//! An event as one canonical line of JSON.
//!
//! Its fields are the log's columns in their order; what an event has not is left out; times are UTC
//! with six decimals; the data is as PostgreSQL writes it, with secrets and their hashes replaced. The
//! same event gives the same bytes in every build: the digest stands on that.

use std::io::Write as _;

use chrono::{DateTime, Datelike, Timelike, Utc};
use daybook_store::Recorded;
use uuid::Uuid;

use super::ReplayError;
use daybook_store::redact;

/// Writes the line, with its line feed.
///
/// # Errors
/// Data that is no JSON.
pub(super) fn write(recorded: &Recorded, out: &mut Vec<u8>) -> Result<(), ReplayError> {
    let json = |source| ReplayError::Json { position: recorded.position, source };
    let metadata = &recorded.metadata;
    out.extend_from_slice(b"{\"position\":");
    number(recorded.position, out);
    out.extend_from_slice(b",\"recorded_at\":");
    time(recorded.recorded_at, out);
    if let Some(occurred_at) = recorded.occurred_at {
        out.extend_from_slice(b",\"occurred_at\":");
        time(occurred_at, out);
    }
    out.extend_from_slice(b",\"lane\":");
    number(recorded.lane.into(), out);
    out.extend_from_slice(b",\"lane_seq\":");
    number(recorded.lane_seq, out);
    id("stream_id", Some(recorded.stream_id), out);
    out.extend_from_slice(b",\"version\":");
    number(recorded.version, out);
    text("event_type", Some(&recorded.event_type), out).map_err(json)?;
    out.extend_from_slice(b",\"schema_version\":");
    number(recorded.schema_version.into(), out);
    out.extend_from_slice(b",\"data\":");
    let redacted = redact::redacted(&recorded.data).map_err(json)?;
    out.extend_from_slice(redacted.as_deref().unwrap_or(&recorded.data).get().as_bytes());
    id("command_id", Some(recorded.command_id), out);
    id("actor_id", Some(metadata.actor_id), out);
    id("tenant_id", metadata.tenant_id, out);
    id("correlation_id", Some(metadata.correlation_id), out);
    id("causation_id", metadata.causation_id, out);
    id("session_id", metadata.session_id, out);
    if let Some(address) = metadata.ip_address {
        // Digits, letters, colons and dots.
        let _ = write!(out, ",\"ip_address\":\"{address}\"");
    }
    text("user_agent", metadata.user_agent.as_deref(), out).map_err(json)?;
    text("traceparent", metadata.traceparent.as_deref(), out).map_err(json)?;
    if !recorded.after.is_empty() {
        out.extend_from_slice(b",\"after\":");
        after(recorded, out);
    }
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// What must be posted first, as pairs of lane and place.
pub(super) fn after(recorded: &Recorded, out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, dependency) in recorded.after.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let _ = write!(out, "[{},{}]", dependency.lane, dependency.lane_seq);
    }
    out.push(b']');
}

fn id(name: &str, id: Option<Uuid>, out: &mut Vec<u8>) {
    let Some(id) = id else { return };
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":\"");
    bare_id(id, out);
    out.push(b'"');
}

/// An id with hyphens, in small letters.
pub(super) fn bare_id(id: Uuid, out: &mut Vec<u8>) {
    let mut buffer = Uuid::encode_buffer();
    out.extend_from_slice(id.hyphenated().encode_lower(&mut buffer).as_bytes());
}

fn text(name: &str, value: Option<&str>, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let Some(value) = value else { return Ok(()) };
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    serde_json::to_writer(out, value)
}

fn time(time: DateTime<Utc>, out: &mut Vec<u8>) {
    out.push(b'"');
    bare_time(time, out);
    out.push(b'"');
}

/// `2026-01-31T12:00:00.000000Z`.
pub(super) fn bare_time(time: DateTime<Utc>, out: &mut Vec<u8>) {
    if !(0..10_000).contains(&time.year()) {
        let _ = write!(out, "{}", time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true));
        return;
    }
    let parts = [
        (time.year().unsigned_abs(), 4, b'-'),
        (time.month(), 2, b'-'),
        (time.day(), 2, b'T'),
        (time.hour(), 2, b':'),
        (time.minute(), 2, b':'),
        (time.second(), 2, b'.'),
        (time.timestamp_subsec_micros(), 6, b'Z'),
    ];
    for (value, width, after) in parts {
        let end = out.len() + width;
        out.resize(end, b'0');
        let (mut value, mut at) = (value, end);
        while value > 0 && at > end - width {
            at -= 1;
            out[at] = b'0' + u8::try_from(value % 10).unwrap_or(0);
            value /= 10;
        }
        out.push(after);
    }
}

/// A whole number in digits.
pub(super) fn number(value: i64, out: &mut Vec<u8>) {
    let _ = write!(out, "{value}");
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;

    use super::*;
    use crate::replay::examples::event;

    #[test]
    fn a_line_is_every_column_in_order_without_what_is_absent() {
        let mut out = Vec::new();
        write(&event(), &mut out).unwrap();
        let line = String::from_utf8(out).unwrap();
        assert_eq!(
            line,
            "{\"position\":7,\"recorded_at\":\"2026-01-31T12:00:00.000001Z\",\"lane\":3,\"lane_seq\":2,\
             \"stream_id\":\"00000000-0000-0000-0000-00000000000a\",\"version\":1,\
             \"event_type\":\"identity.user.registered\",\"schema_version\":1,\
             \"data\":{\"email\":\"a@b\",\"password_hash\":\"[redacted]\"},\
             \"command_id\":\"00000000-0000-0000-0000-00000000000b\",\
             \"actor_id\":\"00000000-0000-0000-0000-00000000000c\",\
             \"correlation_id\":\"00000000-0000-0000-0000-00000000000d\",\
             \"ip_address\":\"192.0.2.7\",\"user_agent\":\"a \\\"test\\\"\\nof two, lines\",\
             \"after\":[[1,5],[2,6]]}\n"
        );
    }

    #[test]
    fn times_are_what_chrono_says() {
        for micros in [0, 1, 951_782_400_000_000, 1_790_000_000_999_999, -62_000_000_000_000_000] {
            let time = DateTime::from_timestamp_micros(micros).unwrap();
            let mut out = Vec::new();
            bare_time(time, &mut out);
            let said = time.to_rfc3339_opts(SecondsFormat::Micros, true);
            assert_eq!(String::from_utf8(out).unwrap(), said);
        }
    }
}
