//! What a command id was answered with.

use std::collections::HashMap;

use sqlx::Row;
use sqlx::postgres::PgRow;
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
        row.map(|row| answered(id, &row)).transpose()
    }

    /// What commands were answered with, each named by its scope and its id; those that were never
    /// used, or are forgotten, are not in the answer.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn commands(
        &self,
        keys: &[(Uuid, Uuid)],
    ) -> Result<HashMap<(Uuid, Uuid), Answered>, ReadError> {
        let (scopes, ids): (Vec<Uuid>, Vec<Uuid>) = keys.iter().copied().unzip();
        let mut lent = self.kept.lend().await?;
        let rows = sqlx::query(
            "SELECT c.fingerprint, c.stream_id, c.version, c.created, c.position, c.events, c.recorded_at, c.scope, c.id
             FROM unnest($1::uuid[], $2::uuid[]) AS k (scope, id)
             JOIN journal.commands c ON c.scope = k.scope AND c.id = k.id",
        )
        .bind(scopes)
        .bind(ids)
        .fetch_all(&mut lent.connection)
        .await?;
        lent.done();
        rows.iter()
            .map(|row| {
                let key = (row.try_get(7)?, row.try_get(8)?);
                Ok((key, answered(key.1, row)?))
            })
            .collect()
    }
}

fn answered(id: Uuid, row: &PgRow) -> Result<Answered, ReadError> {
    let fingerprint: Vec<u8> = row.try_get(0)?;
    let fingerprint = fingerprint.try_into().map_err(|_| ReadError::Corrupt {
        place: format!("command {id}"),
        reason: "its fingerprint has not 32 bytes".to_owned(),
    })?;
    Ok(Answered {
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
    })
}
