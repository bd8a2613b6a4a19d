//! The states that there are, whose their names are, and dropping them.

use sqlx::{PgConnection, PgExecutor};

use super::{AsOfError, State};
use crate::twin;

/// All states, by name, those that are being made included.
///
/// # Errors
/// When the server does not answer.
pub async fn states(executor: impl PgExecutor<'_>) -> Result<Vec<State>, sqlx::Error> {
    sqlx::query_as("SELECT * FROM projector.as_of ORDER BY schema_name").fetch_all(executor).await
}

/// Drops a state. The connection works as the owner (`daybook_migrator`).
///
/// # Errors
/// When there is none of that name, it is being made, or somebody built on it.
pub async fn drop(name: &str, connection: &mut PgConnection) -> Result<(), AsOfError> {
    // Nobody takes away what somebody is making.
    take_name(name, connection).await?;
    let dropped = drop_taken(name, connection).await;
    give_name_back(name, connection).await?;
    dropped
}

async fn drop_taken(name: &str, connection: &mut PgConnection) -> Result<(), AsOfError> {
    let known: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM projector.as_of WHERE schema_name = $1)")
            .bind(name)
            .fetch_one(&mut *connection)
            .await?;
    if !known {
        return Err(AsOfError::Unknown(name.to_owned()));
    }
    twin::drop_schema(name, connection).await?;
    sqlx::query("DELETE FROM projector.as_of WHERE schema_name = $1")
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps others from making a schema of that name until this connection ends.
pub(super) async fn take_name(
    schema: &str,
    connection: &mut PgConnection,
) -> Result<(), AsOfError> {
    let free: bool = sqlx::query_scalar(
        "SELECT pg_try_advisory_lock(hashtextextended('daybook.as_of.' || $1, 0))",
    )
    .bind(schema)
    .fetch_one(connection)
    .await?;
    if free { Ok(()) } else { Err(AsOfError::Busy) }
}

/// Lets others have the name at once, not only when the connection's end is noticed.
pub(super) async fn give_name_back(
    schema: &str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_unlock(hashtextextended('daybook.as_of.' || $1, 0))")
        .bind(schema)
        .execute(connection)
        .await?;
    Ok(())
}
