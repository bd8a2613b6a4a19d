//! A topic of rows as anybody reads it, and a table as text to hold it against.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use daybook_tests::Kafka;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};
use serde_json::Value;
use sqlx::PgPool;

/// A row: its columns as text.
pub(crate) type Columns = BTreeMap<String, Option<String>>;

/// What a topic of rows says to who reads what is committed.
#[derive(Debug, Default)]
pub(crate) struct Published {
    /// The columns, and how each is written.
    pub(crate) columns: BTreeMap<String, Form>,
    /// How many records there are.
    pub(crate) records: usize,
    /// The last value of each key that does not end with a tombstone, by key.
    pub(crate) latest: BTreeMap<String, Columns>,
    /// Keys, each where a value was followed by one that had been changed before it.
    pub(crate) older_after_newer: Vec<String>,
}

/// How a column is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Decimal(u32),
    Instant,
    Day,
    Plain,
}

impl Form {
    fn of(field: &Value) -> Self {
        match field["name"].as_str() {
            Some("org.apache.kafka.connect.data.Decimal") => {
                Self::Decimal(field["parameters"]["scale"].as_str().unwrap().parse().unwrap())
            }
            Some("io.debezium.time.ZonedTimestamp") => Self::Instant,
            Some("org.apache.kafka.connect.data.Date") => Self::Day,
            _ => Self::Plain,
        }
    }

    /// A published value as text.
    fn text(self, value: &Value) -> Option<String> {
        if value.is_null() {
            return None;
        }
        Some(match self {
            Self::Decimal(_) => {
                let bytes = STANDARD.decode(value.as_str().unwrap()).unwrap();
                let first = i128::from(i8::from_be_bytes([bytes[0]]));
                let rest = bytes[1..].iter();
                rest.fold(first, |number, byte| number * 256 + i128::from(*byte)).to_string()
            }
            Self::Instant => {
                let at: DateTime<Utc> = value.as_str().unwrap().parse().unwrap();
                at.timestamp_micros().to_string()
            }
            Self::Day | Self::Plain => {
                value.as_str().map_or_else(|| value.to_string(), str::to_owned)
            }
        })
    }

    /// The same of a column of a table.
    fn column(self, name: &str) -> String {
        match self {
            Self::Decimal(scale) => format!("trunc(\"{name}\" * 10 ^ {scale})::bigint::text"),
            Self::Instant => format!("(extract(epoch FROM \"{name}\") * 1000000)::bigint::text"),
            Self::Day => format!("(\"{name}\" - date '1970-01-01')::text"),
            Self::Plain => format!("\"{name}\"::text"),
        }
    }
}

fn row(value: &Value, forms: &BTreeMap<String, Form>) -> Columns {
    let text = |(name, form): (&String, &Form)| (name.clone(), form.text(&value["payload"][name]));
    forms.iter().map(text).collect()
}

fn forms(value: &Value) -> BTreeMap<String, Form> {
    let fields = value["schema"]["fields"].as_array().unwrap().iter();
    fields.map(|field| (field["field"].as_str().unwrap().to_owned(), Form::of(field))).collect()
}

fn changed_at(row: &Columns) -> i64 {
    row["updated_at"].as_ref().unwrap().parse().unwrap()
}

impl Published {
    /// Reads a topic to its end.
    pub(crate) fn read(kafka: &Kafka, topic: &str) -> Self {
        let mut read = Self::default();
        let mut newest: BTreeMap<String, i64> = BTreeMap::new();
        each(kafka, topic, |key, value| {
            read.records += 1;
            let key: Value = serde_json::from_slice(key).unwrap();
            let key = key["payload"].to_string();
            let Some(value) = value else {
                read.latest.remove(&key);
                return;
            };
            let value: Value = serde_json::from_slice(value).unwrap();
            if read.columns.is_empty() {
                read.columns = forms(&value);
            }
            let row = row(&value, &read.columns);
            let at = changed_at(&row);
            let before = newest.insert(key.clone(), at);
            if before.is_some_and(|before| before > at) {
                read.older_after_newer.push(key.clone());
            }
            read.latest.insert(key, row);
        });
        read
    }
}

fn consumer(kafka: &Kafka, isolation: &str) -> BaseConsumer {
    let mut config = kafka.client();
    config.set("group.id", "tests").set("isolation.level", isolation);
    config.set("enable.auto.commit", "false").set("enable.partition.eof", "true");
    config.set("auto.offset.reset", "earliest").create().unwrap()
}

/// The offset after the last record of each partition, as who reads so sees it.
fn ends(kafka: &Kafka, isolation: &str, all: &TopicPartitionList) -> TopicPartitionList {
    let mut asked = all.clone();
    asked.set_all_offsets(Offset::End).unwrap();
    consumer(kafka, isolation).offsets_for_times(asked, Duration::from_secs(10)).unwrap()
}

/// Hands over each record's key and value. The marks of a transaction are written after its commit was
/// answered: they are waited for.
fn each(kafka: &Kafka, topic: &str, mut take: impl FnMut(&[u8], Option<&[u8]>)) {
    let consumer = consumer(kafka, "read_committed");
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
    let partitions = metadata.topics()[0].partitions().len();
    let mut all = TopicPartitionList::new();
    all.add_partition_range(topic, 0, i32::try_from(partitions).unwrap() - 1);
    all.set_all_offsets(Offset::Beginning).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while ends(kafka, "read_committed", &all) != ends(kafka, "read_uncommitted", &all) {
        assert!(Instant::now() < deadline, "{topic} has a transaction that is not ended");
        std::thread::sleep(Duration::from_millis(50));
    }
    consumer.assign(&all).unwrap();
    let mut ended = BTreeSet::new();
    while ended.len() < partitions {
        assert!(Instant::now() < deadline, "{topic} is not read within a minute");
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(record)) => take(record.key().unwrap(), record.payload()),
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                ended.insert(partition);
            }
            Some(Err(error)) => panic!("{topic}: {error}"),
            None => {}
        }
    }
}

/// A table's rows, by key, as their topic should have them.
pub(crate) async fn table(
    pool: &PgPool,
    name: &str,
    columns: &BTreeMap<String, Form>,
) -> BTreeMap<String, Columns> {
    let texts: Vec<String> = columns
        .iter()
        .map(|(column, form)| format!("'{column}', {}", form.column(column)))
        .collect();
    let key = if name == "user_identifiers" { vec!["kind", "key"] } else { vec!["id"] };
    let question = format!("SELECT jsonb_build_object({})::text FROM {name}", texts.join(", "));
    let rows: Vec<String> =
        sqlx::query_scalar(sqlx::AssertSqlSafe(question)).fetch_all(pool).await.unwrap();
    rows.iter()
        .map(|row| {
            let row: Columns = serde_json::from_str(row).unwrap();
            let of = |part: &&str| ((*part).to_owned(), row[*part].clone().into());
            let key: serde_json::Map<String, Value> = key.iter().map(of).collect();
            (Value::Object(key).to_string(), row)
        })
        .collect()
}
