//! What has to be done now and then: partitions made ahead of need, and what is past its time taken away.
//!
//! Several processes may do it at once: the database's functions take turns.

use std::time::Duration;

use chrono::NaiveDate;
use sqlx::PgPool;

use crate::serve::{Runtime, TaskError};

const EVERY: Duration = Duration::from_secs(3600);
/// Rows that one statement takes away: few enough that nobody waits for it.
const AT_ONCE: i32 = 5_000;

/// Does it now and every hour until it is cancelled. A failure is logged and tried again within a
/// minute: partitions are made months ahead.
///
/// # Errors
/// None; it ends when it is cancelled.
pub async fn run(runtime: Runtime) -> Result<(), TaskError> {
    loop {
        let pause = match once(&runtime.pools.maintenance).await {
            Ok(()) => EVERY,
            Err(error) => {
                tracing::warn!(%error, "upkeep failed; trying again in a minute");
                Duration::from_secs(60)
            }
        };
        tokio::select! {
            () = runtime.cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Does it once.
///
/// # Errors
/// When the database refuses or does not answer.
pub async fn once(maintenance: &PgPool) -> Result<(), sqlx::Error> {
    let made: Vec<String> = sqlx::query_scalar(
        "SELECT journal.make_partitions((now() - interval '1 month')::date, (now() + interval '3 months')::date)",
    )
    .fetch_all(maintenance)
    .await?;
    for partition in made {
        tracing::info!(partition, "made a partition of the log");
    }
    let tables: Vec<(String, i32)> = sqlx::query_as(
        "SELECT table_name, projector.make_partitions(table_name, now(), now() + interval '3 months')
         FROM projector.monthly_tables",
    )
    .fetch_all(maintenance)
    .await?;
    for (table, made) in tables.into_iter().filter(|(_, made)| *made > 0) {
        tracing::info!(table, made, "made partitions of a read table");
    }
    close_months(maintenance).await?;
    let gone: Vec<String> =
        sqlx::query_scalar("SELECT projector.drop_past_states()").fetch_all(maintenance).await?;
    for schema in gone {
        tracing::info!(schema, "dropped a state of the read model whose time was up");
    }
    while forget(maintenance, "SELECT journal.forget_commands($1)").await? {}
    while forget(maintenance, "SELECT journal.forget_batches($1)").await? {}
    while forget(maintenance, "SELECT journal.forget_refusals($1)").await? {}
    Ok(())
}

/// Writes down, as a constraint, which positions a month has that is over. One that is being read
/// all the while is left for the next time.
async fn close_months(maintenance: &PgPool) -> Result<(), sqlx::Error> {
    let over: Vec<NaiveDate> =
        sqlx::query_scalar(include_str!("months_over.sql")).fetch_all(maintenance).await?;
    for month in over {
        let closed = match sqlx::query("SELECT journal.close_month($1)")
            .bind(month)
            .execute(maintenance)
            .await
        {
            Ok(_) => {
                sqlx::query("SELECT journal.validate_month($1)")
                    .bind(month)
                    .execute(maintenance)
                    .await
            }
            Err(error) => Err(error),
        };
        match closed {
            Ok(_) => tracing::info!(%month, "closed a month of the log"),
            Err(error) if is_busy(&error) => {
                tracing::info!(%month, "a month of the log is being read; it is closed later");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether somebody else had the lock for too long.
fn is_busy(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("55P03"))
}

async fn forget(maintenance: &PgPool, statement: &'static str) -> Result<bool, sqlx::Error> {
    let gone: i64 = sqlx::query_scalar(statement).bind(AT_ONCE).fetch_one(maintenance).await?;
    Ok(gone >= i64::from(AT_ONCE))
}
