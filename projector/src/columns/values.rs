//! A column's values, until they are written.

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedColumnWriter;
use uuid::Uuid;

use super::{Kind, Name};

/// The values of one column, until they are written.
#[derive(Debug)]
pub struct Column {
    kind: Kind,
    required: bool,
    values: Values,
    /// 1 for each row that has the column, 0 for each that lacks it.
    levels: Vec<i16>,
}

#[derive(Debug)]
enum Values {
    Long(Vec<i64>),
    Int(Vec<i32>),
    Double(Vec<f64>),
    Bool(Vec<bool>),
    /// One text after the other, and where each ends.
    Text(Vec<u8>, Vec<usize>),
    /// Sixteen bytes each.
    Id(Vec<u8>),
}

impl Column {
    pub(super) fn new(name: &Name) -> Self {
        let values = match name.kind {
            Kind::Long | Kind::Time | Kind::Money => Values::Long(Vec::new()),
            Kind::Day => Values::Int(Vec::new()),
            Kind::Double => Values::Double(Vec::new()),
            Kind::Bool => Values::Bool(Vec::new()),
            Kind::Text | Kind::Json => Values::Text(Vec::new(), Vec::new()),
            Kind::Id => Values::Id(Vec::new()),
        };
        Self { kind: name.kind, required: name.required, values, levels: Vec::new() }
    }

    /// How many rows it has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.levels.len()
    }

    /// Bytes of memory, about.
    pub(super) fn size(&self) -> usize {
        let values = match &self.values {
            Values::Long(values) => values.len() * 8,
            Values::Int(values) => values.len() * 4,
            Values::Double(values) => values.len() * 8,
            Values::Bool(values) => values.len(),
            Values::Text(text, ends) => text.len() + ends.len() * 8,
            Values::Id(ids) => ids.len(),
        };
        values + self.levels.len() * 2
    }

    /// A row that lacks it.
    pub fn null(&mut self) {
        self.levels.push(0);
    }

    /// A whole number, or a moment in microseconds, or a sum in hundredths.
    pub fn long(&mut self, value: i64) {
        if let Values::Long(values) = &mut self.values {
            values.push(value);
            self.levels.push(1);
        }
    }

    /// A moment.
    pub fn time(&mut self, value: DateTime<Utc>) {
        self.long(value.timestamp_micros());
    }

    /// Text, or JSON.
    pub fn text(&mut self, value: &str) {
        if let Values::Text(text, ends) = &mut self.values {
            text.extend_from_slice(value.as_bytes());
            ends.push(text.len());
            self.levels.push(1);
        }
    }

    /// A UUID.
    pub fn id(&mut self, value: Uuid) {
        if let Values::Id(ids) = &mut self.values {
            ids.extend_from_slice(value.as_bytes());
            self.levels.push(1);
        }
    }

    /// A value as it stands in JSON; `false`: it is none of this column's kind, and nothing is taken.
    #[must_use]
    pub fn json(&mut self, raw: &str) -> bool {
        if raw == "null" {
            self.null();
            return true;
        }
        // Text without an escape is itself; the rest is rare.
        let plain = raw
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .filter(|text| !text.contains('\\'));
        let taken = match (&mut self.values, self.kind) {
            (Values::Text(text, ends), Kind::Json) => {
                text.extend_from_slice(raw.as_bytes());
                ends.push(text.len());
                true
            }
            (Values::Text(text, ends), _) => {
                let read = match plain {
                    Some(plain) => Some(std::borrow::Cow::Borrowed(plain)),
                    None => serde_json::from_str::<String>(raw).ok().map(Into::into),
                };
                read.is_some_and(|read| {
                    text.extend_from_slice(read.as_bytes());
                    ends.push(text.len());
                    true
                })
            }
            (Values::Long(values), kind) => {
                let read = match kind {
                    Kind::Time => plain.and_then(micros),
                    Kind::Money => plain.and_then(hundredths),
                    _ => raw.parse().ok(),
                };
                push(values, read)
            }
            (Values::Int(values), _) => push(values, plain.and_then(day)),
            (Values::Double(values), _) => push(values, raw.parse().ok()),
            (Values::Bool(values), _) => push(values, raw.parse().ok()),
            (Values::Id(ids), _) => {
                plain.and_then(|text| Uuid::parse_str(text).ok()).is_some_and(|id| {
                    ids.extend_from_slice(id.as_bytes());
                    true
                })
            }
        };
        if taken {
            self.levels.push(1);
        }
        taken
    }

    /// Writes all rows, and forgets them.
    pub(super) fn write(
        &mut self,
        writer: &mut SerializedColumnWriter<'_>,
    ) -> Result<(), ParquetError> {
        let levels = (!self.required).then_some(self.levels.as_slice());
        let written = match (&mut self.values, writer.untyped()) {
            (Values::Long(values), ColumnWriter::Int64ColumnWriter(writer)) => {
                writer.write_batch(values, levels, None)
            }
            (Values::Int(values), ColumnWriter::Int32ColumnWriter(writer)) => {
                writer.write_batch(values, levels, None)
            }
            (Values::Double(values), ColumnWriter::DoubleColumnWriter(writer)) => {
                writer.write_batch(values, levels, None)
            }
            (Values::Bool(values), ColumnWriter::BoolColumnWriter(writer)) => {
                writer.write_batch(values, levels, None)
            }
            (Values::Text(text, ends), ColumnWriter::ByteArrayColumnWriter(writer)) => {
                let text = Bytes::from(std::mem::take(text));
                let mut from = 0;
                let values: Vec<ByteArray> = ends
                    .drain(..)
                    .map(|end| ByteArray::from(text.slice(std::mem::replace(&mut from, end)..end)))
                    .collect();
                writer.write_batch(&values, levels, None)
            }
            (Values::Id(ids), ColumnWriter::FixedLenByteArrayColumnWriter(writer)) => {
                let ids = Bytes::from(std::mem::take(ids));
                let values: Vec<FixedLenByteArray> = (0..ids.len() / 16)
                    .map(|at| ByteArray::from(ids.slice(at * 16..(at + 1) * 16)).into())
                    .collect();
                writer.write_batch(&values, levels, None)
            }
            _ => Err(ParquetError::General("a column of another type".to_owned())),
        };
        written?;
        match &mut self.values {
            Values::Long(values) => values.clear(),
            Values::Int(values) => values.clear(),
            Values::Double(values) => values.clear(),
            Values::Bool(values) => values.clear(),
            Values::Text(..) | Values::Id(_) => {}
        }
        self.levels.clear();
        Ok(())
    }
}

fn push<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
    value.is_some_and(|value| {
        values.push(value);
        true
    })
}

fn micros(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_micros())
}

fn day(text: &str) -> Option<i32> {
    let date: NaiveDate = text.parse().ok()?;
    i32::try_from((date - NaiveDate::default()).num_days()).ok()
}

/// `-12.3` is -1230; at most two decimals, and below 10^16.
fn hundredths(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (units, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if units.is_empty() || units.len() > 16 || decimals.len() > 2 {
        return None;
    }
    if !all_digits(units) || !all_digits(decimals) {
        return None;
    }
    let mut value: i64 = units.parse().ok()?;
    for place in 0..2 {
        let digit = decimals.as_bytes().get(place).map_or(0, |byte| i64::from(byte - b'0'));
        value = value * 10 + digit;
    }
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_days_are_exact() {
        let sums = [
            ("0.00", 0),
            ("12.3", 1230),
            ("-12.34", -1234),
            ("7", 700),
            ("1234567890123.99", 123_456_789_012_399),
        ];
        for (text, value) in sums {
            assert_eq!(hundredths(text), Some(value), "{text}");
        }
        for text in ["", ".5", "1.234", "1e3", "--1", "12345678901234567"] {
            assert_eq!(hundredths(text), None, "{text}");
        }
        assert_eq!((day("1970-01-02"), day("2024-02-29"), day("x")), (Some(1), Some(19_782), None));
        assert_eq!(micros("2026-01-31T12:00:00.000001+01:00"), Some(1_769_857_200_000_001));
    }

    #[test]
    fn what_is_of_another_kind_is_not_taken() {
        for (kind, wrong) in [
            (Kind::Long, "\"7\""),
            (Kind::Id, "\"7\""),
            (Kind::Money, "7.5"),
            (Kind::Time, "\"noon\""),
            (Kind::Text, "7"),
            (Kind::Bool, "\"true\""),
        ] {
            let mut column = Column::new(&Name::optional("x", kind));
            assert!(!column.json(wrong), "{kind:?} took {wrong}");
            assert_eq!(column.rows(), 0);
            assert!(column.json("null"));
            assert_eq!(column.rows(), 1);
        }
    }
}
