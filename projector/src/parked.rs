//! Events that could not be posted, and lanes that wait: for people to see, and to try again.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use daybook_store::Recorded;
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;

use crate::catalog::{NAME, VERSION};
use crate::worker::lanes::{Lanes, Standing};

/// An event that could not be posted. Its lane stands still until it can.
#[derive(Debug, Clone, PartialEq, serde::Serialize, sqlx::FromRow)]
pub struct ParkedEvent {
    /// Its lane.
    pub lane: i16,
    /// Its place in the lane.
    pub lane_seq: i64,
    /// Its place in the log.
    pub position: i64,
    /// Its stream.
    pub stream_id: Uuid,
    /// Its full type.
    pub event_type: String,
    /// Why.
    pub error: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was parked.
    pub parked_at: DateTime<Utc>,
    /// When it was last tried.
    pub tried_at: DateTime<Utc>,
}

/// A lane whose next event waits for another lane's.
#[derive(Debug, Clone, PartialEq, serde::Serialize, sqlx::FromRow)]
pub struct WaitingLane {
    /// The lane.
    pub lane: i16,
    /// The place in the lane of the event that waits.
    pub lane_seq: i64,
    /// Its place in the log.
    pub position: i64,
    /// The lane that it waits for.
    pub for_lane: i16,
    /// The place in that lane that must be posted first.
    pub for_lane_seq: i64,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why that lane stands still, where it is parked.
    pub parked: Option<String>,
}

/// The parked events, by lane.
///
/// # Errors
/// When the server does not answer.
pub async fn parked(pool: &PgPool) -> Result<Vec<ParkedEvent>, sqlx::Error> {
    sqlx::query_as(
        "SELECT lane, lane_seq, position, stream_id, event_type, error, attempts, parked_at, tried_at
         FROM projector.parked WHERE name = $1 AND version = $2 ORDER BY lane",
    )
    .bind(NAME)
    .bind(VERSION)
    .fetch_all(pool)
    .await
}

/// The lanes that wait for others, by lane; what waits for a parked lane says so.
///
/// # Errors
/// When the server does not answer.
pub async fn waiting(pool: &PgPool) -> Result<Vec<WaitingLane>, sqlx::Error> {
    sqlx::query_as(
        "SELECT w.lane, w.lane_seq, w.position, w.for_lane, w.for_lane_seq, w.since, p.error AS parked
         FROM projector.waiting w
         LEFT JOIN projector.parked p
                ON (p.name, p.version, p.lane) = (w.name, w.version, w.for_lane)
         WHERE w.name = $1 AND w.version = $2 ORDER BY w.lane",
    )
    .bind(NAME)
    .bind(VERSION)
    .fetch_all(pool)
    .await
}

/// Asks for parked events to be tried again, of one lane or of all; gives how many there are. The
/// lane's owner does it within a second or two. (A new owner tries once by itself.)
///
/// # Errors
/// When the server does not answer, or the role may not (`daybook_projector` and
/// `daybook_maintenance` may).
pub async fn retry_parked(pool: &PgPool, lane: Option<i16>) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE projector.parked SET retry = true
         WHERE name = $1 AND version = $2 AND ($3::smallint IS NULL OR lane = $3)",
    )
    .bind(NAME)
    .bind(VERSION)
    .bind(lane)
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// Writes down that an event could not be posted.
pub(crate) async fn park(
    event: &Recorded,
    reason: &str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO projector.parked AS p
             (name, version, lane, lane_seq, position, stream_id, event_type, error)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (name, version, lane) DO UPDATE
         SET lane_seq = EXCLUDED.lane_seq, position = EXCLUDED.position,
             stream_id = EXCLUDED.stream_id, event_type = EXCLUDED.event_type,
             error = EXCLUDED.error, attempts = p.attempts + 1,
             tried_at = clock_timestamp(), retry = false",
    )
    .bind(NAME)
    .bind(VERSION)
    .bind(event.lane)
    .bind(event.lane_seq)
    .bind(event.position)
    .bind(event.stream_id)
    .bind(&event.event_type)
    .bind(reason)
    .execute(connection)
    .await?;
    Ok(())
}

/// What a lane's owner must know of its parked event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ParkedRow {
    /// The event's place in the lane.
    pub(crate) lane_seq: i64,
    /// Whether someone asks for another try.
    pub(crate) retry: bool,
}

/// The parked lanes.
pub(crate) async fn lanes(
    connection: &mut PgConnection,
) -> Result<BTreeMap<i16, ParkedRow>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT lane, lane_seq, retry FROM projector.parked WHERE name = $1 AND version = $2",
    )
    .bind(NAME)
    .bind(VERSION)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let parked = ParkedRow { lane_seq: row.try_get(1)?, retry: row.try_get(2)? };
            Ok((row.try_get(0)?, parked))
        })
        .collect()
}

/// Shows which lanes of this worker's wait, and for what.
pub(crate) async fn tell_waiting(
    lanes: &Lanes,
    own: &[i16],
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM projector.waiting WHERE name = $1 AND version = $2 AND lane = ANY ($3)",
    )
    .bind(NAME)
    .bind(VERSION)
    .bind(own)
    .execute(&mut *connection)
    .await?;
    for (number, lane) in &lanes.own {
        let (Standing::Waits(dependency), Some(event)) = (lane.standing, lane.pending.front())
        else {
            continue;
        };
        sqlx::query(
            "INSERT INTO projector.waiting
                 (name, version, lane, lane_seq, position, for_lane, for_lane_seq)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT DO NOTHING",
        )
        .bind(NAME)
        .bind(VERSION)
        .bind(number)
        .bind(event.lane_seq)
        .bind(event.position)
        .bind(dependency.lane)
        .bind(dependency.lane_seq)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
