//! Who owns which lane: shared fairly by lease among the workers that are alive, or as Kafka's
//! consumer group gives them out. Which of the two is a fact in the database.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use sqlx::{PgConnection, PgPool, Row};

use super::WorkerOptions;
use super::lanes::Checkpoint;
use crate::catalog::{NAME, VERSION};

/// What gives out the lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// A lease in the database, shared fairly.
    Lease,
    /// Kafka's consumer group.
    Kafka,
}

impl Ownership {
    const fn name(self) -> &'static str {
        match self {
            Self::Lease => "lease",
            Self::Kafka => "kafka",
        }
    }
}

impl fmt::Display for Ownership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Ownership {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Lease, Self::Kafka]
            .into_iter()
            .find(|mode| mode.name() == text)
            .ok_or_else(|| format!("{text:?} is neither lease nor kafka"))
    }
}

/// What this database says.
///
/// # Errors
/// When the server does not answer.
pub async fn ownership(pool: &PgPool) -> Result<Ownership, sqlx::Error> {
    said(&mut *pool.acquire().await?).await
}

/// Says it anew. From the moment that this is committed no worker of the other kind posts anything:
/// every lane has changed hands. Gives what was said before.
///
/// # Errors
/// When the server does not answer.
pub async fn switch_ownership(pool: &PgPool, to: Ownership) -> Result<Ownership, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    lock(&mut transaction).await?;
    let before = said(&mut transaction).await?;
    sqlx::query(
        "UPDATE projector.ownership SET mode = $1, decided = true, updated_at = clock_timestamp()",
    )
    .bind(to.name())
    .execute(&mut *transaction)
    .await?;
    if before != to {
        sqlx::query(
            "UPDATE projector.lanes SET owner = NULL, epoch = epoch + 1, since = clock_timestamp()",
        )
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(before)
}

pub(crate) async fn said(connection: &mut PgConnection) -> Result<Ownership, sqlx::Error> {
    let mode: String =
        sqlx::query_scalar("SELECT mode FROM projector.ownership").fetch_one(connection).await?;
    mode.parse().map_err(|error: String| sqlx::Error::Decode(error.into()))
}

/// Taken by everyone who changes owners.
async fn lock(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('daybook.projector.lanes', $1))")
        .bind(i64::from(VERSION))
        .execute(connection)
        .await?;
    Ok(())
}

/// What gives out the lanes here. A database where nobody has said it yet takes what this worker is
/// configured for.
pub(crate) async fn decide(
    configured: Ownership,
    connection: &mut PgConnection,
) -> Result<Ownership, sqlx::Error> {
    let decided = sqlx::query(
        "UPDATE projector.ownership SET mode = $1, decided = true, updated_at = clock_timestamp()
         WHERE NOT decided",
    )
    .bind(configured.name())
    .execute(&mut *connection)
    .await?;
    if decided.rows_affected() > 0 {
        tracing::info!(mode = %configured, "this database gives out lanes so from now on");
    }
    said(connection).await
}

/// How a worker comes by its lanes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Turn<'a> {
    /// A fair share.
    Lease,
    /// These, of which some were given to it just now.
    Kafka { assigned: &'a [i16], fresh: &'a [i16] },
}

impl Turn<'_> {
    const fn mode(self) -> Ownership {
        match self {
            Self::Lease => Ownership::Lease,
            Self::Kafka { .. } => Ownership::Kafka,
        }
    }
}

/// What a worker owns.
#[derive(Debug)]
pub(crate) struct Owned {
    /// What gives out the lanes; where it is another than the worker thought, it owns none.
    pub(crate) mode: Ownership,
    /// The lanes, with their epochs.
    pub(crate) lanes: BTreeMap<i16, i64>,
    /// Those that Kafka has given just now, and nothing of which it has brought yet.
    pub(crate) fresh: Vec<i16>,
}

impl Owned {
    pub(crate) const fn nothing(mode: Ownership) -> Self {
        Self { mode, lanes: BTreeMap::new(), fresh: Vec::new() }
    }
}

/// Renews the lease, gives back lanes that are not this worker's and takes those that are. Never
/// called while a batch is under way.
pub(crate) async fn balance(
    options: &WorkerOptions,
    turn: Turn<'_>,
    connection: &mut PgConnection,
) -> Result<Owned, sqlx::Error> {
    let mut transaction = sqlx::Connection::begin(connection).await?;
    lock(&mut transaction).await?;
    let mode = said(&mut transaction).await?;
    if mode != turn.mode() {
        transaction.rollback().await?;
        release(options, connection).await?;
        return Ok(Owned::nothing(mode));
    }
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
    let statement = match turn {
        Turn::Lease => sqlx::query(include_str!("../sql/balance_lanes.sql"))
            .bind(NAME)
            .bind(VERSION)
            .bind(options.id),
        Turn::Kafka { assigned, fresh } => {
            sqlx::query(include_str!("../sql/take_assigned_lanes.sql"))
                .bind(NAME)
                .bind(VERSION)
                .bind(options.id)
                .bind(assigned)
                .bind(fresh)
        }
    };
    statement.execute(&mut *transaction).await?;
    let lanes: Vec<(i16, i64)> = sqlx::query_as(
        "SELECT lane, epoch FROM projector.lanes WHERE name = $1 AND version = $2 AND owner = $3",
    )
    .bind(NAME)
    .bind(VERSION)
    .bind(options.id)
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let fresh = match turn {
        Turn::Lease => Vec::new(),
        Turn::Kafka { fresh, .. } => fresh.to_vec(),
    };
    Ok(Owned { mode, lanes: lanes.into_iter().collect(), fresh })
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

/// How many checkpoints are forgotten at once, at most: posting waits meanwhile.
const PRUNED: i64 = 20_000;

/// Forgets superseded checkpoints of these lanes: only the newest of each is ever asked for.
pub(crate) async fn prune(lanes: &[i16], connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    // The newest of each lane first and by themselves, and then by the key, whatever the planner knows of
    // a table that changes so fast: else it may look for the newest once for each row that goes.
    sqlx::query(
        "WITH newest AS MATERIALIZED (
             SELECT l.lane, m.from_seq FROM unnest($3::smallint[]) AS l (lane)
             CROSS JOIN LATERAL (
                 SELECT t.from_seq FROM projector.moves t
                 WHERE t.name = $1 AND t.version = $2 AND t.lane = l.lane
                 ORDER BY t.from_seq DESC LIMIT 1) m)
         DELETE FROM projector.moves WHERE ctid = ANY (ARRAY(
             SELECT m.ctid FROM newest JOIN projector.moves m
             ON m.name = $1 AND m.version = $2 AND m.lane = newest.lane AND m.from_seq < newest.from_seq
             LIMIT $4))",
    )
    .bind(NAME)
    .bind(VERSION)
    .bind(lanes)
    .bind(PRUNED)
    .execute(connection)
    .await?;
    Ok(())
}
