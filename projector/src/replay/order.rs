//! What is replayed, and into which form.

use chrono::{DateTime, SecondsFormat, Utc};
use daybook_store::{Filter, ReadError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::ReplayError;

/// The form in which events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One JSON object a line: the form over which the digest is taken.
    Ndjson,
    /// RFC 4180, with a line of names; the data as JSON.
    Csv,
    /// One Parquet file; the data as JSON.
    Parquet,
    /// A folder of Parquet files, one for each type of event, with a typed column for each field.
    ParquetByType,
    /// The same, one for each type and month of recording.
    ParquetByMonth,
    /// Records of a Kafka topic, as the relay publishes them.
    Records,
    /// The read tables that they make.
    Tables,
    /// Events of another log.
    Events,
}

/// What is replayed.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Which events.
    pub filter: Filter,
    /// After this position.
    pub after: i64,
    /// In which form.
    pub format: Format,
    /// So many times as fast as it happened; `None`: as fast as it goes.
    pub speed: Option<f64>,
}

impl Order {
    /// Refuses a stretch of the log in which nothing can be, and one whose end has not come.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn require_stretch(&self, head: i64) -> Result<(), ReplayError> {
        let Filter { from, to, up_to_position, .. } = self.filter;
        let first = self.after + 1;
        let ahead = |asked| ReadError::Ahead { asked, head }.to_string();
        let wrong = match (up_to_position, from.zip(to)) {
            (Some(last), _) if last > head => ahead(last),
            (None, _) if self.after > head => ahead(first),
            (Some(last), _) if first > last + 1 => {
                format!("the first position, {first}, is after the last one, {last}")
            }
            (_, Some((from, to))) if from > to => {
                let [from, to] = [from, to].map(|time| time.to_rfc3339());
                format!("the first instant, {from}, is after the last one, {to}")
            }
            _ => return Ok(()),
        };
        Err(ReplayError::Stretch(wrong))
    }

    /// What is asked for, without how fast: two orders with the same description write the same.
    #[must_use]
    pub fn described(&self) -> Value {
        let mut described = describe(&self.filter);
        described.insert("after".to_owned(), self.after.into());
        described.insert("format".to_owned(), json!(self.format));
        Value::Object(described)
    }
}

/// A filter as JSON: what it narrows, and nothing else.
#[must_use]
pub fn describe(filter: &Filter) -> Map<String, Value> {
    let Filter {
        lanes,
        types,
        kinds,
        contexts,
        streams,
        tenant,
        actor,
        correlation,
        from,
        to,
        up_to_position,
    } = filter;
    let time = |time: &DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
    let all = [
        ("lanes", json!(lanes)),
        ("types", json!(types)),
        ("kinds", json!(kinds)),
        ("contexts", json!(contexts)),
        ("streams", json!(streams)),
        ("tenant", json!(tenant)),
        ("actor", json!(actor)),
        ("correlation", json!(correlation)),
        ("from", json!(from.as_ref().map(time))),
        ("to", json!(to.as_ref().map(time))),
        ("up_to_position", json!(up_to_position)),
    ];
    let given = all.into_iter().filter(|(_, value)| !value.is_null());
    given.map(|(name, value)| (name.to_owned(), value)).collect()
}
