//! Who has business keys.

use uuid::Uuid;

use super::Log;
use crate::error::ReadError;

impl Log {
    /// The stream that has the key now, if one has.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn claimant(&self, scope: &str, key: &str) -> Result<Option<Uuid>, ReadError> {
        let found: Option<Option<Uuid>> =
            sqlx::query_scalar("SELECT holder FROM journal.claims WHERE scope = $1 AND key = $2")
                .bind(scope)
                .bind(key)
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.flatten())
    }

    /// Those of `keys` that `holder` holds in `scope`, by what is committed. Only a stream's own
    /// events claim and release for it: whoever decides on its state as it is in the log, and appends
    /// with its version, decides on its claims as they are then.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn claimed(
        &self,
        holder: Uuid,
        scope: &str,
        keys: &[String],
    ) -> Result<Vec<String>, ReadError> {
        let claimed = sqlx::query_scalar(
            "SELECT key FROM journal.claims WHERE scope = $1 AND key = ANY ($2) AND holder = $3",
        )
        .bind(scope)
        .bind(keys)
        .bind(holder)
        .fetch_all(&self.pool)
        .await?;
        Ok(claimed)
    }
}
