//! Who holds whom, and who is closed.

use uuid::Uuid;

use super::Log;
use crate::error::ReadError;

impl Log {
    /// The streams of a kind that hold this one, at most `limit` of them, by what is committed.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn holders_of_kind(
        &self,
        target: Uuid,
        kind: &str,
        limit: i64,
    ) -> Result<Vec<Uuid>, ReadError> {
        let holders = sqlx::query_scalar(
            "SELECT h.holder FROM journal.holds h CROSS JOIN LATERAL (
                 SELECT t.kind FROM journal.streams t
                 WHERE t.stream_id = h.holder ORDER BY t.version DESC LIMIT 1) s
             WHERE h.target = $1 AND s.kind = $2
               AND (h.expires_at IS NULL OR h.expires_at > journal.clock())
             ORDER BY h.holder LIMIT $3",
        )
        .bind(target)
        .bind(kind)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(holders)
    }

    /// Those of these streams that are closed, by what is committed.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn closed_among(&self, streams: &[Uuid]) -> Result<Vec<Uuid>, ReadError> {
        let closed = sqlx::query_scalar(
            "SELECT s.stream_id
             FROM (SELECT DISTINCT asked.id FROM unnest($1::uuid[]) AS asked (id)) asked
             CROSS JOIN LATERAL (
                 SELECT t.stream_id, t.closed_at FROM journal.streams t
                 WHERE t.stream_id = asked.id ORDER BY t.version DESC LIMIT 1) s
             WHERE s.closed_at IS NOT NULL ORDER BY s.stream_id",
        )
        .bind(streams)
        .fetch_all(&self.pool)
        .await?;
        Ok(closed)
    }
}
