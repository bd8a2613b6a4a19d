//! Which relay publishes a topic: a lease in the database, so that others wait and do not fence each
//! other in turns. Correctness does not rest on it: Kafka itself fences a relay that was replaced.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::Row;
use uuid::Uuid;

/// For how long a relay that says nothing more keeps its place.
const LASTS: Duration = Duration::from_secs(6);
/// How often it is renewed.
pub(super) const RENEWED_EVERY: Duration = Duration::from_secs(1);

/// The right to publish a topic.
#[derive(Debug, Clone)]
pub(super) struct Lease {
    pool: PgPool,
    topic: String,
    holder: Uuid,
    /// Grows each time that another relay takes it.
    turn: i64,
}

/// How far a topic was when somebody last said.
#[derive(Debug, Clone)]
pub(super) struct Said {
    /// All up to here was in the topic.
    pub(super) position: i64,
    /// The last place of each lane that was.
    pub(super) lane_seqs: Vec<i64>,
}

impl Said {
    /// What was last said of a topic; nothing is everywhere 0.
    pub(super) async fn of(pool: &PgPool, topic: &str) -> Result<Self, sqlx::Error> {
        let said: Option<(i64, Vec<i64>)> =
            sqlx::query_as("SELECT position, lane_seqs FROM journal.relays WHERE topic = $1")
                .bind(topic)
                .fetch_optional(pool)
                .await?;
        let (position, lane_seqs) = said.unwrap_or_default();
        Ok(Self { position, lane_seqs })
    }
}

impl Lease {
    /// Takes the lease if it is free; `None`: another relay has it.
    pub(super) async fn take(
        pool: &PgPool,
        topic: &str,
        holder: Uuid,
        host: &str,
    ) -> Result<Option<(Self, Said)>, sqlx::Error> {
        sqlx::query("INSERT INTO journal.relays (topic) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(topic)
            .execute(pool)
            .await?;
        let taken = sqlx::query(
            "UPDATE journal.relays
             SET holder = $2, host = $3, pid = $4, turn = turn + 1,
                 lease_until = clock_timestamp() + $5 * interval '1 millisecond'
             WHERE topic = $1 AND (holder IS NULL OR holder = $2 OR lease_until < clock_timestamp())
             RETURNING turn, position, lane_seqs",
        )
        .bind(topic)
        .bind(holder)
        .bind(host)
        .bind(i32::try_from(std::process::id()).unwrap_or_default())
        .bind(lasts())
        .fetch_optional(pool)
        .await?;
        let Some(row) = taken else { return Ok(None) };
        let lease =
            Self { pool: pool.clone(), topic: topic.to_owned(), holder, turn: row.try_get(0)? };
        Ok(Some((lease, Said { position: row.try_get(1)?, lane_seqs: row.try_get(2)? })))
    }

    /// Renews it and says how far the topic is; gives the log's epoch. `None`: it is lost.
    pub(super) async fn renew(
        &self,
        position: i64,
        lane_seqs: &[i64],
    ) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar(
            "UPDATE journal.relays
             SET lease_until = clock_timestamp() + $4 * interval '1 millisecond',
                 position = $5, lane_seqs = $6, said_at = clock_timestamp()
             WHERE topic = $1 AND holder = $2 AND turn = $3
             RETURNING (SELECT epoch FROM journal.log)",
        )
        .bind(&self.topic)
        .bind(self.holder)
        .bind(self.turn)
        .bind(lasts())
        .bind(position)
        .bind(lane_seqs)
        .fetch_optional(&self.pool)
        .await
    }

    /// Renews it without a word on the topic. `false`: it is lost.
    pub(super) async fn keep(&self) -> Result<bool, sqlx::Error> {
        let kept = sqlx::query(
            "UPDATE journal.relays SET lease_until = clock_timestamp() + $4 * interval '1 millisecond'
             WHERE topic = $1 AND holder = $2 AND turn = $3",
        )
        .bind(&self.topic)
        .bind(self.holder)
        .bind(self.turn)
        .bind(lasts())
        .execute(&self.pool)
        .await?;
        Ok(kept.rows_affected() == 1)
    }

    /// Gives it back, so that others need not wait until it ends.
    pub(super) async fn release(&self) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE journal.relays SET holder = NULL, lease_until = '-infinity'
             WHERE topic = $1 AND holder = $2 AND turn = $3",
        )
        .bind(&self.topic)
        .bind(self.holder)
        .bind(self.turn)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

fn lasts() -> i64 {
    i64::try_from(LASTS.as_millis()).unwrap_or(i64::MAX)
}
