//! Compares two sets of read tables, row by row.

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::Scope;
use crate::catalog::{TABLES, TableInfo};
use crate::table::LIVE;
use crate::twin::{self, AUDIT};

/// A condition that is always met, and takes its time: some 2 ms for each two hundred rows, which are
/// compared in less than one.
const PAUSES: &str =
    "CASE WHEN random() < 0.005 THEN pg_sleep(0.002) IS NOT NULL ELSE true END AND ";

/// What a comparison found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Report {
    /// Up to where the live tables were posted in the lane that is furthest.
    pub position: i64,
    /// One entry a table.
    pub tables: Vec<TableReport>,
}

/// What a comparison found in one table.
#[derive(Debug, Clone, serde::Serialize)]
pub struct TableReport {
    /// The table.
    pub table: &'static str,
    /// Rows in the live table.
    pub live: i64,
    /// Rows in the rebuilt one.
    pub rebuilt: i64,
    /// Rows that differ, or are in one of the two only.
    pub different: i64,
    /// The first of these, by key.
    pub rows: Vec<DifferentRow>,
}

/// A row that is not the same in both. Secrets are named where they differ, never shown.
#[derive(Debug, Clone, serde::Serialize)]
pub struct DifferentRow {
    /// Its key.
    pub key: Value,
    /// The columns that differ; all of them where one is missing.
    pub columns: Vec<String>,
    /// The row in the live table.
    pub live: Option<Value>,
    /// The row that the log gives.
    pub rebuilt: Option<Value>,
    /// The last event that made the row what it is in the rebuilt table; `None` where none did, as
    /// with what was changed by hand.
    pub event: Option<Behind>,
}

/// The event behind a row.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct Behind {
    /// Its position in the log.
    pub position: i64,
    /// Its type.
    pub event_type: String,
    /// Its stream.
    pub stream_id: uuid::Uuid,
    /// Its place in the stream.
    pub version: i64,
}

impl Report {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.different() == 0
    }

    /// How many rows differ in all tables.
    #[must_use]
    pub fn different(&self) -> i64 {
        self.tables.iter().map(|table| table.different).sum()
    }
}

/// What is compared, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparison<'a> {
    /// The schema of the other tables.
    pub(super) schema: &'a str,
    /// Which rows.
    pub(super) scope: &'a Scope,
    /// How many differing rows of a table are given, at most; all are counted.
    pub(super) examples: i64,
    /// Whether it pauses now and then, for two thirds of the time or more.
    pub(super) gentle: bool,
}

impl Comparison<'_> {
    /// Compares the live tables with the other ones.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) async fn of_all(
        self,
        position: i64,
        connection: &mut PgConnection,
        tell: &(dyn Fn(i64, i64) + Send + Sync),
    ) -> Result<Report, sqlx::Error> {
        let mut report = Report { position, tables: Vec::new() };
        let tables: Vec<&TableInfo> =
            TABLES.iter().filter(|table| self.scope.reaches(table.name)).collect();
        let names: Vec<String> = tables.iter().map(|table| table.name.to_owned()).collect();
        let sizes = twin::sizes_of(&names, LIVE, connection).await?;
        let (mut done, total) = (0, sizes.values().sum());
        for table in tables {
            tell(done, total);
            report.tables.push(self.of_one(table, connection).await?);
            done += sizes.get(table.name).copied().unwrap_or(0);
        }
        tell(total, total);
        Ok(report)
    }

    async fn of_one(
        self,
        table: &TableInfo,
        connection: &mut PgConnection,
    ) -> Result<TableReport, sqlx::Error> {
        let counting = count_both(table, (self.schema, self.scope));
        let (live, rebuilt): (i64, i64) =
            sqlx::query_as(AssertSqlSafe(counting)).fetch_one(&mut *connection).await?;
        let found = sqlx::query(AssertSqlSafe(self.differences(table)))
            .bind(self.examples)
            .fetch_all(&mut *connection)
            .await?;
        let mut report =
            TableReport { table: table.name, live, rebuilt, different: 0, rows: Vec::new() };
        for row in found {
            report.different = row.try_get(0)?;
            report.rows.push(DifferentRow {
                key: row.try_get(1)?,
                columns: row.try_get(2)?,
                live: row.try_get(3)?,
                rebuilt: row.try_get(4)?,
                event: None,
            });
        }
        report.rows.truncate(usize::try_from(self.examples).unwrap_or(usize::MAX));
        for row in &mut report.rows {
            row.event = behind(table, self.schema, row, connection).await?;
        }
        Ok(report)
    }

    /// The statement that finds the rows that are not the same in both.
    fn differences(self, table: &TableInfo) -> String {
        let pairs = |side: &str| {
            let shown = table.columns.iter().filter(|column| !column.secret);
            joined(shown.map(|column| format!("'{0}', {side}.{0}", column.name)), ", ")
        };
        let row = |side: &str| {
            joined(table.columns.iter().map(|column| format!("{side}.{}", column.name)), ", ")
        };
        let changed = joined(
            table.columns.iter().map(|column| {
                format!(
                    "CASE WHEN live.{0} IS DISTINCT FROM rebuilt.{0} THEN '{0}' END",
                    column.name
                )
            }),
            ", ",
        );
        let key = joined(
            table.key.iter().map(|name| format!("'{name}', COALESCE(live.{name}, rebuilt.{name})")),
            ", ",
        );
        let same_key =
            joined(table.key.iter().map(|name| format!("live.{name} = rebuilt.{name}")), " AND ");
        let order = joined(
            (0..table.key.len())
                .map(|at| format!("COALESCE(live.{0}, rebuilt.{0})", table.key[at])),
            ", ",
        );
        let first = table.key[0];
        format!(
            "SELECT count(*) OVER (), jsonb_build_object({key}), array_remove(ARRAY[{changed}], NULL),
                    CASE WHEN live.{first} IS NOT NULL THEN jsonb_build_object({}) END,
                    CASE WHEN rebuilt.{first} IS NOT NULL THEN jsonb_build_object({}) END
             FROM {} AS live
             FULL JOIN {} AS rebuilt ON {same_key}
             WHERE {}({}) IS DISTINCT FROM ({})
             ORDER BY {order} LIMIT GREATEST($1, 1)",
            pairs("live"),
            pairs("rebuilt"),
            self.scope.rows_of(table.name, LIVE),
            self.scope.rows_of(table.name, self.schema),
            if self.gentle { PAUSES } else { "" },
            row("live"),
            row("rebuilt"),
        )
    }
}

pub(super) fn joined(names: impl Iterator<Item = String>, separator: &str) -> String {
    names.collect::<Vec<_>>().join(separator)
}

/// The last event that changed the row's entity in this table, by the rebuilt trail.
async fn behind(
    table: &TableInfo,
    schema: &str,
    row: &DifferentRow,
    connection: &mut PgConnection,
) -> Result<Option<Behind>, sqlx::Error> {
    let Some(seen) = row.rebuilt.as_ref().or(row.live.as_ref()) else { return Ok(None) };
    let (condition, value) = if table.name == AUDIT {
        ("position = $1::bigint AND $2::text IS NOT NULL", &seen["position"])
    } else {
        ("entity_id = $1::uuid AND entity_type = $2", &seen[table.entity])
    };
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if value == "null" {
        return Ok(None);
    }
    let query = format!(
        "SELECT position, event_type, stream_id, version FROM {schema}.{AUDIT}
         WHERE {} AND id > 0 ORDER BY id DESC LIMIT 1",
        condition.replace("$1::", "$1::text::")
    );
    sqlx::query_as(AssertSqlSafe(query))
        .bind(value)
        .bind(table.name)
        .fetch_optional(connection)
        .await
}

fn count_both(table: &TableInfo, (schema, scope): (&str, &Scope)) -> String {
    let [live, rebuilt] = [LIVE, schema].map(|schema| scope.rows_of(table.name, schema));
    format!("SELECT (SELECT count(*) FROM {live} AS l), (SELECT count(*) FROM {rebuilt} AS r)")
}
