//! What a rebuild of some projections takes over from the live tables: the rows of all the others, as
//! they are, at the one checkpoint up to which its own are folded. So the second set is the whole model,
//! and everything after filling goes as it does for all of it.

use sqlx::{AssertSqlSafe, PgConnection};

use super::compare::Report;
use super::reached::Reached;
use super::{RebuildError, Scope};
use crate::catalog::TABLES;
use crate::table::LIVE;
use crate::twin::{self, AUDIT, Twin};
use crate::worker::ownership;

/// Copies what is not made again, whatever made it, in one snapshot. Gives the checkpoints that the live
/// tables have in it, and the number of rows.
pub(super) async fn take_over(
    scope: &Scope,
    twin: &Twin,
    connection: &mut PgConnection,
    tell: &(dyn Fn(i64, i64) + Send + Sync),
) -> Result<(Reached, usize), RebuildError> {
    twin::run("BEGIN ISOLATION LEVEL REPEATABLE READ", connection).await?;
    let posted = ownership::checkpoints(connection).await?;
    let missing: Vec<String> = sqlx::query_scalar(include_str!("../twin/partitions.sql"))
        .bind(&twin.names)
        .bind(LIVE)
        .bind(&twin.schema)
        .fetch_all(&mut *connection)
        .await?;
    twin::run(&missing.join(";\n"), connection).await?;
    let sizes = twin::sizes_of(&twin.names, LIVE, connection).await?;
    let kept: Vec<(&str, String)> = TABLES
        .iter()
        .filter_map(|table| scope.kept_of(table.name).map(|rows| (table.name, rows)))
        .collect();
    let size = |name: &str| sizes.get(name).copied().unwrap_or(0);
    let total = kept.iter().map(|(name, _)| size(name)).sum();
    let (mut done, mut rows) = (0, 0);
    for (name, which) in kept {
        tell(done, total);
        // Every column that can be written, those too that no projection writes.
        let columns: String = sqlx::query_scalar(
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
             WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        )
        .bind(format!("{LIVE}.{name}"))
        .fetch_one(&mut *connection)
        .await?;
        let copy = format!(
            "INSERT INTO {}.{name} ({columns}) OVERRIDING SYSTEM VALUE
             SELECT {columns} FROM {LIVE}.{name} WHERE {which}",
            twin.schema
        );
        let copied = sqlx::raw_sql(AssertSqlSafe(copy)).execute(&mut *connection).await?;
        rows += usize::try_from(copied.rows_affected()).unwrap_or(0);
        done += size(name);
    }
    twin::run("COMMIT", connection).await?;
    tell(total, total);
    Ok((posted, rows))
}

/// How many events there are to fold, of these projections, up to a position.
pub(super) async fn events(
    scope: &Scope,
    up_to: i64,
    connection: &mut PgConnection,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT count(*) FROM journal.events
         WHERE position <= $1 AND ($2::text[] IS NULL OR substring(event_type FROM '^[^.]*\\.[^.]*') = ANY ($2))",
    )
    .bind(up_to)
    .bind(scope.kinds())
    .fetch_one(connection)
    .await
}

/// What was changed by hand in tables that are taken over as they are: their changes would be lost if
/// they came after the copy.
#[derive(Debug, Clone, Copy)]
pub(super) struct ByHand<'a> {
    scope: &'a Scope,
    changes: i64,
}

impl<'a> ByHand<'a> {
    /// As it is now, in the connection's snapshot.
    pub(super) async fn now(
        scope: &'a Scope,
        connection: &mut PgConnection,
    ) -> Result<Self, sqlx::Error> {
        let changes = sqlx::query_scalar(
            "SELECT count(*) FROM journal.drift WHERE $1 AND table_name <> ALL ($2)",
        )
        .bind(!scope.is_all())
        .bind(scope.tables())
        .fetch_one(connection)
        .await?;
        Ok(Self { scope, changes })
    }

    /// Refuses to go on if there are more by now.
    pub(super) async fn still_is(&self, connection: &mut PgConnection) -> Result<(), RebuildError> {
        if Self::now(self.scope, connection).await?.changes == self.changes {
            return Ok(());
        }
        Err(RebuildError::ChangedMeanwhile("a table that was not named".to_owned()))
    }
}

/// Refuses a set whose copied tables are not the live ones any more.
pub(super) fn is_as_copied(scope: &Scope, report: &Report) -> Result<(), RebuildError> {
    let other = report
        .tables
        .iter()
        .find(|table| table.different > 0 && table.table != AUDIT && !scope.reaches(table.table));
    match other {
        Some(table) => Err(RebuildError::ChangedMeanwhile(table.table.to_owned())),
        None => Ok(()),
    }
}
