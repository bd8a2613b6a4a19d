//! What a command id was answered with.

use sqlx::Row;
use uuid::Uuid;

use super::Log;
use crate::error::ReadError;
use crate::request::Appended;

/// A command id that was used, and the answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// SHA-256 of what was asked.
    pub fingerprint: [u8; 32],
    /// The first answer, marked as given again.
    pub appended: Appended,
}

impl Log {
    /// What the command `id` was answered with in its scope; `None` if it was
    /// never used, or so long ago (13 months) that it is forgotten.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn command(&self, scope: Uuid, id: Uuid) -> Result<Option<Answered>, ReadError> {
        let mut lent = self.kept.lend().await?;
        let row = sqlx::query(
            "SELECT fingerprint, stream_id, version, created, position, events, recorded_at
             FROM journal.commands WHERE scope = $1 AND id = $2",
        )
        .bind(scope)
        .bind(id)
        .fetch_optional(&mut lent.connection)
        .await?;
        lent.done();
        let Some(row) = row else { return Ok(None) };
        let fingerprint: Vec<u8> = row.try_get(0)?;
        let fingerprint = fingerprint.try_into().map_err(|_| ReadError::Corrupt {
            place: format!("command {id}"),
            reason: "its fingerprint has not 32 bytes".to_owned(),
        })?;
        Ok(Some(Answered {
            fingerprint,
            appended: Appended {
                stream_id: row.try_get(1)?,
                version: row.try_get(2)?,
                created: row.try_get(3)?,
                position: row.try_get(4)?,
                events: i64::from(row.try_get::<i32, _>(5)?),
                recorded_at: row.try_get(6)?,
                replayed: true,
            },
        }))
    }
}
