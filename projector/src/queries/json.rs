//! Rows as they come from PostgreSQL, written as the same JSON that the audit trail and the past
//! carry: one way for each type of column, that of [`Column::json`].

use std::net::IpAddr;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::value::RawValue;
use sqlx::Row as _;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::tables::ReadTable;
use crate::table::{Column, ColumnName, Hundredths, JsonText, Millionths, Words};

/// `stored.id, stored.status::text, …`: what [`row`] reads, in the order of the table's columns.
#[must_use]
pub(super) fn select_list(table: &ReadTable) -> String {
    let each = |column: &ColumnName| match column.cast {
        Some(_) => format!("stored.{}::text", column.name),
        None => format!("stored.{}", column.name),
    };
    table.columns().map(each).collect::<Vec<_>>().join(", ")
}

/// A row that was selected with [`select_list`].
///
/// # Errors
/// A column that is not of the type that this build expects.
pub(super) fn row(table: &ReadTable, row: &PgRow) -> Result<Box<RawValue>, sqlx::Error> {
    let mut out = String::with_capacity(512);
    out.push('{');
    for (at, column) in table.columns().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push('"');
        out.push_str(column.name);
        out.push_str("\":");
        value(row, at, column, &mut out)?;
    }
    out.push('}');
    RawValue::from_string(out).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn value(row: &PgRow, at: usize, column: &ColumnName, out: &mut String) -> Result<(), sqlx::Error> {
    match (column.array, column.cast) {
        ("text", Some("jsonb")) => write::<JsonText>(row, at, out),
        ("text", Some("text[]")) => write::<Words>(row, at, out),
        ("text", _) => write::<String>(row, at, out),
        ("uuid", _) => write::<Uuid>(row, at, out),
        ("timestamptz", _) => write::<DateTime<Utc>>(row, at, out),
        ("date", _) => write::<NaiveDate>(row, at, out),
        ("numeric", _) => write::<Hundredths>(row, at, out),
        ("numeric(20,6)", _) => write::<Millionths>(row, at, out),
        ("bool", _) => write::<bool>(row, at, out),
        ("int4", _) => write::<i32>(row, at, out),
        ("int8", _) => write::<i64>(row, at, out),
        ("inet", _) => write::<IpAddr>(row, at, out),
        (other, _) => {
            let error: BoxDynError = format!("{} is of type {other}", column.name).into();
            Err(sqlx::Error::Decode(error))
        }
    }
}

fn write<C>(row: &PgRow, at: usize, out: &mut String) -> Result<(), sqlx::Error>
where
    C: Column,
    for<'r> Option<C::Read>: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    match row.try_get::<Option<C::Read>, _>(at)? {
        Some(value) => C::read(value).map_err(sqlx::Error::Decode)?.json(out),
        None => out.push_str("null"),
    }
    Ok(())
}
