//! Events as a state is folded from them. They are read where they lie: nothing is copied, and the
//! JSON is parsed once, by whoever knows its type.

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::row;
use crate::error::ReadError;

/// A stream's events, as they came.
#[derive(Debug)]
pub struct Facts {
    rows: Vec<PgRow>,
}

/// One event: what happened, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Fact<'r> {
    /// Its place in the log.
    pub position: i64,
    /// Its place in its stream.
    pub version: i64,
    /// Its type, such as `banking.account.withdrawn`.
    pub event_type: &'r str,
    /// The version of the type's shape.
    pub schema_version: i16,
    /// Its fields as JSON.
    pub data: &'r str,
}

impl Facts {
    pub(super) fn new(rows: Vec<PgRow>) -> Self {
        Self { rows }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The events, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = Result<Fact<'_>, ReadError>> {
        self.rows.iter().map(|row| {
            let position = row.try_get(0)?;
            Ok(Fact {
                position,
                version: row.try_get(1)?,
                event_type: row.try_get(2)?,
                schema_version: row.try_get(3)?,
                data: row::data_text(row, 4, position)?,
            })
        })
    }
}
