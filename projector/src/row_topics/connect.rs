//! Rows as Kafka Connect's JSON with schemas: `{"schema": …, "payload": …}`, for key and value.
//!
//! Every sink takes it with Connect's own `JsonConverter` and no code. Numbers of money are
//! Connect's `Decimal`, days its `Date`, instants text in RFC 3339 (Debezium's `ZonedTimestamp`, to
//! sinks that know it); ids, addresses, lists and JSON are text.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use daybook_store::kafka::RowRecord;
use serde_json::{Map, Value, json};
use sqlx::PgConnection;

use crate::catalog::TableInfo;
use crate::table::{ColumnName, Row, Statements};
use crate::write;

/// The form of a table's records.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    /// As text: it is the same in every record.
    key_schema: String,
    value_schema: String,
    columns: Vec<ColumnName>,
}

/// What a column's values are in Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Instant,
    Boolean,
    Integer32,
    Integer64,
    Day,
    /// With so many digits, of which so many after the point.
    Decimal(u32, u32),
}

impl Kind {
    /// Of the types that the read tables have; any other is text.
    fn of(column: &ColumnName) -> Self {
        match column.array {
            "timestamptz" => Self::Instant,
            "bool" => Self::Boolean,
            "int4" => Self::Integer32,
            "int8" => Self::Integer64,
            "date" => Self::Day,
            "numeric" => Self::Decimal(15, 2),
            "numeric(20,6)" => Self::Decimal(20, 6),
            _ => Self::Text,
        }
    }

    fn schema(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Instant => json!({
                "type": "string", "name": "io.debezium.time.ZonedTimestamp", "version": 1,
            }),
            Self::Boolean => json!({ "type": "boolean" }),
            Self::Integer32 => json!({ "type": "int32" }),
            Self::Integer64 => json!({ "type": "int64" }),
            Self::Day => json!({
                "type": "int32", "name": "org.apache.kafka.connect.data.Date", "version": 1,
            }),
            Self::Decimal(digits, scale) => json!({
                "type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "version": 1,
                "parameters": {
                    "scale": scale.to_string(), "connect.decimal.precision": digits.to_string(),
                },
            }),
        }
    }

    /// A value as the audit trail writes it, as Connect reads it.
    fn value(self, value: &Value) -> Result<Value, String> {
        if value.is_null() {
            return Ok(Value::Null);
        }
        let text = || value.as_str().ok_or_else(|| format!("{value} is not text"));
        Ok(match self {
            Self::Instant | Self::Boolean | Self::Integer32 | Self::Integer64 => value.clone(),
            Self::Text => match value {
                Value::String(_) => value.clone(),
                // Lists and JSON.
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_) => Value::String(value.to_string()),
            },
            Self::Day => {
                let day: NaiveDate =
                    text()?.parse().map_err(|error: chrono::ParseError| error.to_string())?;
                json!(day.signed_duration_since(NaiveDate::default()).num_days())
            }
            Self::Decimal(_, scale) => {
                let unscaled = unscaled(text()?, scale).ok_or_else(|| format!("{value}"))?;
                Value::String(STANDARD.encode(shortest(unscaled)))
            }
        })
    }
}

/// A decimal's digits as a whole number, at this scale.
fn unscaled(text: &str, scale: u32) -> Option<i128> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let missing = usize::try_from(scale).ok()?.checked_sub(decimals.len())?;
    format!("{whole}{decimals}{}", "0".repeat(missing)).parse().ok()
}

/// Two's complement, most significant byte first, without bytes that say nothing.
fn shortest(number: i128) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let idle = if number < 0 { 0xff } else { 0 };
    let says_nothing = |pair: &&[u8]| pair[0] == idle && (pair[1] ^ idle) & 0x80 == 0;
    let skipped = bytes.windows(2).take_while(says_nothing).count();
    bytes[skipped..].to_vec()
}

impl Form {
    pub(crate) fn of(table: &TableInfo) -> Self {
        let columns: Vec<ColumnName> =
            table.columns.iter().filter(|column| !column.secret).copied().collect();
        let is_key = |column: &ColumnName| table.key.contains(&column.name);
        let schema = |name: &str, columns: &[ColumnName]| {
            let fields: Vec<Value> = columns
                .iter()
                .map(|column| {
                    let mut field = Kind::of(column).schema();
                    field["field"] = column.name.into();
                    field["optional"] = (!is_key(column)).into();
                    field
                })
                .collect();
            json!({ "type": "struct", "name": name, "optional": false, "fields": fields })
                .to_string()
        };
        let keys: Vec<ColumnName> =
            columns.iter().filter(|column| is_key(column)).copied().collect();
        Self {
            key_schema: schema(&format!("daybook.rows.{}.Key", table.name), &keys),
            value_schema: schema(&format!("daybook.rows.{}.Value", table.name), &columns),
            columns,
        }
    }

    /// The key, given its columns as the audit trail writes them.
    fn key(&self, key: &str) -> Result<String, String> {
        self.record(&self.key_schema, key)
    }

    fn value(&self, row: &str) -> Result<String, String> {
        self.record(&self.value_schema, row)
    }

    fn record(&self, schema: &str, row: &str) -> Result<String, String> {
        let row: Map<String, Value> =
            serde_json::from_str(row).map_err(|error| error.to_string())?;
        let mut payload = Map::new();
        for column in &self.columns {
            if let Some(value) = row.get(column.name) {
                payload.insert(column.name.to_owned(), Kind::of(column).value(value)?);
            }
        }
        Ok(format!("{{\"schema\":{schema},\"payload\":{}}}", Value::Object(payload)))
    }
}

/// The records of the rows with these keys, as the table has them now.
pub(crate) async fn records<R: Row>(
    form: &Form,
    statements: &Statements,
    keys: Vec<R::Key>,
    connection: &mut PgConnection,
    records: &mut Vec<RowRecord>,
) -> Result<(), sqlx::Error> {
    let rows = write::load::<R>(statements, &keys, connection).await?;
    let rows: HashMap<R::Key, R> = rows.into_iter().map(|row| (row.key(), row)).collect();
    let wrong = |reason: String| sqlx::Error::Decode(format!("{}: {reason}", R::TABLE).into());
    for key in keys {
        let value = rows.get(&key).map(|row| form.value(&row.json(None)));
        records.push(RowRecord {
            table: R::TABLE,
            key: form.key(&R::key_json(&key)).map_err(wrong)?,
            value: value.transpose().map_err(wrong)?,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::banking::account::TransactionRow;
    use crate::identity::user::{UserIdentifierRow, UserRow};

    #[test]
    fn decimals_are_as_javas_big_integer_writes_them() {
        for (text, scale, bytes) in [
            ("0.00", 2, vec![0]),
            ("1.27", 2, vec![0x7f]),
            ("1.28", 2, vec![0, 0x80]),
            ("-1.28", 2, vec![0x80]),
            ("-1.29", 2, vec![0xff, 0x7f]),
            ("-0.01", 2, vec![0xff]),
            ("2.5", 6, vec![0x26, 0x25, 0xa0]),
        ] {
            assert_eq!(shortest(unscaled(text, scale).unwrap()), bytes, "{text}");
        }
        assert_eq!(unscaled("1.234", 2), None);
    }

    #[test]
    fn keys_are_required_and_secrets_are_absent() {
        let form = Form::of(&TableInfo::of::<UserRow>());
        let key: Value = serde_json::from_str(&form.key("{\"id\":\"a\"}").unwrap()).unwrap();
        assert_eq!(key["payload"], json!({ "id": "a" }));
        assert_eq!(key["schema"]["fields"][0]["optional"], json!(false));
        assert!(!form.value_schema.contains("password_hash"));
        let pair = UserIdentifierRow::key_json(&("email".to_owned(), "a\"b".to_owned()));
        let form = Form::of(&TableInfo::of::<UserIdentifierRow>());
        let key: Value = serde_json::from_str(&form.key(&pair).unwrap()).unwrap();
        assert_eq!(key["payload"], json!({ "kind": "email", "key": "a\"b" }));
    }

    #[test]
    fn every_value_fits_its_schema() {
        let form = Form::of(&TableInfo::of::<TransactionRow>());
        let row = "{\"id\":\"t\",\"amount\":\"-12.30\",\"description\":null}";
        let value: Value = serde_json::from_str(&form.value(row).unwrap()).unwrap();
        assert_eq!(value["payload"]["amount"], json!(STANDARD.encode([0xfb, 0x32])));
        assert_eq!(value["payload"]["description"], Value::Null);
        assert_eq!(Kind::Day.value(&json!("1970-01-11")).unwrap(), json!(10));
        assert_eq!(Kind::Text.value(&json!(["a"])).unwrap(), json!("[\"a\"]"));
    }
}
