//! From what went wrong to what HTTP says.

use axum::http::StatusCode;
use daybook_http::Problem;
use daybook_store::ReadError;

use crate::posted::WaitError;
use crate::queries::known::{Named, UnknownError};
use crate::queries::past::PastError;

/// A statement on the read tables failed.
pub(super) fn of_sql(error: &sqlx::Error) -> Problem {
    match error {
        // Class 22: only a cursor's values reach PostgreSQL as text.
        sqlx::Error::Database(database)
            if database.code().is_some_and(|code| code.starts_with("22")) =>
        {
            Problem::malformed("the cursor is none that was given out; start without one")
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => away(error),
        // Class 57: cancelled by a time limit, or the server goes down; 53: it is full.
        sqlx::Error::Database(database)
            if database.code().is_some_and(|code| {
                code.starts_with("57") || code.starts_with("53") || code.starts_with("08")
            }) =>
        {
            away(error)
        }
        other => Problem::internal(other),
    }
}

fn away(error: &sqlx::Error) -> Problem {
    tracing::warn!(%error, "the tables cannot be read");
    Problem::unavailable("the tables cannot be read right now; try again")
}

/// The log could not be read.
pub(super) fn of_log(error: &ReadError) -> Problem {
    match error {
        ReadError::Unavailable(error) => {
            tracing::warn!(%error, "the log cannot be read");
            Problem::unavailable("the log cannot be read right now; try again")
        }
        ReadError::Corrupt { .. } => Problem::internal(error),
        ReadError::NotYet { asked, last } => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "not-yet",
            format!("{asked} has not passed yet: the log's last moment is {last}"),
        )
        .with("last", last.to_rfc3339()),
        ReadError::Ahead { head, .. } => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not-yet", error.to_string())
                .with("position", *head)
        }
    }
}

/// The past could not be told.
pub(super) fn of_past(error: &PastError) -> Problem {
    match error {
        PastError::Read(error) => of_log(error),
        PastError::Decode(unknown) => {
            tracing::error!(%unknown, "an event of the past is not understood");
            let says = format!("{unknown}; a newer build may know it");
            Problem::new(StatusCode::NOT_IMPLEMENTED, "unknown-event", says)
        }
        PastError::Fault(_) | PastError::Json(_) => Problem::internal(error),
    }
}

/// What was waited for did not come.
pub(super) fn of_wait(error: &WaitError) -> Problem {
    match error {
        WaitError::TimedOut { reached, .. } => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-posted-yet", error.to_string())
                .with("position_reached", *reached)
                .retry_after(1)
        }
        WaitError::Read(error) => of_log(error),
    }
}

/// A filter that cannot be meant: of the log itself, or of the trail.
pub(super) fn of_filter(error: &UnknownError, of_log_itself: bool) -> Problem {
    let detail = error.to_string();
    let (parameter, problem) = match error {
        UnknownError::Read(error @ ReadError::NotYet { .. }) => {
            (if of_log_itself { "/to" } else { "/before" }, of_log(error))
        }
        UnknownError::Read(error) => return of_log(error),
        UnknownError::Name(unknown) => {
            let parameter = match (unknown.of, of_log_itself) {
                (Named::Type, true) => "/types",
                (Named::Type, false) => "/type",
                (Named::Kind, _) => "/kinds",
                (Named::Context, _) => "/contexts",
                (Named::Table, _) => "/table",
                (Named::Action, _) => "/action",
            };
            (parameter, Problem::invalid(detail.clone()))
        }
    };
    problem.field(parameter, detail)
}
