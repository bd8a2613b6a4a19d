//! Compares the live tables with a rebuild, row by row, at one common checkpoint.

use daybook_store::Log;
use sqlx::{AssertSqlSafe, PgPool};

use super::compare::{Comparison, Report};
use super::second::Second;
use super::state::progress;
use super::{Memory, OnProgress, RebuildError, Scope};
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
    check_of(&Scope::all(), pool, log, memory, examples, progress).await
}

/// The same of the tables of these projections, and of their rows of `audit_logs`.
///
/// # Errors
/// See [`RebuildError`].
pub async fn check_of(
    scope: &Scope,
    pool: &PgPool,
    log: &Log,
    memory: Memory,
    examples: i64,
    on_progress: OnProgress<'_>,
) -> Result<Report, RebuildError> {
    let tell = |done, total| on_progress(progress("filling", done, total));
    let Second { mut transaction, position, .. } =
        Second::fold(pool, (log, scope), memory, tell).await?;
    for table in TABLES {
        let analyze = format!("ANALYZE {SCRATCH}.{}", table.name);
        sqlx::raw_sql(AssertSqlSafe(analyze)).execute(&mut *transaction).await?;
    }
    let tell = |done, total| on_progress(progress("comparing", done, total));
    let report = Comparison { schema: SCRATCH, scope, examples, gentle: false }
        .of_all(position, &mut transaction, &tell)
        .await?;
    transaction.rollback().await?;
    Ok(report)
}
