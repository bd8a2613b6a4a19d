//! The one call of `journal.append`, and what it answers.

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::types::Json;
use sqlx::{Postgres, Row};
use uuid::Uuid;

use super::arguments::Batch;
use super::rows::StreamRow;

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
    Old { at: usize, actual: i64 },
    New { at: usize, actual: i64 },
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
    let query = sqlx::query(include_str!("append.sql")).bind(now).bind(max_ahead);
    let query =
        bind_events(bind_effects(bind_streams(bind_requests(query, batch), batch), batch), batch);
    let row = query.fetch_one(connection).await?;
    answer(&row).map_err(CallError::from)
}

fn answer(row: &PgRow) -> Result<Answer, sqlx::Error> {
    let failures: Option<Json<Vec<Failure>>> = row.try_get(2)?;
    match failures {
        Some(Json(failures)) => Ok(Answer::Refused(failures)),
        None => Ok(Answer::Appended { head: row.try_get(0)?, counted_from: row.try_get(1)? }),
    }
}

type Call<'q> = Query<'q, Postgres, PgArguments>;

fn bind_requests<'q>(query: Call<'q>, batch: &Batch<'_>) -> Call<'q> {
    let commands = || batch.prepared.iter().map(|prepared| &prepared.request.command);
    let requests = &batch.requests;
    query
        .bind(commands().map(|command| command.scope).collect::<Vec<_>>())
        .bind(commands().map(|command| command.id).collect::<Vec<_>>())
        .bind(commands().map(|command| command.fingerprint.to_vec()).collect::<Vec<_>>())
        .bind(requests.iter().map(|row| row.stream).collect::<Vec<_>>())
        .bind(requests.iter().map(|row| row.version).collect::<Vec<_>>())
        .bind(requests.iter().map(|row| row.created).collect::<Vec<_>>())
        .bind(requests.iter().map(|row| row.last).collect::<Vec<_>>())
        .bind(requests.iter().map(|row| row.events).collect::<Vec<_>>())
}

fn bind_streams<'q>(query: Call<'q>, batch: &Batch<'_>) -> Call<'q> {
    fn column<'a, T>(rows: &'a [StreamRow<'a>], of: impl Fn(&'a StreamRow<'a>) -> T) -> Vec<T> {
        rows.iter().map(of).collect()
    }
    let (new, old) = (&batch.new, &batch.old);
    query
        .bind(column(new, |row| row.stream))
        .bind(column(new, |row| row.kind.to_owned()))
        .bind(column(new, |row| row.lane))
        .bind(column(new, |row| row.version))
        .bind(column(new, |row| row.first))
        .bind(column(new, |row| row.last))
        .bind(column(new, |row| row.made))
        .bind(column(new, |row| row.closed))
        .bind(column(old, |row| row.stream))
        .bind(column(old, |row| row.expected))
        .bind(column(old, |row| row.version))
        .bind(column(old, |row| row.last))
        .bind(column(old, |row| row.made))
        .bind(column(old, |row| row.closed))
        .bind(column(old, |row| row.opened))
}

fn bind_effects<'q>(query: Call<'q>, batch: &Batch<'_>) -> Call<'q> {
    let (claims, holds, unholds) = (&batch.claims, &batch.holds, &batch.unholds);
    query
        .bind(batch.guards.iter().map(|guard| guard.stream).collect::<Vec<_>>())
        .bind(batch.guards.iter().map(|guard| guard.version).collect::<Vec<_>>())
        .bind(batch.references.iter().map(|row| row.stream).collect::<Vec<_>>())
        .bind(batch.references.iter().map(|row| row.open).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.scope.to_owned()).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.key.to_owned()).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.asker).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.holder).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.released).collect::<Vec<_>>())
        .bind(batch.inner.clone())
        .bind(batch.close.iter().map(|(stream, _)| *stream).collect::<Vec<_>>())
        .bind(holds.iter().map(|(target, ..)| *target).collect::<Vec<_>>())
        .bind(holds.iter().map(|(_, holder, _)| *holder).collect::<Vec<_>>())
        .bind(holds.iter().map(|(.., expires)| *expires).collect::<Vec<_>>())
        .bind(unholds.iter().map(|(target, _)| *target).collect::<Vec<_>>())
        .bind(unholds.iter().map(|(_, holder)| *holder).collect::<Vec<_>>())
}

fn bind_events<'q>(query: Call<'q>, batch: &Batch<'_>) -> Call<'q> {
    query
        .bind(batch.of_events(|row| row.stream))
        .bind(batch.of_events(|row| row.version))
        .bind(batch.of_events(|row| row.lane))
        .bind(batch.of_events(|row| row.lane_offset))
        .bind(batch.of_events(|row| row.event.event_type))
        .bind(batch.of_events(|row| row.event.schema_version))
        .bind(batch.data())
        .bind(batch.of_events(|row| row.event.occurred_at))
        .bind(batch.of_requests(|of| of.request.command.id))
        .bind(batch.of_requests(|of| of.request.metadata.actor_id))
        .bind(batch.of_requests(|of| of.request.metadata.correlation_id))
        .bind(batch.of_requests(|of| of.request.metadata.tenant_id))
        .bind(batch.of_requests(|of| of.request.metadata.causation_id))
        .bind(batch.of_requests(|of| of.request.metadata.session_id))
        .bind(batch.addresses())
        .bind(batch.of_requests(|of| of.request.metadata.user_agent.as_deref()))
        .bind(batch.of_requests(|of| of.request.metadata.traceparent.as_deref()))
        .bind(batch.of_events(|row| row.dependency_from))
        .bind(batch.of_events(|row| row.dependency_to))
        .bind(batch.dependencies.clone())
        .bind(batch.lanes.iter().map(|(lane, _)| *lane).collect::<Vec<_>>())
        .bind(batch.lanes.iter().map(|(_, events)| *events).collect::<Vec<_>>())
}
