//! Compares the live tables with a rebuild, row by row, at one common checkpoint.

use daybook_store::Log;
use sqlx::{AssertSqlSafe, PgPool};

use super::compare::{self, Report};
use super::second::Second;
use super::{Memory, OnProgress, Progress, RebuildError};
use crate::catalog::TABLES;
use crate::table::SCRATCH;

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
    let tell = |done, total| progress(Progress { stage: "filling", done, total });
    let Second { mut transaction, position, .. } = Second::fold(pool, log, memory, tell).await?;
    for table in TABLES {
        let analyze = format!("ANALYZE {SCRATCH}.{}", table.name);
        sqlx::raw_sql(AssertSqlSafe(analyze)).execute(&mut *transaction).await?;
    }
    let tell = |done, total| progress(Progress { stage: "comparing", done, total });
    let report = compare::all(SCRATCH, position, examples, &mut transaction, &tell).await?;
    transaction.rollback().await?;
    Ok(report)
}
