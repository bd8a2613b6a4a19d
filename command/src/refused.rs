//! What is written down of a command that was refused, and of an attempt to sign in.

use daybook_http::{Caller, Visitor};
use daybook_store::records::{Refusal, SignIn};
use daybook_store::{AppendError, Record};
use uuid::Uuid;

use crate::engine::{Accepted, Engine};
use crate::error::CommandError;

/// What was asked, and by whom.
pub(crate) struct Asked<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    pub(crate) stream: Option<Uuid>,
    pub(crate) command_id: Option<Uuid>,
}

impl CommandError {
    /// The refusal's name and its HTTP status. `None`: it was no refusal: the service was busy, away
    /// or at fault, or was not asked for anything that can be named.
    #[must_use]
    pub fn refusal(&self) -> Option<(&'static str, i16)> {
        use daybook_domain::aggregate::RefusalSort;
        use daybook_domain::message::DecodeError;
        Some(match self {
            Self::Refused { code, sort, .. } => (
                code,
                match sort {
                    RefusalSort::NotFound => 404,
                    RefusalSort::Forbidden => 403,
                    RefusalSort::Invalid => 422,
                    RefusalSort::Exists | RefusalSort::Rule => 409,
                },
            ),
            Self::Forbidden(_) => ("forbidden", 403),
            Self::Decode(DecodeError::UnknownName { .. }) | Self::OtherKind { .. } => {
                ("not-found", 404)
            }
            Self::Decode(DecodeError::UnknownVersion { .. } | DecodeError::Json { .. })
            | Self::Invalid { .. }
            | Self::Append(AppendError::Data(_)) => ("invalid", 422),
            Self::VersionMismatch { .. } => ("version-mismatch", 412),
            Self::SignInFailed => ("sign-in-failed", 401),
            Self::Append(AppendError::CommandReused { .. }) => ("idempotency-key-reused", 422),
            Self::Append(AppendError::Claimed { .. }) => ("taken", 409),
            Self::Append(AppendError::ReferenceMissing { .. }) => ("reference-missing", 409),
            Self::Append(AppendError::ReferenceClosed { .. }) => ("reference-closed", 409),
            Self::Append(AppendError::Held { .. }) => ("held", 409),
            Self::Append(
                AppendError::Conflict { .. }
                | AppendError::Moved
                | AppendError::ClockAhead { .. }
                | AppendError::Unavailable(_)
                | AppendError::Overloaded,
            )
            | Self::Malformed(_)
            | Self::TooLarge(_)
            | Self::KeyEnded
            | Self::InProgress(_)
            | Self::Read(_)
            | Self::Fault(_) => return None,
        })
    }
}

impl Engine {
    /// Has a refusal written down. Nobody waits for it.
    pub(crate) fn note_refusal(&self, asked: &Asked<'_>, error: &CommandError) {
        let (Some(records), Some((code, status))) = (&self.records, error.refusal()) else {
            return;
        };
        let caller = asked.caller;
        records.note(Record::Refusal(Refusal {
            at: self.now(),
            actor_id: caller.actor.id,
            tenant_id: caller.actor.tenant,
            session_id: caller.session_id,
            kind: asked.kind.to_owned(),
            command: asked.name.to_owned(),
            command_id: asked.command_id,
            stream_id: asked.stream,
            code: code.to_owned(),
            status,
            ip_address: caller.ip_address,
            user_agent: caller.user_agent.clone(),
            correlation_id: caller.correlation_id,
        }));
    }

    /// Has an attempt to sign in written down. Nobody waits for it.
    pub(crate) fn note_sign_in(
        &self,
        user: Option<Uuid>,
        visitor: &Visitor,
        outcome: &Result<Accepted, CommandError>,
    ) {
        let Some(records) = &self.records else { return };
        let (code, session_id) = match outcome {
            Ok(accepted) => ("signed-in", Some(accepted.appended.stream_id)),
            Err(error) => match error.refusal() {
                Some((code, _)) => (code, None),
                None => return,
            },
        };
        records.note(Record::SignIn(SignIn {
            at: self.now(),
            user_id: user,
            code,
            session_id,
            ip_address: visitor.ip_address,
            user_agent: visitor.user_agent.clone(),
            correlation_id: visitor.correlation_id,
        }));
    }
}
