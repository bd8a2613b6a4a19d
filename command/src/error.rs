//! Why a command was not accepted, and what HTTP says to it.

use axum::http::StatusCode;
use daybook_domain::aggregate::{Refusal, RefusalSort};
use daybook_domain::context::Actor;
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
    /// The request cannot be read at all.
    #[error("{0}")]
    Malformed(String),
    /// More than is taken at once.
    #[error("{0}")]
    TooLarge(String),
    /// The caller's key stopped working meanwhile.
    #[error("the key stopped working; what comes after is not taken")]
    KeyEnded,
    /// Nobody signs in with this login and this password.
    #[error("there is nobody with this login and this password")]
    SignInFailed,
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

    /// That the actor's role, or the scopes of their key, do not allow a command.
    #[must_use]
    pub fn not_allowed(actor: &Actor, kind: &str, name: &str) -> Self {
        Self::Forbidden(format!("role {} may not {name} this {kind}", actor.role.as_str()))
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
            CommandError::Malformed(_) => Self::malformed(detail),
            CommandError::TooLarge(_) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
            }
            CommandError::SignInFailed => {
                Self::new(StatusCode::UNAUTHORIZED, "sign-in-failed", detail)
            }
            CommandError::KeyEnded => Self { detail, ..Self::unauthenticated() },
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
            CommandError::Read(ReadError::NotYet { .. } | ReadError::Ahead { .. }) => {
                Self::unavailable(detail)
            }
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
        DecodeError::Json { name, pointer, source } if source.is_data() => {
            // What serde adds about lines is noise for a client that sent one object.
            let text = source.to_string();
            let reason = text.split(" at line ").next().unwrap_or_default();
            Problem::invalid(format!("{name}{pointer}: {reason}"))
                .field(at_fault(pointer, reason), reason)
        }
        DecodeError::Json { .. } => Problem::malformed(error.to_string()),
    }
}

/// The pointer to a field that is missing or unknown: serde names it in what it says only.
fn at_fault(pointer: &str, reason: &str) -> String {
    let named = ["missing field `", "unknown field `"].iter().find_map(|start| {
        let (name, _) = reason.strip_prefix(start)?.rsplit_once('`')?;
        // An unknown field is followed by those that are known.
        Some(name.split_once("`, expected ").map_or(name, |(name, _)| name))
    });
    match named {
        Some(name) => {
            let parent = pointer.strip_suffix(&format!("/{name}")).unwrap_or(pointer);
            format!("{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
        }
        None => pointer.to_owned(),
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
