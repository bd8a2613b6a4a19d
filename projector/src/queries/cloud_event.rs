//! Events as CloudEvents 1.0, in their JSON format.
//!
//! Numbers of 64 bits are strings there: a CloudEvents integer has 32.

use chrono::{DateTime, SecondsFormat, Utc};
use daybook_store::Recorded;
pub use daybook_store::redact::redacted;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

/// An event as the outside sees it.
#[derive(Debug, Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    event_type: &'a str,
    subject: Uuid,
    #[serde(serialize_with = "rfc3339")]
    time: DateTime<Utc>,
    datacontenttype: &'static str,
    position: String,
    lane: i16,
    laneseq: String,
    streamversion: String,
    schemaversion: i16,
    #[serde(serialize_with = "rfc3339")]
    occurredat: DateTime<Utc>,
    actorid: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenantid: Option<Uuid>,
    correlationid: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    causationid: Option<Uuid>,
    commandid: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    data: &'a RawValue,
}

fn rfc3339<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// The event as JSON on one line. The source names the log's epoch, so that source and id together
/// name one event for ever. Secrets and their hashes are left out.
///
/// # Errors
/// Data that is no JSON.
pub fn json(recorded: &Recorded, epoch: i64) -> Result<Box<RawValue>, serde_json::Error> {
    let redacted = redacted(&recorded.data)?;
    let metadata = &recorded.metadata;
    serde_json::value::to_raw_value(&CloudEvent {
        specversion: "1.0",
        id: recorded.position.to_string(),
        source: format!("/daybook/log/{epoch}"),
        event_type: &recorded.event_type,
        subject: recorded.stream_id,
        time: recorded.recorded_at,
        datacontenttype: "application/json",
        position: recorded.position.to_string(),
        lane: recorded.lane,
        laneseq: recorded.lane_seq.to_string(),
        streamversion: recorded.version.to_string(),
        schemaversion: recorded.schema_version,
        occurredat: recorded.happened_at(),
        actorid: metadata.actor_id,
        tenantid: metadata.tenant_id,
        correlationid: metadata.correlation_id,
        causationid: metadata.causation_id,
        commandid: recorded.command_id,
        traceparent: metadata.traceparent.as_deref(),
        data: redacted.as_deref().unwrap_or(&recorded.data),
    })
}
