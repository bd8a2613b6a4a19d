//! One row, as it is now.

use serde_json::value::RawValue;
use sqlx::{QueryBuilder, Row as _};
use uuid::Uuid;

use super::json;
use super::reader::{Reader, View};
use super::tables::ReadTable;

/// The key of a row with an address of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowId {
    /// Of most tables.
    Uuid(Uuid),
    /// Of `audit_logs`.
    Number(i64),
}

impl RowId {
    /// Reads an id as it stands in an address; `None`: nothing has such an id.
    #[must_use]
    pub fn parse(table: &ReadTable, text: &str) -> Option<Self> {
        let id = table.columns().find(|column| column.name == "id")?;
        match id.array {
            "int8" => text.parse().ok().map(Self::Number),
            _ => Uuid::parse_str(text).ok().map(Self::Uuid),
        }
    }
}

/// A row, and the stream that it comes from.
#[derive(Debug)]
pub struct Found {
    /// The row.
    pub row: Box<RawValue>,
    /// Its stream; a change by hand has none.
    pub stream: Option<Uuid>,
}

/// The row with this id, if these eyes see it.
///
/// # Errors
/// When the database does not answer.
pub async fn find(
    reader: &Reader,
    view: &View,
    table: &ReadTable,
    id: RowId,
) -> Result<Option<Found>, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT ");
    query.push(json::select_list(table)).push(", stored.").push(table.stream);
    query.push(" FROM public.").push(table.name()).push(" AS stored WHERE stored.id = ");
    match id {
        RowId::Uuid(id) => query.push_bind(id),
        RowId::Number(id) => query.push_bind(id),
    };
    let mut transaction = reader.begin(view).await?;
    let found = query.build().fetch_optional(&mut *transaction).await?;
    transaction.commit().await?;
    let Some(found) = found else { return Ok(None) };
    let stream = found.try_get(table.columns().count())?;
    Ok(Some(Found { row: json::row(table, &found)?, stream }))
}
