//! Who has a business key.

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
}
