//! Why a command was not accepted, and what HTTP says to it.

use axum::http::StatusCode;
use daybook_domain::aggregate::{Refusal, RefusalSort};
use daybook_domain::message::DecodeError;
use daybook_http::Problem;
use daybook_store::{AppendError, ReadError};
use serde_json::json;
use uuid::Uuid;

/// Why a command was not accepted. Nothing of it is in the log, but where
/// [`AppendError::Unavailable`] says that this is not known yet.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A rule of the domain forbids it.
    #[error("{detail}")]
    Refused {
        /// The stable name of the refusal.
        code: &'static str,
        /// What sort it is.
        sort: RefusalSort,
        /// The rule, with its numbers.
        detail: String,
    },
    /// This caller may not.
    #[error("{0}")]
    Forbidden(String),
    /// The command cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The request around the command is wrong.
    #[error("{detail}")]
    Invalid {
        /// The field at fault, as a JSON pointer.
        pointer: String,
        /// What is wrong.
        detail: String,
    },
    /// `If-Match` named another version.
    #[error("the stream is at version {actual}, not at {expected}")]
    VersionMismatch {
        /// What the caller expected.
        expected: i64,
        /// What it is.
        actual: i64,
    },
    /// The same command id is being worked on right now.
    #[error("command {0} is still being worked on; ask again in a moment")]
    InProgress(Uuid),
    /// The stream is of another kind.
    #[error("stream {stream} is not a {expected}")]
    OtherKind {
        /// The stream.
        stream: Uuid,
        /// What the command is for.
        expected: &'static str,
    },
    /// The log did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A fault of ours.
    #[error("internal error: {0}")]
    Fault(String),
}

impl CommandError {
    /// What a rule of the domain says.
    pub fn refused(refusal: &impl Refusal) -> Self {
        Self::Refused { code: refusal.code(), sort: refusal.sort(), detail: refusal.to_string() }
    }

    /// Whether deciding again on newer state may help.
    #[must_use]
    pub fn moved_on(&self) -> bool {
        matches!(self, Self::Append(AppendError::Conflict { .. } | AppendError::Moved))
    }

    /// Whether the decision itself refused, so that a state which is not durable
    /// yet may have been the reason.
    #[must_use]
    pub fn rests_on_state(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Forbidden(_) | Self::VersionMismatch { .. })
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        let detail = error.to_string();
        match error {
            CommandError::Refused { code, sort, .. } => Self::new(
                match sort {
                    RefusalSort::NotFound => StatusCode::NOT_FOUND,
                    RefusalSort::Forbidden => StatusCode::FORBIDDEN,
                    RefusalSort::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
                    RefusalSort::Exists | RefusalSort::Rule => StatusCode::CONFLICT,
                },
                code,
                detail,
            ),
            CommandError::Forbidden(_) => Self::forbidden(detail),
            CommandError::Decode(error) => decode_problem(&error),
            CommandError::Invalid { pointer, detail } => {
                Self::invalid(&detail).field(pointer, detail)
            }
            CommandError::VersionMismatch { expected, actual } => {
                Self::new(StatusCode::PRECONDITION_FAILED, "version-mismatch", detail)
                    .with("expected_version", expected)
                    .with("actual_version", actual)
            }
            CommandError::InProgress(_) => {
                Self::new(StatusCode::CONFLICT, "in-progress", detail).retry_after(1)
            }
            CommandError::OtherKind { .. } => Self::not_found(detail),
            CommandError::Append(error) => append_problem(&error),
            CommandError::Read(ReadError::Unavailable(error)) => {
                tracing::warn!(%error, "the log could not be read");
                Self::unavailable("the log cannot be read right now; try again")
            }
            CommandError::Read(ReadError::NotYet { .. }) => Self::unavailable(detail),
            CommandError::Read(ReadError::Corrupt { .. }) | CommandError::Fault(_) => {
                Self::internal(&detail)
            }
        }
    }
}

fn decode_problem(error: &DecodeError) -> Problem {
    match error {
        DecodeError::UnknownName { .. } => Problem::not_found(error.to_string()),
        DecodeError::UnknownVersion { .. } => Problem::invalid(error.to_string()),
        DecodeError::Json { pointer, source, .. } if source.is_data() => {
            // What serde adds about lines is noise for a client that sent one object.
            let text = source.to_string();
            let reason = text.split(" at line ").next().unwrap_or_default();
            Problem::invalid(error.to_string()).field(pointer.clone(), reason)
        }
        DecodeError::Json { .. } => Problem::malformed(error.to_string()),
    }
}

fn append_problem(error: &AppendError) -> Problem {
    let detail = error.to_string();
    match error {
        AppendError::Conflict { .. } | AppendError::Moved => {
            Problem::new(StatusCode::CONFLICT, "contended", detail).retry_after(1)
        }
        AppendError::CommandReused { .. } => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", detail)
        }
        AppendError::Claimed { scope, key, .. } => {
            Problem::new(StatusCode::CONFLICT, "taken", format!("{scope} {key:?} is taken"))
                .with("scope", scope.clone())
                .with("key", key.clone())
        }
        AppendError::ReferenceMissing { stream } => {
            Problem::new(StatusCode::CONFLICT, "reference-missing", detail)
                .with("stream_id", stream.to_string())
        }
        AppendError::ReferenceClosed { stream } => {
            Problem::new(StatusCode::CONFLICT, "reference-closed", detail)
                .with("stream_id", stream.to_string())
        }
        AppendError::Held { stream, holders } => Problem::new(StatusCode::CONFLICT, "held", detail)
            .with("stream_id", stream.to_string())
            .with("holders", json!(holders)),
        AppendError::Data(_) => Problem::invalid(detail),
        AppendError::ClockAhead { .. } | AppendError::Unavailable(_) => {
            tracing::warn!(%error, "the log did not take a request");
            Problem::unavailable(
                "the log is unavailable; send the same command with the same id again",
            )
        }
        AppendError::Overloaded => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).retry_after(1)
        }
    }
}
