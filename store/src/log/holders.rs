//! Who of one kind keeps a stream from closing.

use uuid::Uuid;

use super::Log;
use crate::error::ReadError;

impl Log {
    /// The streams of one kind whose hold on `target` lasts, in the order of their ids, at most
    /// `at_most` of them. As of now: what is decided on it must write `target` in the same request,
    /// so that append refuses should another one hold it meanwhile.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn holders_of_kind(
        &self,
        target: Uuid,
        kind: &str,
        at_most: i64,
    ) -> Result<Vec<Uuid>, ReadError> {
        Ok(sqlx::query_scalar(
            "SELECT h.holder FROM journal.holds h
             JOIN journal.streams s ON s.stream_id = h.holder
             WHERE h.target = $1 AND s.kind = $2
               AND (h.expires_at IS NULL OR h.expires_at > journal.clock())
             ORDER BY h.holder LIMIT $3",
        )
        .bind(target)
        .bind(kind)
        .bind(at_most)
        .fetch_all(&self.pool)
        .await?)
    }
}
