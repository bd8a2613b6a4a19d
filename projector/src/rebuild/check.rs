//! Compares the live tables with a rebuild, row by row, at one common checkpoint.

use std::collections::BTreeMap;

use daybook_store::{Log, Recorded};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row};

use super::fill::Fill;
use super::{Memory, OnProgress, RebuildError, drift};
use crate::catalog::{TABLES, TableInfo, Tables};
use crate::table::{LIVE, SCRATCH};
use crate::worker::lanes::Checkpoint;
use crate::worker::ownership;

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
}

impl Report {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.tables.iter().all(|table| table.different == 0)
    }
}

/// Rebuilds into temporary tables and compares; at most `examples` differing rows a table are
/// given, all are counted. Workers go on meanwhile: everything happens under one snapshot, with
/// each lane rebuilt to where it was posted in it. Leaves nothing behind, however it ends. The
/// pool's role is `daybook_projector`, or the owner.
///
/// # Errors
/// See [`RebuildError`].
pub async fn check(
    pool: &PgPool,
    log: &Log,
    memory: Memory,
    examples: i64,
    progress: OnProgress<'_>,
) -> Result<Report, RebuildError> {
    let mut transaction = pool
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL work_mem = '64MB'")
        .await?;
    let posted = ownership::checkpoints(&mut transaction).await?;
    for table in TABLES {
        make_scratch(table, &mut transaction).await?;
    }
    let position = posted.values().map(|checkpoint| checkpoint.position).max().unwrap_or(0);
    let wanted = |event: &Recorded| {
        posted.get(&event.lane).is_some_and(|lane| event.lane_seq <= lane.lane_seq)
    };
    let tables = Tables::of(SCRATCH);
    let filled = Fill::new(&tables, &mut transaction, None, memory)
        .run(log, position, wanted, progress)
        .await?;
    complete(&posted, &filled.reached)?;
    drift::put_back(SCRATCH, &mut transaction).await?;
    let mut report = Report { position, tables: Vec::new() };
    for table in TABLES {
        report.tables.push(compare(table, examples, &mut transaction).await?);
    }
    transaction.rollback().await?;
    Ok(report)
}

pub(super) fn complete(
    posted: &BTreeMap<i16, Checkpoint>,
    reached: &BTreeMap<i16, Checkpoint>,
) -> Result<(), RebuildError> {
    for (lane, posted) in posted {
        let found = reached.get(lane).map_or(0, |reached| reached.lane_seq);
        if found != posted.lane_seq {
            return Err(RebuildError::LogTooShort { lane: *lane, found, posted: posted.lane_seq });
        }
    }
    Ok(())
}

fn joined(names: impl Iterator<Item = String>, separator: &str) -> String {
    names.collect::<Vec<_>>().join(separator)
}

/// The columns that projections write, without constraints, with an index on the key where rows may
/// have to be found again.
pub(super) async fn make_scratch(
    table: &TableInfo,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let name = table.name;
    let columns = joined(table.columns.iter().map(|column| column.name.to_owned()), ", ");
    let make = format!(
        "CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT {columns} FROM {LIVE}.{name} WITH NO DATA"
    );
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut *connection).await?;
    let key = table.key.join(", ");
    let index = format!("CREATE INDEX ON {SCRATCH}.{name} ({key})");
    sqlx::raw_sql(AssertSqlSafe(index)).execute(connection).await?;
    Ok(())
}

async fn compare(
    table: &TableInfo,
    examples: i64,
    connection: &mut PgConnection,
) -> Result<TableReport, sqlx::Error> {
    let analyze = format!("ANALYZE {SCRATCH}.{}", table.name);
    sqlx::raw_sql(AssertSqlSafe(analyze)).execute(&mut *connection).await?;
    let (live, rebuilt): (i64, i64) =
        sqlx::query_as(AssertSqlSafe(count_both(table))).fetch_one(&mut *connection).await?;
    let found =
        sqlx::query(AssertSqlSafe(differences(table))).bind(examples).fetch_all(connection).await?;
    let mut report =
        TableReport { table: table.name, live, rebuilt, different: 0, rows: Vec::new() };
    for row in found {
        report.different = row.try_get(0)?;
        report.rows.push(DifferentRow {
            key: row.try_get(1)?,
            columns: row.try_get(2)?,
            live: row.try_get(3)?,
            rebuilt: row.try_get(4)?,
        });
    }
    report.rows.truncate(usize::try_from(examples).unwrap_or(usize::MAX));
    Ok(report)
}

fn count_both(table: &TableInfo) -> String {
    format!(
        "SELECT (SELECT count(*) FROM {LIVE}.{0}), (SELECT count(*) FROM {SCRATCH}.{0})",
        table.name
    )
}

fn differences(table: &TableInfo) -> String {
    let pairs = |side: &str| {
        let shown = table.columns.iter().filter(|column| !column.secret);
        joined(shown.map(|column| format!("'{0}', {side}.{0}", column.name)), ", ")
    };
    let row = |side: &str| {
        joined(table.columns.iter().map(|column| format!("{side}.{}", column.name)), ", ")
    };
    let changed = joined(
        table.columns.iter().map(|column| {
            format!("CASE WHEN live.{0} IS DISTINCT FROM rebuilt.{0} THEN '{0}' END", column.name)
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
        (0..table.key.len()).map(|at| format!("COALESCE(live.{0}, rebuilt.{0})", table.key[at])),
        ", ",
    );
    let first = table.key[0];
    format!(
        "SELECT count(*) OVER (), jsonb_build_object({key}), array_remove(ARRAY[{changed}], NULL),
                CASE WHEN live.{first} IS NOT NULL THEN jsonb_build_object({}) END,
                CASE WHEN rebuilt.{first} IS NOT NULL THEN jsonb_build_object({}) END
         FROM {LIVE}.{} AS live
         FULL JOIN {SCRATCH}.{} AS rebuilt ON {same_key}
         WHERE ({}) IS DISTINCT FROM ({})
         ORDER BY {order} LIMIT GREATEST($1, 1)",
        pairs("live"),
        pairs("rebuilt"),
        table.name,
        table.name,
        row("live"),
        row("rebuilt"),
    )
}
