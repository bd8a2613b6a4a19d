//! The streams that a stretch of the log touched, and their events from their beginnings.

use futures::{Stream, StreamExt};
use uuid::Uuid;

use super::Log;
use super::row::recorded;
use crate::error::ReadError;
use crate::recorded::Recorded;

impl Log {
    /// The streams that have an event after `after`, up to and including `up_to`, by id.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn touched(&self, after: i64, up_to: i64) -> Result<Vec<Uuid>, ReadError> {
        let streams = sqlx::query_scalar(
            "SELECT DISTINCT stream_id FROM journal.events WHERE position > $1 AND position <= $2 ORDER BY stream_id",
        )
        .bind(after)
        .bind(up_to)
        .fetch_all(&self.pool)
        .await?;
        Ok(streams)
    }

    /// The events of these streams up to and including `up_to`, stream by stream, each by version. One
    /// snapshot lasts as long as the answer: ask for few streams at a time.
    pub fn of_streams(
        &self,
        streams: Vec<Uuid>,
        up_to: i64,
    ) -> impl Stream<Item = Result<Recorded, ReadError>> + Send + use<'_> {
        sqlx::query(include_str!("touched.sql"))
            .bind(streams)
            .bind(up_to)
            .fetch(&self.pool)
            .map(|row| recorded(&row?))
    }
}
