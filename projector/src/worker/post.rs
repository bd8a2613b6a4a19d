//! One batch: load, fold, and one transaction that writes rows, audit rows and checkpoints.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

use super::PostError;
use super::batch::{Batch, Move};
use crate::catalog::{Month, NAME, Rows, Tables, VERSION, month_of};
use crate::platform::audit_log::AuditLogRow;
use crate::table::LIVE;
use crate::together;
use crate::write;

/// Writes batches to the live tables.
#[derive(Debug)]
pub(crate) struct Poster {
    tables: Tables,
    owner: Uuid,
    /// Months whose partitions are known to be there.
    months: HashSet<Month>,
}

/// What a batch has become, before it is written.
struct Folded {
    rows: Rows,
    audit: Vec<AuditLogRow>,
}

/// Settings of a connection that posts: plans that use indexes however small the tables were when
/// they were made; a worker that is stopped between two statements does not keep its lanes locked.
/// Commits need not be durable one by one: rows and checkpoint are lost together in a crash of the
/// server, and posted again.
pub(crate) const SETTINGS: &str = "SET synchronous_commit = off; SET enable_seqscan = off; \
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off; SET jit = off; \
    SET plan_cache_mode = force_generic_plan; SET idle_in_transaction_session_timeout = '3s'";

impl Poster {
    pub(crate) fn new(owner: Uuid) -> Self {
        Self { tables: Tables::of(LIVE), owner, months: HashSet::new() }
    }

    /// Posts a batch. On any error nothing of it is written. Gives the number of rows written.
    pub(crate) async fn post(
        &mut self,
        batch: &Batch,
        epochs: &BTreeMap<i16, i64>,
        unparked: &[i16],
        connection: &mut PgConnection,
        pool: &PgPool,
    ) -> Result<usize, PostError> {
        // Loading before the transaction is safe: only the owner of a lane writes its rows, and
        // the first statement below fails if another one has moved a checkpoint meanwhile.
        let folded = self.fold(batch, connection).await?;
        self.make_partitions(&folded, pool).await?;
        let mut transaction = connection.begin().await?;
        if !move_checkpoints(&batch.moves(), epochs, self.owner, &mut transaction).await? {
            transaction.rollback().await?;
            return Err(PostError::Fenced);
        }
        let written = self.write(&folded, &mut transaction).await.map_err(PostError::sort)?;
        if !unparked.is_empty() {
            unpark(unparked, &mut transaction).await?;
        }
        transaction.commit().await.map_err(PostError::sort)?;
        Ok(written)
    }

    async fn fold(
        &self,
        batch: &Batch,
        connection: &mut PgConnection,
    ) -> Result<Folded, PostError> {
        let (events, touched) = together::read(&batch.events).map_err(PostError::event)?;
        let mut rows = Rows::default();
        rows.load(touched, &self.tables, connection).await.map_err(PostError::sort)?;
        let mut audit = Vec::with_capacity(events.len() * 2);
        together::project(&events, &batch.events, &mut rows, &mut audit)
            .map_err(PostError::event)?;
        Ok(Folded { rows, audit })
    }

    async fn write(
        &self,
        folded: &Folded,
        connection: &mut PgConnection,
    ) -> Result<usize, sqlx::Error> {
        let rows = folded.rows.write(&self.tables, connection).await?;
        let audit: Vec<&AuditLogRow> = folded.audit.iter().collect();
        Ok(rows + write::insert(&self.tables.audit_logs, &audit, connection).await?)
    }

    /// Makes the partitions that the rows need and that are not there yet, outside the batch's
    /// transaction, so that it never waits for one while it holds rows.
    async fn make_partitions(&mut self, folded: &Folded, pool: &PgPool) -> Result<(), PostError> {
        let mut months = BTreeSet::new();
        folded.rows.months(&mut months);
        months.extend(folded.audit.iter().map(|row| month_of::<AuditLogRow>(row.created_at)));
        months.retain(|month| !self.months.contains(month));
        for (table, month) in months {
            make_partition((table, month), pool).await.map_err(PostError::sort)?;
            self.months.insert((table, month));
        }
        Ok(())
    }
}

/// Makes one month's partition of a table if it is not there.
pub(crate) async fn make_partition<'e>(
    (table, month): Month,
    executor: impl sqlx::PgExecutor<'e>,
) -> Result<(), sqlx::Error> {
    let first = month.and_time(chrono::NaiveTime::MIN).and_utc();
    sqlx::query("SELECT projector.make_partitions($1, $2, $2)")
        .bind(table)
        .bind(first)
        .execute(executor)
        .await?;
    Ok(())
}

/// Checkpoint, duplicate filter and fence in one statement. False: the batch is not this worker's.
async fn move_checkpoints(
    moves: &[Move],
    epochs: &BTreeMap<i16, i64>,
    owner: Uuid,
    connection: &mut PgConnection,
) -> Result<bool, sqlx::Error> {
    let epochs: Vec<i64> =
        moves.iter().map(|moved| epochs.get(&moved.lane).copied().unwrap_or(-1)).collect();
    let moved = sqlx::query(include_str!("../sql/move_checkpoints.sql"))
        .bind(NAME)
        .bind(VERSION)
        .bind(moves.iter().map(|moved| moved.lane).collect::<Vec<_>>())
        .bind(epochs)
        .bind(moves.iter().map(|moved| moved.from_seq).collect::<Vec<_>>())
        .bind(moves.iter().map(|moved| moved.lane_seq).collect::<Vec<_>>())
        .bind(moves.iter().map(|moved| moved.position).collect::<Vec<_>>())
        .bind(owner)
        .execute(connection)
        .await;
    match moved {
        Ok(done) => Ok(usize::try_from(done.rows_affected()) == Ok(moves.len())),
        // Another worker moved the same lane from the same place.
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
        Err(error) => Err(error),
    }
}

async fn unpark(lanes: &[i16], connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM projector.parked WHERE name = $1 AND version = $2 AND lane = ANY ($3)",
    )
    .bind(NAME)
    .bind(VERSION)
    .bind(lanes)
    .execute(connection)
    .await?;
    Ok(())
}
