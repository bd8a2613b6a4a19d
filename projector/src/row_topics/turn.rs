//! Who publishes rows, and how far each topic is: in PostgreSQL, moved after publishing.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::PgPool;
use uuid::Uuid;

/// For how long a publisher that says nothing more keeps its turn.
const LASTS: Duration = Duration::from_secs(6);

/// The right to publish rows.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pool: PgPool,
    prefix: String,
    holder: Uuid,
    turn: i64,
}

impl Turn {
    /// Takes it if it is free; `None`: another process has it.
    pub(super) async fn take(
        pool: &PgPool,
        prefix: &str,
        holder: Uuid,
    ) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query(
            "INSERT INTO projector.row_publishers (prefix) VALUES ($1) ON CONFLICT DO NOTHING",
        )
        .bind(prefix)
        .execute(pool)
        .await?;
        let turn: Option<i64> = sqlx::query_scalar(
            "UPDATE projector.row_publishers
             SET holder = $2, turn = turn + 1,
                 lease_until = clock_timestamp() + $3 * interval '1 millisecond'
             WHERE prefix = $1 AND (holder IS NULL OR lease_until < clock_timestamp())
             RETURNING turn",
        )
        .bind(prefix)
        .bind(holder)
        .bind(lasts())
        .fetch_optional(pool)
        .await?;
        let of = |turn| Self { pool: pool.clone(), prefix: prefix.to_owned(), holder, turn };
        Ok(turn.map(of))
    }

    /// Keeps it. `false`: it is lost.
    pub(super) async fn keep(&self) -> Result<bool, sqlx::Error> {
        let kept = sqlx::query(
            "UPDATE projector.row_publishers
             SET lease_until = clock_timestamp() + $4 * interval '1 millisecond'
             WHERE prefix = $1 AND holder = $2 AND turn = $3",
        )
        .bind(&self.prefix)
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
            "UPDATE projector.row_publishers SET holder = NULL, lease_until = '-infinity'
             WHERE prefix = $1 AND holder = $2 AND turn = $3",
        )
        .bind(&self.prefix)
        .bind(self.holder)
        .bind(self.turn)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// How far the topic of each table is; one that nobody has said anything of is at the beginning.
    pub(super) async fn positions(
        &self,
        topics: &BTreeMap<&'static str, String>,
    ) -> Result<BTreeMap<&'static str, i64>, sqlx::Error> {
        let known: Vec<(String, i64)> = sqlx::query_as(
            "SELECT topic, position FROM projector.row_topics WHERE topic = ANY ($1)",
        )
        .bind(topics.values().collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        let known: BTreeMap<String, i64> = known.into_iter().collect();
        let mut positions = BTreeMap::new();
        for (table, topic) in topics {
            if !known.contains_key(topic) {
                sqlx::query(
                    "INSERT INTO projector.row_topics (topic, table_name) VALUES ($1, $2)
                     ON CONFLICT DO NOTHING",
                )
                .bind(topic)
                .bind(*table)
                .execute(&self.pool)
                .await?;
            }
            positions.insert(*table, known.get(topic).copied().unwrap_or(0));
        }
        Ok(positions)
    }

    /// Moves these topics from one position to the next. `false`: the turn is lost, or somebody has
    /// asked for a topic to be published again from the beginning.
    pub(super) async fn advance(
        &self,
        topics: &[&str],
        from: i64,
        to: i64,
    ) -> Result<bool, sqlx::Error> {
        let moved = sqlx::query(
            "UPDATE projector.row_topics SET position = $3, said_at = clock_timestamp()
             WHERE topic = ANY ($1) AND position = $2
               AND EXISTS (
                   SELECT FROM projector.row_publishers
                   WHERE prefix = $4 AND holder = $5 AND turn = $6 FOR SHARE
               )",
        )
        .bind(topics)
        .bind(from)
        .bind(to)
        .bind(&self.prefix)
        .bind(self.holder)
        .bind(self.turn)
        .execute(&self.pool)
        .await?;
        Ok(usize::try_from(moved.rows_affected()) == Ok(topics.len()))
    }
}

fn lasts() -> i64 {
    i64::try_from(LASTS.as_millis()).unwrap_or(i64::MAX)
}
