//! Which position an instant is, and whether one has been reached.

use chrono::{DateTime, SubsecRound, Utc};

use super::Log;
use crate::error::ReadError;

/// The last moment of which a question is put to the server.
const LATEST: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(end_of_9999) => end_of_9999,
    None => DateTime::<Utc>::MAX_UTC,
};

impl Log {
    /// Refuses a position that the log has not reached.
    ///
    /// # Errors
    /// `Ahead`; when the server does not answer.
    pub async fn require_reached(&self, asked: i64) -> Result<(), ReadError> {
        let head = self.head().await?.position;
        if asked > head { Err(ReadError::Ahead { asked, head }) } else { Ok(()) }
    }

    /// The last position recorded at or before `instant`; it never changes once it was told.
    /// Where the log's last moment is older and this is the primary, the log is first made to
    /// reach `instant`.
    ///
    /// # Errors
    /// `NotYet` for an instant in the future, or one that a replica has not seen pass; when the
    /// server does not answer.
    pub async fn position_at(&self, instant: DateTime<Utc>) -> Result<i64, ReadError> {
        // As the log knows moments: in microseconds, and not those before there were any.
        let instant = instant.trunc_subsecs(6).max(DateTime::UNIX_EPOCH);
        if instant > LATEST {
            return Err(ReadError::NotYet { asked: instant, last: self.moment(LATEST).await?.0 });
        }
        let (last, position) = self.moment(instant).await?;
        if last >= instant {
            return Ok(position);
        }
        let last = self.tick(instant).await?.unwrap_or(last);
        if last < instant {
            return Err(ReadError::NotYet { asked: instant, last });
        }
        Ok(self.moment(instant).await?.1)
    }

    /// The last moment of the log, and the last position by an instant: final where that is no later.
    async fn moment(&self, instant: DateTime<Utc>) -> Result<(DateTime<Utc>, i64), ReadError> {
        let found = sqlx::query_as(
            "SELECT (SELECT recorded_at FROM journal.batches ORDER BY batch DESC LIMIT 1), journal.position_at($1)",
        )
        .bind(instant)
        .fetch_one(&self.pool)
        .await?;
        Ok(found)
    }

    /// `None` on a replica, or for a role that may not.
    async fn tick(&self, instant: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, ReadError> {
        let may: bool = sqlx::query_scalar(
            "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'
             AND has_function_privilege('journal.tick(timestamptz)', 'EXECUTE')",
        )
        .fetch_one(&self.pool)
        .await?;
        if !may {
            return Ok(None);
        }
        let last = sqlx::query_scalar("SELECT journal.tick($1)")
            .bind(instant)
            .fetch_one(&self.pool)
            .await?;
        Ok(Some(last))
    }
}
