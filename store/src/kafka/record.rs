//! An event as a Kafka record, and back: CloudEvents 1.0 in Kafka's binary mode.
//!
//! The value is the event's data, the key its stream's id, the partition its lane; all else is in
//! headers, named as the attributes of the same event over HTTP, with `ce_` before. Everything that
//! the log has comes back out, with one exception: secrets and their hashes never enter Kafka. An
//! event that has one says so (`ce_redacted`), and who needs the whole reads it from the log.

use std::collections::HashMap;
use std::net::IpAddr;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use rdkafka::Message;
use rdkafka::message::{Header, Headers, OwnedHeaders};
use rdkafka::producer::BaseRecord;
use serde_json::value::RawValue;

use crate::lane::LANES;
use crate::recorded::{Dependency, Recorded};
use crate::redact::redacted;
use crate::request::Metadata;

/// What an event's record is, but for its topic.
#[derive(Debug, Clone)]
pub struct Record {
    /// The lane.
    pub partition: i32,
    /// The stream's id, as text.
    pub key: String,
    /// The data, as JSON.
    pub value: Box<RawValue>,
    /// When the log took it, in milliseconds of Unix time.
    pub timestamp: i64,
    /// All else.
    pub headers: OwnedHeaders,
}

/// A record that was one of ours.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// The event.
    pub event: Recorded,
    /// In which life of the log it was published.
    pub epoch: i64,
    /// Secrets were taken out: this is not the whole event.
    pub redacted: bool,
}

/// Why a record is not one of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    /// It lacks this.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// This cannot be read.
    #[error("its {0} cannot be read")]
    Unreadable(&'static str),
    /// It lies in a partition that is not its lane.
    #[error("it says that it is of lane {lane}, and lies in partition {partition}")]
    Misplaced {
        /// Its lane.
        lane: i16,
        /// Where it lies.
        partition: i32,
    },
}

/// The place in the lane, which every hop looks at first.
pub const LANE_SEQ: &str = "ce_laneseq";

impl Record {
    /// The record of an event, in this life of the log.
    ///
    /// # Errors
    /// Data that is no JSON.
    pub fn of(event: &Recorded, epoch: i64) -> Result<Self, serde_json::Error> {
        let shown = redacted(&event.data)?;
        let metadata = &event.metadata;
        let headers = Writer(OwnedHeaders::new_with_capacity(24))
            .put("ce_specversion", "1.0")
            .put("ce_id", &event.position.to_string())
            .put("ce_source", &format!("/daybook/log/{epoch}"))
            .put("ce_type", &event.event_type)
            .put("ce_subject", &event.stream_id.to_string())
            .put("ce_time", &rfc3339(event.recorded_at))
            .put("content-type", "application/json")
            .put("ce_position", &event.position.to_string())
            .put("ce_lane", &event.lane.to_string())
            .put(LANE_SEQ, &event.lane_seq.to_string())
            .put("ce_streamversion", &event.version.to_string())
            .put("ce_schemaversion", &event.schema_version.to_string())
            .put("ce_logepoch", &epoch.to_string())
            .put("ce_commandid", &event.command_id.to_string())
            .put("ce_actorid", &metadata.actor_id.to_string())
            .put("ce_correlationid", &metadata.correlation_id.to_string())
            .put_some("ce_occurredat", event.occurred_at.map(rfc3339))
            .put_some("ce_tenantid", metadata.tenant_id)
            .put_some("ce_causationid", metadata.causation_id)
            .put_some("ce_sessionid", metadata.session_id)
            .put_some("ce_ipaddress", metadata.ip_address)
            .put_some("ce_useragent", metadata.user_agent.as_deref())
            .put_some("ce_traceparent", metadata.traceparent.as_deref())
            .put_some("ce_after", (!event.after.is_empty()).then(|| after_text(&event.after)))
            .put_some("ce_redacted", shown.as_ref().map(|_| true));
        Ok(Self {
            partition: i32::from(event.lane),
            key: event.stream_id.to_string(),
            value: shown.unwrap_or_else(|| event.data.clone()),
            timestamp: event.recorded_at.timestamp_millis(),
            headers: headers.0,
        })
    }

    /// The record as a producer takes it.
    #[must_use]
    pub fn to<'a>(&'a self, topic: &'a str) -> BaseRecord<'a, str, str> {
        BaseRecord::to(topic)
            .partition(self.partition)
            .key(self.key.as_str())
            .payload(self.value.get())
            .timestamp(self.timestamp)
            .headers(self.headers.clone())
    }
}

impl Arrived {
    /// The event that a record has.
    ///
    /// # Errors
    /// When it is not one of ours, or broken.
    pub fn of<M: Message>(message: &M) -> Result<Self, Foreign> {
        let headers = Reader::of(message)?;
        if headers.text("ce_specversion")? != "1.0" {
            return Err(Foreign::Unreadable("ce_specversion"));
        }
        let lane: i16 = headers.parse("ce_lane")?;
        if !(0..LANES).contains(&lane) || i32::from(lane) != message.partition() {
            return Err(Foreign::Misplaced { lane, partition: message.partition() });
        }
        let event = Recorded {
            position: positive(headers.parse("ce_position")?, "ce_position")?,
            recorded_at: headers.parse("ce_time")?,
            occurred_at: headers.parse_some("ce_occurredat")?,
            lane,
            lane_seq: positive(headers.parse(LANE_SEQ)?, LANE_SEQ)?,
            stream_id: headers.parse("ce_subject")?,
            version: positive(headers.parse("ce_streamversion")?, "ce_streamversion")?,
            event_type: headers.text("ce_type")?.to_owned(),
            schema_version: headers.parse("ce_schemaversion")?,
            data: data(message)?,
            command_id: headers.parse("ce_commandid")?,
            metadata: Metadata {
                actor_id: headers.parse("ce_actorid")?,
                tenant_id: headers.parse_some("ce_tenantid")?,
                correlation_id: headers.parse("ce_correlationid")?,
                causation_id: headers.parse_some("ce_causationid")?,
                session_id: headers.parse_some("ce_sessionid")?,
                ip_address: headers.parse_some::<IpAddr>("ce_ipaddress")?,
                user_agent: headers.text_some("ce_useragent").map(str::to_owned),
                traceparent: headers.text_some("ce_traceparent").map(str::to_owned),
            },
            after: headers.text_some("ce_after").map_or(Ok(Vec::new()), after_of)?,
        };
        Ok(Self {
            event,
            epoch: headers.parse("ce_logepoch")?,
            redacted: headers.parse_some("ce_redacted")?.unwrap_or(false),
        })
    }
}

/// The place in the lane that a record says it has, without looking at the rest; `None` for one that
/// says nothing of the kind.
#[must_use]
pub fn lane_seq_of<M: Message>(message: &M) -> Option<i64> {
    let header = message.headers()?.iter().find(|header| header.key == LANE_SEQ)?;
    std::str::from_utf8(header.value?).ok()?.parse().ok()
}

fn positive(number: i64, name: &'static str) -> Result<i64, Foreign> {
    if number > 0 { Ok(number) } else { Err(Foreign::Unreadable(name)) }
}

fn data<M: Message>(message: &M) -> Result<Box<RawValue>, Foreign> {
    let value = message.payload().ok_or(Foreign::Missing("value"))?;
    let text = std::str::from_utf8(value).map_err(|_| Foreign::Unreadable("value"))?;
    RawValue::from_string(text.to_owned()).map_err(|_| Foreign::Unreadable("value"))
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// `lane:lane_seq`, separated by commas.
fn after_text(after: &[Dependency]) -> String {
    let pairs: Vec<String> =
        after.iter().map(|needed| format!("{}:{}", needed.lane, needed.lane_seq)).collect();
    pairs.join(",")
}

fn after_of(text: &str) -> Result<Vec<Dependency>, Foreign> {
    let pair = |pair: &str| {
        let (lane, lane_seq) = pair.split_once(':')?;
        Some(Dependency { lane: lane.parse().ok()?, lane_seq: lane_seq.parse().ok()? })
    };
    text.split(',').map(pair).collect::<Option<_>>().ok_or(Foreign::Unreadable("ce_after"))
}

struct Writer(OwnedHeaders);

impl Writer {
    fn put(self, key: &str, value: &str) -> Self {
        Self(self.0.insert(Header { key, value: Some(value) }))
    }

    fn put_some(self, key: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.put(key, &value.to_string()),
            None => self,
        }
    }
}

/// The headers by name; of two with one name the last counts, as everywhere in Kafka.
struct Reader<'a>(HashMap<&'a str, &'a str>);

impl<'a> Reader<'a> {
    fn of<M: Message>(message: &'a M) -> Result<Self, Foreign> {
        let headers = message.headers().ok_or(Foreign::Missing("headers"))?;
        let mut found = HashMap::with_capacity(headers.count());
        for header in headers.iter() {
            // A header of somebody else's may have any bytes.
            if let Some(Ok(text)) = header.value.map(std::str::from_utf8) {
                found.insert(header.key, text);
            }
        }
        Ok(Self(found))
    }

    fn text_some(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    fn text(&self, name: &'static str) -> Result<&'a str, Foreign> {
        self.text_some(name).ok_or(Foreign::Missing(name))
    }

    fn parse_some<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, Foreign> {
        let read = |text: &str| text.parse().map_err(|_| Foreign::Unreadable(name));
        self.text_some(name).map(read).transpose()
    }

    fn parse<T: FromStr>(&self, name: &'static str) -> Result<T, Foreign> {
        self.parse_some(name)?.ok_or(Foreign::Missing(name))
    }
}

#[cfg(test)]
mod tests;
