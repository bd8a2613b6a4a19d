//! Reading the log: by stream, by position in pages, by COPY, at an instant, and as it grows.
//!
//! A reader that has seen position n has seen everything up to n: there are no gaps to wait for.

mod binary;
mod claims;
mod command;
mod copy;
mod facts;
mod filter;
mod follow;
mod history;
mod holders;
mod instant;
mod kept;
mod page;
mod row;
mod touched;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt, TryStreamExt};
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use uuid::Uuid;

pub use self::command::Answered;
pub use self::copy::Share;
pub use self::facts::{Fact, Facts};
pub use self::filter::Filter;
pub use self::follow::Follow;
pub use self::history::Piece;
use self::kept::Kept;
pub use self::page::Page;
use crate::error::ReadError;
use crate::recorded::Recorded;

/// A way to read the log; any pool will do whose role may select from `journal`, a replica's too.
#[derive(Debug, Clone)]
pub struct Log {
    pool: PgPool,
    kept: Arc<Kept>,
}

/// How far the log has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The last position; 0 before the first.
    pub position: i64,
    /// The log's last moment; `None` before the first event.
    pub recorded_at: Option<DateTime<Utc>>,
    /// Which life of the log this is: moves when a failover may have lost its last moments.
    pub epoch: i64,
    /// The last place in each of the 64 lanes.
    pub lane_heads: Vec<i64>,
}

/// What the log knows of a stream besides its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamHead {
    /// `context.aggregate`.
    pub kind: String,
    /// Its lane.
    pub lane: i16,
    /// Its last version.
    pub version: i64,
    /// When its first event was recorded.
    pub first_at: DateTime<Utc>,
    /// When its last event was recorded.
    pub last_at: DateTime<Utc>,
    /// Since when it is closed, if it is.
    pub closed_at: Option<DateTime<Utc>>,
}

/// A stream by what it is and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The stream.
    pub stream_id: Uuid,
    /// `context.aggregate`.
    pub kind: String,
    /// Its last version.
    pub version: i64,
}

fn known(row: &PgRow) -> Result<Known, sqlx::Error> {
    Ok(Known { stream_id: row.try_get(0)?, kind: row.try_get(1)?, version: row.try_get(2)? })
}

/// A stream's folded state at a version.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The version.
    pub version: i64,
    /// The state, as it was saved.
    pub state: Box<RawValue>,
}

impl Log {
    /// Reads through this pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { kept: Arc::new(Kept::like(pool.clone())), pool }
    }

    /// The pool that it reads through.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How far the log has come, as this server sees it.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn head(&self) -> Result<Head, ReadError> {
        let row = sqlx::query(include_str!("head.sql")).fetch_one(&self.pool).await?;
        Ok(Head {
            position: row.try_get(0)?,
            recorded_at: row.try_get(1)?,
            lane_heads: row.try_get(2)?,
            epoch: row.try_get(3)?,
        })
    }

    /// Which database this log is in; the same on a primary and on its replicas.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn whereabouts(&self) -> Result<String, ReadError> {
        let database = sqlx::query_scalar(
            "SELECT concat(system_identifier, '/', d.oid) FROM pg_control_system(), pg_database d
             WHERE d.datname = current_database()",
        );
        Ok(database.fetch_one(&self.pool).await?)
    }

    /// A stream's events with versions above `after_version`, up to and including
    /// `up_to_version`, oldest first.
    ///
    /// # Errors
    /// When the server does not answer, or an event cannot be understood.
    pub async fn stream(
        &self,
        stream: Uuid,
        after_version: i64,
        up_to_version: Option<i64>,
    ) -> Result<Vec<Recorded>, ReadError> {
        self.stream_to(stream, after_version, (up_to_version.unwrap_or(i64::MAX), i64::MAX)).await
    }

    /// The same, up to a version and a position, whichever comes first.
    ///
    /// # Errors
    /// When the server does not answer, or an event cannot be understood.
    pub async fn stream_to(
        &self,
        stream: Uuid,
        after_version: i64,
        (version, position): (i64, i64),
    ) -> Result<Vec<Recorded>, ReadError> {
        self.each_of_stream(stream, after_version, (version, position)).try_collect().await
    }

    /// The same, each as it comes: the server goes on while one is looked at.
    pub fn each_of_stream(
        &self,
        stream: Uuid,
        after_version: i64,
        (version, position): (i64, i64),
    ) -> impl Stream<Item = Result<Recorded, ReadError>> + Send {
        let rows = sqlx::query(include_str!("stream.sql"))
            .bind(stream)
            .bind(after_version)
            .bind(version)
            .bind(position)
            .fetch(&self.pool);
        rows.map(|row| row::recorded(&row?))
    }

    /// The events at these positions, in order; those that the log does not have are absent.
    ///
    /// # Errors
    /// When the server does not answer, or an event cannot be understood.
    pub async fn at(&self, positions: &[i64]) -> Result<Vec<Recorded>, ReadError> {
        let rows =
            sqlx::query(include_str!("at.sql")).bind(positions).fetch_all(&self.pool).await?;
        rows.iter().map(row::recorded).collect()
    }

    /// A stream's events as a state is folded from them: the same ones, without all that only
    /// readers of history want.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn facts(
        &self,
        stream: Uuid,
        after_version: i64,
        up_to_version: i64,
    ) -> Result<Facts, ReadError> {
        let mut lent = self.kept.lend().await?;
        let rows = sqlx::query(include_str!("facts.sql"))
            .bind(stream)
            .bind(after_version)
            .bind(up_to_version)
            .fetch_all(&mut lent.connection)
            .await?;
        lent.done();
        Ok(Facts::new(rows))
    }

    /// The streams that hold this one, at most `limit` of them.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn holders(&self, target: Uuid, limit: i64) -> Result<Vec<Uuid>, ReadError> {
        let holders = sqlx::query_scalar(
            "SELECT holder FROM journal.holds
             WHERE target = $1 AND (expires_at IS NULL OR expires_at > journal.clock())
             ORDER BY holder LIMIT $2",
        )
        .bind(target)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(holders)
    }

    /// The same with what each of them is and its version, as they are at one moment: for
    /// decisions about many streams at once that need no more of them.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn holders_known(&self, target: Uuid, limit: i64) -> Result<Vec<Known>, ReadError> {
        let rows = sqlx::query(
            "SELECT s.stream_id, s.kind, s.version
             FROM journal.holds h CROSS JOIN LATERAL (
                 SELECT t.stream_id, t.kind, t.version FROM journal.streams t
                 WHERE t.stream_id = h.holder ORDER BY t.version DESC LIMIT 1) s
             WHERE h.target = $1 AND (h.expires_at IS NULL OR h.expires_at > journal.clock())
             ORDER BY h.holder LIMIT $2",
        )
        .bind(target)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(known).collect::<Result<_, _>>()?)
    }

    /// What each of these streams is and its version, in the order of their ids; those that have
    /// no events are absent.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn streams_known(&self, streams: &[Uuid]) -> Result<Vec<Known>, ReadError> {
        let rows = sqlx::query(
            "SELECT s.stream_id, s.kind, s.version
             FROM (SELECT DISTINCT asked.id FROM unnest($1::uuid[]) AS asked (id)) asked
             CROSS JOIN LATERAL (
                 SELECT t.stream_id, t.kind, t.version FROM journal.streams t
                 WHERE t.stream_id = asked.id ORDER BY t.version DESC LIMIT 1) s
             ORDER BY s.stream_id",
        )
        .bind(streams)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(known).collect::<Result<_, _>>()?)
    }

    /// What the log knows of a stream; `None` if it has no events.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn stream_head(&self, stream: Uuid) -> Result<Option<StreamHead>, ReadError> {
        let mut lent = self.kept.lend().await?;
        let row = sqlx::query(
            "SELECT kind, lane, version, first_at, last_at, closed_at
             FROM journal.streams WHERE stream_id = $1 ORDER BY version DESC LIMIT 1",
        )
        .bind(stream)
        .fetch_optional(&mut lent.connection)
        .await?;
        lent.done();
        let head = |row: &PgRow| {
            Ok::<_, sqlx::Error>(StreamHead {
                kind: row.try_get(0)?,
                lane: row.try_get(1)?,
                version: row.try_get(2)?,
                first_at: row.try_get(3)?,
                last_at: row.try_get(4)?,
                closed_at: row.try_get(5)?,
            })
        };
        Ok(row.as_ref().map(head).transpose()?)
    }

    /// A stream's saved state, if there is one of this shape.
    ///
    /// # Errors
    /// When the server does not answer, or the state cannot be understood.
    pub async fn load_snapshot(
        &self,
        stream: Uuid,
        shape: &str,
    ) -> Result<Option<Snapshot>, ReadError> {
        let found: Option<(i64, String)> = sqlx::query_as(
            "SELECT version, state::text FROM journal.snapshots WHERE stream_id = $1 AND shape = $2",
        )
        .bind(stream)
        .bind(shape)
        .fetch_optional(&self.pool)
        .await?;
        found
            .map(|(version, state)| {
                let state = RawValue::from_string(state).map_err(|error| ReadError::Corrupt {
                    place: format!("the snapshot of stream {stream}"),
                    reason: error.to_string(),
                })?;
                Ok(Snapshot { version, state })
            })
            .transpose()
    }

    /// Follows the head, asking for it every so often. Absent on purpose: NOTIFY, which takes a
    /// lock of the whole server at commit.
    #[must_use]
    pub fn follow(&self, every: Duration) -> Follow {
        Follow::start(self.clone(), every)
    }
}
