//! The roles: made once a server, by an administrator, before migrations.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::DatabaseError;

/// How often a bootstrap is tried that met another one in the server's catalogue.
const ATTEMPTS: u32 = 8;

/// Makes the roles and gives the migrator its rights on this database.
/// Idempotent, and safe beside others that do the same, in this database or another.
///
/// # Errors
/// When the administrator may not, or the server does not answer.
pub async fn bootstrap(administrator: &mut PgConnection) -> Result<(), DatabaseError> {
    for attempt in 1.. {
        match run(administrator).await {
            Err(error) if attempt < ATTEMPTS && met_another(&error) => {
                tokio::time::sleep(Duration::from_millis(50) * attempt).await;
            }
            Err(error) => return Err(DatabaseError::Bootstrap(error)),
            Ok(()) => break,
        }
    }
    Ok(())
}

async fn run(administrator: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut transaction = administrator.begin().await?;
    sqlx::raw_sql(include_str!("bootstrap.sql")).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// "tuple concurrently updated" is an internal error without a code of its own.
fn met_another(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        matches!(error.code().as_deref(), Some("XX000" | "23505" | "40001" | "40P01"))
    })
}

/// Whether this connection may run [`bootstrap`]: a superuser, or the database's owner with CREATEROLE.
///
/// # Errors
/// When the server does not answer.
pub async fn may_bootstrap(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT r.rolsuper OR (r.rolcreaterole AND pg_has_role(current_user, d.datdba, 'MEMBER'))
         FROM pg_roles r, pg_database d
         WHERE r.rolname = current_user AND d.datname = current_database()",
    )
    .fetch_one(connection)
    .await
}

/// Gives `daybook_service` a password to log in with.
///
/// # Errors
/// When the administrator may not, or the server does not answer.
pub async fn set_service_password(
    administrator: &mut PgConnection,
    password: &str,
) -> Result<(), DatabaseError> {
    // ALTER ROLE takes no parameters: the server quotes the text itself.
    let statement: String =
        sqlx::query_scalar("SELECT format('ALTER ROLE daybook_service PASSWORD %L', $1::text)")
            .bind(password)
            .fetch_one(&mut *administrator)
            .await
            .map_err(DatabaseError::Bootstrap)?;
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(administrator)
        .await
        .map_err(DatabaseError::Bootstrap)?;
    Ok(())
}
