//! Who owns which lane: by lease, shared fairly among the workers that are alive.

use std::collections::BTreeMap;

use sqlx::{PgConnection, Row};

use super::WorkerOptions;
use super::lanes::Checkpoint;
use crate::catalog::{NAME, VERSION};

/// Renews the lease, gives back lanes above this worker's share and takes free ones up to it.
/// Gives the lanes that it owns now, with their epochs. Never called while a batch is under way.
pub(crate) async fn balance(
    options: &WorkerOptions,
    connection: &mut PgConnection,
) -> Result<BTreeMap<i16, i64>, sqlx::Error> {
    let mut transaction = sqlx::Connection::begin(connection).await?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('daybook.projector.lanes', $1))")
        .bind(i64::from(VERSION))
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "INSERT INTO projector.workers (id, name, version, host, pid, lease_until)
         VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 millisecond')
         ON CONFLICT (id) DO UPDATE SET lease_until = EXCLUDED.lease_until",
    )
    .bind(options.id)
    .bind(NAME)
    .bind(VERSION)
    .bind(&options.host)
    .bind(i32::try_from(std::process::id()).unwrap_or_default())
    .bind(i64::try_from(options.lease.as_millis()).unwrap_or(i64::MAX))
    .execute(&mut *transaction)
    .await?;
    sqlx::query("DELETE FROM projector.workers WHERE lease_until < clock_timestamp()")
        .execute(&mut *transaction)
        .await?;
    sqlx::query(include_str!("../sql/balance_lanes.sql"))
        .bind(NAME)
        .bind(VERSION)
        .bind(options.id)
        .execute(&mut *transaction)
        .await?;
    let lanes = sqlx::query_as(
        "SELECT lane, epoch FROM projector.lanes WHERE name = $1 AND version = $2 AND owner = $3",
    )
    .bind(NAME)
    .bind(VERSION)
    .bind(options.id)
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(lanes.into_iter().collect())
}

/// Makes the rows of the lanes where they are missing.
pub(crate) async fn prepare(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO projector.lanes (name, version, lane)
         SELECT $1, $2, lane FROM generate_series(0, 63) AS lane
         ON CONFLICT DO NOTHING",
    )
    .bind(NAME)
    .bind(VERSION)
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives everything back, so that others need not wait for the lease to end.
pub(crate) async fn release(
    options: &WorkerOptions,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH gone AS (DELETE FROM projector.workers WHERE id = $1)
         UPDATE projector.lanes SET owner = NULL, epoch = epoch + 1, since = clock_timestamp()
         WHERE owner = $1",
    )
    .bind(options.id)
    .execute(connection)
    .await?;
    Ok(())
}

/// The checkpoints of all lanes.
pub(crate) async fn checkpoints(
    connection: &mut PgConnection,
) -> Result<BTreeMap<i16, Checkpoint>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT lane, lane_seq, position FROM projector.checkpoints WHERE name = $1 AND version = $2",
    )
    .bind(NAME)
    .bind(VERSION)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let posted = Checkpoint { lane_seq: row.try_get(1)?, position: row.try_get(2)? };
            Ok((row.try_get(0)?, posted))
        })
        .collect()
}

/// Forgets all but the newest checkpoints of these lanes: only the newest is ever asked for.
pub(crate) async fn prune(lanes: &[i16], connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM projector.moves m
         USING projector.checkpoints c
         WHERE c.name = $1 AND c.version = $2 AND c.lane = ANY ($3)
           AND (m.name, m.version, m.lane) = (c.name, c.version, c.lane) AND m.lane_seq < c.lane_seq",
    )
    .bind(NAME)
    .bind(VERSION)
    .bind(lanes)
    .execute(connection)
    .await?;
    Ok(())
}
