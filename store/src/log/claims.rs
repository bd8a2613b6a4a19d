//! Which business keys a stream has claimed.

use uuid::Uuid;

use super::Log;
use crate::error::ReadError;

impl Log {
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
