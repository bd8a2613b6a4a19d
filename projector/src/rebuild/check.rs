//! Compares the live tables with a rebuild, row by row, at one common checkpoint.

use std::collections::BTreeMap;

use daybook_store::{Log, Recorded, Share};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use super::compare::{self, Report, joined};
use super::fill::{Fill, Filling, Pace};
use super::{Memory, OnProgress, Progress, RebuildError, drift};
use crate::catalog::{TABLES, TableInfo, Tables};
use crate::table::{LIVE, SCRATCH};
use crate::worker::lanes::Checkpoint;
use crate::worker::ownership;

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
    let filling = Filling { memory, ..Filling::default() };
    let tell = |done| progress(Progress { stage: "filling", done, total: position });
    let filled = Fill::new(&tables, &mut transaction, filling)
        .run(log, (position, Share::ALL), wanted, &Pace::new(None), tell)
        .await?;
    complete(&posted, &filled.reached)?;
    drift::put_back(SCRATCH, &mut transaction).await?;
    for table in TABLES {
        let analyze = format!("ANALYZE {SCRATCH}.{}", table.name);
        sqlx::raw_sql(AssertSqlSafe(analyze)).execute(&mut *transaction).await?;
    }
    let tell = |done, total| progress(Progress { stage: "comparing", done, total });
    let report = compare::all(SCRATCH, position, examples, &mut transaction, &tell).await?;
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
