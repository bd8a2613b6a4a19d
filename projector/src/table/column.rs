//! What a column's values are to PostgreSQL, to COPY, and to the audit trail.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use ipnetwork::IpNetwork;
use rust_decimal::Decimal;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgHasArrayType;
use sqlx::{Decode, Encode, Postgres, Type};
use uuid::Uuid;

use super::decimal;

/// A type that a read table's column may have.
pub trait Column: Clone + PartialEq + Send + Sync + 'static {
    /// The type of its parameters: arrays of it are bound, and cast to the column's own type.
    const ARRAY: &'static str;
    /// What is bound for one value; an array of it is a parameter.
    type Bound<'a>: Encode<'a, Postgres> + Type<Postgres> + PgHasArrayType;
    /// What is read.
    type Read: for<'r> Decode<'r, Postgres> + Type<Postgres>;

    /// The value as a parameter.
    fn bound(&self) -> Self::Bound<'_>;
    /// The value as it was read.
    ///
    /// # Errors
    /// A value that this type cannot carry.
    fn read(value: Self::Read) -> Result<Self, BoxDynError>;
    /// The value's bytes in COPY's binary format, without the length; false for NULL.
    fn copy(&self, out: &mut Vec<u8>) -> bool;
    /// The value as JSON.
    fn json(&self, out: &mut String);
}

/// An amount of money: hundredths, in `numeric(15,2)` columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hundredths(pub i64);

/// JSON as text, in `jsonb` columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonText(pub String);

/// Words without spaces, commas, quotes and braces, in `text[]` columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    words: Vec<String>,
    /// `{one,two}`: parameters cannot be arrays of arrays, so each value goes as text.
    literal: String,
}

impl JsonText {
    /// A value as JSON, as it is read back: its keys in one order, without spaces.
    #[must_use]
    pub fn of(value: &(impl serde::Serialize + ?Sized)) -> Self {
        // What events are made of is JSON already.
        Self(serde_json::to_value(value).unwrap_or_default().to_string())
    }
}

impl Words {
    /// These words.
    #[must_use]
    pub fn new(words: Vec<String>) -> Self {
        let literal = format!("{{{}}}", words.join(","));
        Self { words, literal }
    }
}

/// 2000-01-01T00:00:00Z in microseconds since 1970: the origin of PostgreSQL's timestamps.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;
/// Its day: the origin of PostgreSQL's dates.
const POSTGRES_FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

macro_rules! as_is {
    ($($type:ty, $array:literal, |$value:ident, $out:ident| $copy:expr, |$item:ident, $text:ident| $json:expr;)+) => {
        $(impl Column for $type {
            const ARRAY: &'static str = $array;
            type Bound<'a> = $type;
            type Read = $type;

            fn bound(&self) -> $type {
                *self
            }

            fn read(value: $type) -> Result<Self, BoxDynError> {
                Ok(value)
            }

            fn copy(&self, $out: &mut Vec<u8>) -> bool {
                let $value = self;
                $copy;
                true
            }

            fn json(&self, $text: &mut String) {
                let $item = self;
                $json;
            }
        })+
    };
}

as_is! {
    Uuid, "uuid", |value, out| out.extend_from_slice(value.as_bytes()), |value, out| push(out, format_args!("\"{value}\""));
    bool, "bool", |value, out| out.push(u8::from(*value)), |value, out| out.push_str(if *value { "true" } else { "false" });
    i32, "int4", |value, out| out.extend_from_slice(&value.to_be_bytes()), |value, out| push(out, format_args!("{value}"));
    i64, "int8", |value, out| out.extend_from_slice(&value.to_be_bytes()), |value, out| push(out, format_args!("{value}"));
    DateTime<Utc>, "timestamptz",
        |value, out| out.extend_from_slice(&(value.timestamp_micros() - POSTGRES_EPOCH).to_be_bytes()),
        |value, out| push(out, format_args!("\"{}\"", value.to_rfc3339_opts(SecondsFormat::Micros, true)));
    NaiveDate, "date",
        |value, out| out.extend_from_slice(&days(*value).to_be_bytes()),
        |value, out| push(out, format_args!("\"{value}\""));
}

/// Days since PostgreSQL's first one; what chrono can say fits.
fn days(day: NaiveDate) -> i32 {
    i32::try_from(day.signed_duration_since(POSTGRES_FIRST_DAY).num_days()).unwrap_or(i32::MAX)
}

/// Writing to a string cannot fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

fn push_json_string(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        push(out, format_args!("{}", serde_json::Value::from(text)));
    }
}

impl Column for String {
    const ARRAY: &'static str = "text";
    type Bound<'a> = &'a str;
    type Read = String;

    fn bound(&self) -> &str {
        self
    }

    fn read(value: String) -> Result<Self, BoxDynError> {
        Ok(value)
    }

    fn copy(&self, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(self.as_bytes());
        true
    }

    fn json(&self, out: &mut String) {
        push_json_string(out, self);
    }
}

/// Text that many rows of a batch share.
impl Column for Arc<str> {
    const ARRAY: &'static str = "text";
    type Bound<'a> = &'a str;
    type Read = String;

    fn bound(&self) -> &str {
        self
    }

    fn read(value: String) -> Result<Self, BoxDynError> {
        Ok(value.into())
    }

    fn copy(&self, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(self.as_bytes());
        true
    }

    fn json(&self, out: &mut String) {
        push_json_string(out, self);
    }
}

/// Names known when this was built: actions, tables.
impl Column for &'static str {
    const ARRAY: &'static str = "text";
    type Bound<'a> = &'a str;
    type Read = String;

    fn bound(&self) -> &str {
        self
    }

    fn read(value: String) -> Result<Self, BoxDynError> {
        Err(format!("{value:?} is written only, never read back").into())
    }

    fn copy(&self, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(self.as_bytes());
        true
    }

    fn json(&self, out: &mut String) {
        push_json_string(out, self);
    }
}

impl Column for JsonText {
    const ARRAY: &'static str = "text";
    type Bound<'a> = &'a str;
    type Read = String;

    fn bound(&self) -> &str {
        &self.0
    }

    /// PostgreSQL gives jsonb with spaces and in an order of its own; here it is as events have it, so
    /// that what has not changed compares as equal.
    fn read(value: String) -> Result<Self, BoxDynError> {
        Ok(Self(serde_json::from_str::<serde_json::Value>(&value)?.to_string()))
    }

    fn copy(&self, out: &mut Vec<u8>) -> bool {
        // jsonb's only version so far.
        out.push(1);
        out.extend_from_slice(self.0.as_bytes());
        true
    }

    fn json(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

impl Column for Words {
    const ARRAY: &'static str = "text";
    type Bound<'a> = &'a str;
    type Read = String;

    fn bound(&self) -> &str {
        &self.literal
    }

    fn read(value: String) -> Result<Self, BoxDynError> {
        let inside = value.trim_start_matches('{').trim_end_matches('}');
        if inside.contains(['"', '{', '\\', ' ']) {
            return Err(format!("{value} has more in it than plain words").into());
        }
        Ok(Self::new(inside.split(',').filter(|word| !word.is_empty()).map(String::from).collect()))
    }

    fn copy(&self, out: &mut Vec<u8>) -> bool {
        let count = i32::try_from(self.words.len()).unwrap_or(i32::MAX);
        // Dimensions, no NULLs, the element type's oid (text), then length and lower bound.
        out.extend_from_slice(&i32::from(count > 0).to_be_bytes());
        out.extend_from_slice(&0_i32.to_be_bytes());
        out.extend_from_slice(&25_i32.to_be_bytes());
        if count > 0 {
            out.extend_from_slice(&count.to_be_bytes());
            out.extend_from_slice(&1_i32.to_be_bytes());
        }
        for word in &self.words {
            copy_field(word, out);
        }
        true
    }

    fn json(&self, out: &mut String) {
        out.push('[');
        for (at, word) in self.words.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            push_json_string(out, word);
        }
        out.push(']');
    }
}

impl Column for IpAddr {
    const ARRAY: &'static str = "inet";
    type Bound<'a> = IpNetwork;
    type Read = IpNetwork;

    fn bound(&self) -> IpNetwork {
        IpNetwork::from(*self)
    }

    fn read(value: IpNetwork) -> Result<Self, BoxDynError> {
        Ok(value.ip())
    }

    fn copy(&self, out: &mut Vec<u8>) -> bool {
        // Family (AF_INET, or that plus one), bits, whether it is a cidr, length, address.
        match self {
            Self::V4(address) => {
                out.extend_from_slice(&[2, 32, 0, 4]);
                out.extend_from_slice(&address.octets());
            }
            Self::V6(address) => {
                out.extend_from_slice(&[3, 128, 0, 16]);
                out.extend_from_slice(&address.octets());
            }
        }
        true
    }

    fn json(&self, out: &mut String) {
        push(out, format_args!("\"{self}\""));
    }
}

impl Column for Hundredths {
    const ARRAY: &'static str = "numeric";
    type Bound<'a> = Decimal;
    type Read = Decimal;

    fn bound(&self) -> Decimal {
        Decimal::new(self.0, 2)
    }

    fn read(mut value: Decimal) -> Result<Self, BoxDynError> {
        value.rescale(2);
        Ok(Self(i64::try_from(value.mantissa())?))
    }

    fn copy(&self, out: &mut Vec<u8>) -> bool {
        decimal::copy::<2>(self.0.into(), out);
        true
    }

    fn json(&self, out: &mut String) {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        push(out, format_args!("\"{sign}{}.{:02}\"", magnitude / 100, magnitude % 100));
    }
}

impl<C: Column> Column for Option<C>
where
    for<'a> Option<C::Bound<'a>>: Encode<'a, Postgres> + Type<Postgres>,
    Option<C::Read>: for<'r> Decode<'r, Postgres> + Type<Postgres>,
{
    const ARRAY: &'static str = C::ARRAY;
    type Bound<'a> = Option<C::Bound<'a>>;
    type Read = Option<C::Read>;

    fn bound(&self) -> Self::Bound<'_> {
        self.as_ref().map(Column::bound)
    }

    fn read(value: Self::Read) -> Result<Self, BoxDynError> {
        value.map(C::read).transpose()
    }

    fn copy(&self, out: &mut Vec<u8>) -> bool {
        self.as_ref().is_some_and(|value| value.copy(out))
    }

    fn json(&self, out: &mut String) {
        match self {
            Some(value) => value.json(out),
            None => out.push_str("null"),
        }
    }
}

/// Writes one field of a binary COPY row: length, then bytes.
pub fn copy_field<C: Column>(value: &C, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let length =
        if value.copy(out) { i32::try_from(out.len() - start - 4).unwrap_or(i32::MAX) } else { -1 };
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}
