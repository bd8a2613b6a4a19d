//! What has to be done now and then: partitions made ahead of need, and what is past its time taken away.
//!
//! Several processes may do it at once: the database's functions take turns.

use std::time::Duration;

use chrono::NaiveDate;
use serde::Serialize;
use sqlx::PgPool;

use crate::serve::{Runtime, TaskError};

const EVERY: Duration = Duration::from_secs(3600);
/// Rows that one statement takes away: few enough that nobody waits for it.
const AT_ONCE: i32 = 5_000;

/// What is done in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Partitions were made ahead of need.
    MadePartitions,
    /// Which positions a month has that is over was written down.
    ClosedMonth,
    /// A month that is over was being read all the while: it is closed in a later round.
    LeftMonth,
    /// A state of the read model whose time was up was dropped.
    DroppedState,
    /// Rows that were past their time were taken away.
    Forgot,
}

impl What {
    /// In words, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::MadePartitions => "made partitions",
            Self::ClosedMonth => "closed a month of the log",
            Self::LeftMonth => "left a month of the log that is being read",
            Self::DroppedState => "dropped a state of the read model",
            Self::Forgot => "took away what was past its time",
        }
    }
}

/// One thing that a round did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Did {
    /// What.
    pub what: What,
    /// To what: a table, a month, a schema.
    pub to: String,
    /// To how many of it.
    pub count: i64,
}

impl Did {
    fn of(what: What, to: impl Into<String>, count: i64) -> Self {
        Self { what, to: to.into(), count }
    }
}

/// Does it now and every hour until it is cancelled. A failure is logged and tried again within a
/// minute: partitions are made months ahead.
///
/// # Errors
/// None; it ends when it is cancelled.
pub async fn run(runtime: Runtime) -> Result<(), TaskError> {
    loop {
        let pause = match once(&runtime.pools.maintenance).await {
            Ok(done) => {
                log(&done);
                EVERY
            }
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

/// Tells the log lines of this process what was done.
pub fn log(done: &[Did]) {
    for Did { what, to, count } in done {
        tracing::info!(to, count, "upkeep {}", what.words());
    }
}

/// One round: does what is due now, and says what that was; nothing, when nothing was.
///
/// # Errors
/// When the database refuses or does not answer. What was done before that stays done.
pub async fn once(maintenance: &PgPool) -> Result<Vec<Did>, sqlx::Error> {
    let mut done = Vec::new();
    let made: Vec<String> = sqlx::query_scalar(
        "SELECT journal.make_partitions((now() - interval '1 month')::date, (now() + interval '3 months')::date)",
    )
    .fetch_all(maintenance)
    .await?;
    let made = i64::try_from(made.len()).unwrap_or(i64::MAX);
    done.push(Did::of(What::MadePartitions, "journal.events", made));
    let tables: Vec<(String, i32)> = sqlx::query_as(
        "SELECT table_name, projector.make_partitions(table_name, now(), now() + interval '3 months')
         FROM projector.monthly_tables ORDER BY table_name",
    )
    .fetch_all(maintenance)
    .await?;
    done.extend(
        tables.into_iter().map(|(table, made)| Did::of(What::MadePartitions, table, made.into())),
    );
    done.extend(close_months(maintenance).await?);
    let gone: Vec<String> =
        sqlx::query_scalar("SELECT projector.drop_past_states()").fetch_all(maintenance).await?;
    done.extend(gone.into_iter().map(|schema| Did::of(What::DroppedState, schema, 1)));
    for (table, statement) in [
        ("journal.commands", "SELECT journal.forget_commands($1)"),
        ("journal.batches", "SELECT journal.forget_batches($1)"),
        ("journal.refusals", "SELECT journal.forget_refusals($1)"),
    ] {
        done.push(Did::of(What::Forgot, table, forget(maintenance, statement).await?));
    }
    done.retain(|did| did.count > 0);
    Ok(done)
}

/// Writes down, as a constraint, which positions a month has that is over. One that is being read
/// all the while is left for the next time.
async fn close_months(maintenance: &PgPool) -> Result<Vec<Did>, sqlx::Error> {
    let mut done = Vec::new();
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
            Ok(_) => done.push(Did::of(What::ClosedMonth, month.to_string(), 1)),
            Err(error) if is_busy(&error) => {
                done.push(Did::of(What::LeftMonth, month.to_string(), 1));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Whether somebody else had the lock for too long.
fn is_busy(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("55P03"))
}

/// Takes away all that is past its time, in bounded steps; says how many rows that were.
async fn forget(maintenance: &PgPool, statement: &'static str) -> Result<i64, sqlx::Error> {
    let mut all = 0;
    loop {
        let gone: i64 = sqlx::query_scalar(statement).bind(AT_ONCE).fetch_one(maintenance).await?;
        all += gone;
        if gone < i64::from(AT_ONCE) {
            return Ok(all);
        }
    }
}
