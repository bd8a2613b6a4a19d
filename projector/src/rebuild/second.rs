//! The log folded a second time into temporary tables, each lane to where it is posted, under the one
//! snapshot in which the live tables are seen too.

use daybook_store::{Log, Recorded, Share};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};

use super::compare::joined;
use super::fill::{Fill, Filling, Pace};
use super::reached::{complete, has};
use super::{Memory, RebuildError, Scope, drift, part};
use crate::catalog::{TABLES, TableInfo, Tables};
use crate::table::{LIVE, SCRATCH};
use crate::worker::ownership;

/// The temporary tables, filled, for as long as the transaction is not rolled back.
pub(super) struct Second {
    /// Sees the live tables and these at the same instant.
    pub(super) transaction: Transaction<'static, Postgres>,
    /// The last position that is posted, in the lane that is furthest.
    pub(super) position: i64,
    /// The events that were folded.
    pub(super) events: u64,
}

impl Second {
    /// Of the projections in `scope`. `progress` is told the events folded and all of them.
    pub(super) async fn fold(
        pool: &PgPool,
        (log, scope): (&Log, &Scope),
        memory: Memory,
        progress: impl Fn(i64, i64) + Send + Sync,
    ) -> Result<Self, RebuildError> {
        let mut transaction = pool
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL work_mem = '64MB'")
            .await?;
        let posted = ownership::checkpoints(&mut transaction).await?;
        for table in TABLES {
            make_scratch(table, &mut transaction).await?;
        }
        let position = posted.values().map(|checkpoint| checkpoint.position).max().unwrap_or(0);
        let wanted = |event: &Recorded| has(&posted, event);
        let tables = Tables::of(SCRATCH);
        let filling = Filling { memory, kinds: scope.kinds(), ..Filling::default() };
        let total = part::events(scope, position, &mut transaction).await?;
        let tell = |done| progress(done, total);
        let filled = Fill::new(&tables, &mut transaction, filling)
            .run(log, (position, Share::ALL), wanted, &Pace::new(None), tell)
            .await?;
        if scope.is_all() {
            complete(&filled.reached, &posted)?;
        }
        drift::put_back(SCRATCH, &mut transaction).await?;
        // A lane's numbers are dense, from 1.
        let events = posted.values().map(|lane| lane.lane_seq.unsigned_abs()).sum();
        Ok(Self { transaction, position, events })
    }
}

/// The columns that projections write, without constraints, with an index on the key where rows may
/// have to be found again.
async fn make_scratch(table: &TableInfo, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
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
