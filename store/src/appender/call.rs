//! The one call of `journal.append`, and what it answers.

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::types::Json;
use uuid::Uuid;

use super::arguments::Batch;

/// What the log made of a batch.
#[derive(Debug)]
pub(super) enum Answer {
    /// All of it is durable.
    Appended {
        /// The head before it.
        head: i64,
        /// Its nth event was recorded n microseconds after this.
        counted_from: DateTime<Utc>,
    },
    /// Nothing was appended.
    Refused(Vec<Failure>),
}

/// What stands in the way. `at` counts from 1 in the list that the kind is about.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Failure {
    Clock { database: DateTime<Utc> },
    Command(Box<FirstAnswer>),
    Stream { at: usize, actual: i64 },
    Guard { at: usize, actual: i64 },
    Missing { at: usize },
    Closed { at: usize },
    Claim { at: usize, holder: Uuid },
    Held { at: usize, holders: Vec<Uuid> },
}

/// A command that was applied before, and what was answered then.
#[derive(Debug, Clone, serde::Deserialize)]
pub(super) struct FirstAnswer {
    pub(super) at: usize,
    /// Whether it says the same as then.
    pub(super) same: bool,
    pub(super) stream: Uuid,
    pub(super) version: i64,
    pub(super) created: bool,
    pub(super) position: i64,
    pub(super) events: i64,
    pub(super) recorded_at: DateTime<Utc>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum CallError {
    /// The data of one of the requests cannot be stored.
    Data(String),
    /// Sending it again may help; whether it is durable is not known.
    Transient(String),
    /// Sending it again will not help.
    Fatal(String),
}

impl From<sqlx::Error> for CallError {
    fn from(error: sqlx::Error) -> Self {
        let text = error.to_string();
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::Encode(_) => Self::Data(text),
                sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Fatal(text),
                _ => Self::Transient(text),
            };
        };
        let code = database.code().unwrap_or_default().into_owned();
        match code.get(..2) {
            // Data exceptions, and limits such as the depth of JSON.
            Some("22" | "54") => Self::Data(text),
            // Connections, authorization while roles are made, rollbacks, resources, locks,
            // an operator's intervention, the system.
            Some("08" | "28" | "40" | "53" | "55" | "57" | "58") => Self::Transient(text),
            // A primary that became a standby.
            _ if code == "25006" => Self::Transient(text),
            _ => Self::Fatal(text),
        }
    }
}

/// Appends the batch, or nothing.
pub(super) async fn append(
    connection: &mut PgConnection,
    batch: &Batch<'_>,
    now: DateTime<Utc>,
    max_ahead: chrono::Duration,
) -> Result<Answer, CallError> {
    let row = sqlx::query(include_str!("append.sql"))
        .bind(now)
        .bind(max_ahead)
        .bind(&batch.requests)
        .bind(&batch.streams)
        .bind(&batch.events)
        .bind(&batch.guards)
        .bind(&batch.references)
        .bind(&batch.claims)
        .bind(&batch.inner)
        .bind(batch.close.iter().map(|(stream, _)| *stream).collect::<Vec<_>>())
        .bind(&batch.holds)
        .bind(batch.lanes.iter().map(|(lane, _)| *lane).collect::<Vec<_>>())
        .bind(batch.lanes.iter().map(|(_, events)| *events).collect::<Vec<_>>())
        .fetch_one(connection)
        .await?;
    answer(&row).map_err(CallError::from)
}

fn answer(row: &PgRow) -> Result<Answer, sqlx::Error> {
    let failures: Option<Json<Vec<Failure>>> = row.try_get(2)?;
    match failures {
        Some(Json(failures)) => Ok(Answer::Refused(failures)),
        None => Ok(Answer::Appended { head: row.try_get(0)?, counted_from: row.try_get(1)? }),
    }
}
