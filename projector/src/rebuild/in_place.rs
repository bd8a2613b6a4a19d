//! Empties the live tables and fills them from the log, in one transaction.
//!
//! Until it commits, readers wait: none sees a table half filled. Should it fail, or be killed,
//! everything is as it was. Workers are fenced first: their batches fail, and they go on from the
//! new checkpoints.

use daybook_store::Log;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::fill::{Fill, Partitions};
use super::{Memory, OnProgress, RebuildError, drift, indexes, policies};
use crate::catalog::{NAME, TABLES, Tables, VERSION};
use crate::table::LIVE;

/// What a rebuild has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Rebuilt {
    /// Up to which position.
    pub position: i64,
    /// How many rows it wrote.
    pub rows: usize,
}

/// Makes the read tables again from the log. `connection` works as their owner
/// (`daybook_migrator`).
///
/// # Errors
/// See [`RebuildError`]; an event that cannot be posted fails it, and nothing has changed.
pub async fn in_place(
    connection: &mut PgConnection,
    log: &Log,
    memory: Memory,
    progress: OnProgress<'_>,
) -> Result<Rebuilt, RebuildError> {
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql("SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL statement_timeout = 0")
        .execute(&mut *transaction)
        .await?;
    fence(&mut transaction).await?;
    let up_to = log.head().await?.position;
    let taken = indexes::take_away(&mut transaction).await?;
    let names: Vec<String> = TABLES.iter().map(|table| format!("{LIVE}.{}", table.name)).collect();
    let empty = format!("TRUNCATE {}", names.join(", "));
    sqlx::raw_sql(AssertSqlSafe(empty)).execute(&mut *transaction).await?;
    let freed = policies::free_owner(&mut transaction).await?;
    let tables = Tables::of(LIVE);
    let filled = Fill::new(&tables, &mut transaction, Some(Partitions::default()), memory)
        .run(log, up_to, |_| true, progress)
        .await?;
    drift::put_back(LIVE, &mut transaction).await?;
    taken.put_back(&mut transaction).await?;
    freed.bind_again(&mut transaction).await?;
    let analyze = format!("ANALYZE {}", names.join(", "));
    sqlx::raw_sql(AssertSqlSafe(analyze)).execute(&mut *transaction).await?;
    for (lane, reached) in &filled.reached {
        sqlx::query(
            "INSERT INTO projector.moves (name, version, lane, from_seq, lane_seq, position, epoch)
             SELECT name, version, lane, 0, $4, $5, epoch FROM projector.lanes
             WHERE name = $1 AND version = $2 AND lane = $3",
        )
        .bind(NAME)
        .bind(VERSION)
        .bind(lane)
        .bind(reached.lane_seq)
        .bind(reached.position)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(Rebuilt { position: up_to, rows: filled.rows })
}

/// Takes every lane from its owner, waiting for batches under way, and forgets how far they were.
async fn fence(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    crate::worker::ownership::prepare(connection).await?;
    sqlx::query(
        "UPDATE projector.lanes SET owner = NULL, epoch = epoch + 1, since = clock_timestamp()
         WHERE name = $1 AND version = $2",
    )
    .bind(NAME)
    .bind(VERSION)
    .execute(&mut *connection)
    .await?;
    for forget in [
        "DELETE FROM projector.moves WHERE name = $1 AND version = $2",
        "DELETE FROM projector.parked WHERE name = $1 AND version = $2",
        "DELETE FROM projector.waiting WHERE name = $1 AND version = $2",
    ] {
        sqlx::query(forget).bind(NAME).bind(VERSION).execute(&mut *connection).await?;
    }
    Ok(())
}
