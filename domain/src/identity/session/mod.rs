//! A session: a token by which a user who signed in acts for a while.
//!
//! The token is known to its bearer alone; here is its hash. While a session is open it holds its
//! user, who is not deleted meanwhile, and the organization on whose behalf it is, which takes it
//! along when it goes; at its end both holds end by themselves. A session that ended never opens
//! again.

pub mod commands;
mod decide;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::user::User;
use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Hold, Lifecycle};
use crate::context::Context;
use crate::organizations::organization::Organization;
use crate::values::{Reason, SecretHash};

pub use commands::SessionCommand;
pub use errors::SessionError;
pub use events::SessionEvent;

/// The scope of claims on the hashes of tokens; never given back.
pub const TOKEN_CLAIM: &str = "session.token_hash";
/// How long a session lasts where nobody says.
pub const USUAL: Duration = Duration::days(1);
/// How long a session lasts at most, counted from when that is decided.
pub const LONGEST: Duration = Duration::days(90);

/// A session as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Session(Option<Visit>);

/// A session that was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Visit {
    /// Whose it is.
    pub user_id: Uuid,
    /// The organization on whose behalf it is.
    pub org_id: Option<Uuid>,
    /// SHA-256 of the token.
    pub token_hash: SecretHash,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// Whether and how it ended.
    pub standing: Standing,
}

/// Whether and how a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It works, unless its time has come.
    Open,
    /// It was closed.
    Closed,
    /// Its time came, and the scheduler said so.
    Expired,
}

/// What a session must know of others when it opens or is extended, read under a guard.
#[derive(Debug, Clone, Default)]
pub struct SessionFacts {
    /// The user's state; `None` or an empty one: there is no such user.
    pub user: Option<User>,
    /// The organization's state, where one is named; only an opening looks at it.
    pub organization: Option<Organization>,
}

impl Session {
    /// The session, once opened.
    #[must_use]
    pub fn visit(&self) -> Option<&Visit> {
        self.0.as_ref()
    }

    /// What happens to it when it is closed along with others; nothing if it ended before.
    #[must_use]
    pub fn closed_with_others(&self, reason: Option<Reason>) -> Option<SessionEvent> {
        let visit = self.0.as_ref().filter(|visit| visit.standing == Standing::Open)?;
        Some(visit.closed(reason).into())
    }
}

impl Visit {
    /// Whether it works at `at`: neither ended nor past its time.
    #[must_use]
    pub fn is_valid_at(&self, at: DateTime<Utc>) -> bool {
        self.standing == Standing::Open && self.expires_at > at
    }

    fn closed(&self, reason: Option<Reason>) -> events::Closed {
        events::Closed { user_id: self.user_id, org_id: self.org_id, reason }
    }
}

impl Owned for Session {
    fn owner(&self, _: Uuid, command: &SessionCommand) -> Option<Uuid> {
        match (&self.0, command) {
            (Some(visit), _) => Some(visit.user_id),
            (None, SessionCommand::Open(command)) => Some(command.user_id),
            (
                None,
                SessionCommand::Extend(_) | SessionCommand::Close(_) | SessionCommand::Expire(_),
            ) => None,
        }
    }
}

impl Aggregate for Session {
    const KIND: &'static str = "identity.session";
    type Command = SessionCommand;
    type Event = SessionEvent;
    type Error = SessionError;
    type Facts = SessionFacts;

    fn decide(
        &self,
        command: &SessionCommand,
        facts: &SessionFacts,
        context: &Context,
    ) -> Result<Vec<SessionEvent>, SessionError> {
        decide::decide(self, command, facts, context)
    }

    fn apply(&mut self, event: &SessionEvent) {
        match (event, &mut self.0) {
            (SessionEvent::Opened(event), state) => {
                *state = Some(Visit {
                    user_id: event.user_id,
                    org_id: event.org_id,
                    token_hash: event.token_hash.clone(),
                    expires_at: event.expires_at,
                    standing: Standing::Open,
                });
            }
            (SessionEvent::Extended(event), Some(visit)) => visit.expires_at = event.expires_at,
            (SessionEvent::Closed(_), Some(visit)) => visit.standing = Standing::Closed,
            (SessionEvent::Expired(_), Some(visit)) => visit.standing = Standing::Expired,
            (
                SessionEvent::Extended(_) | SessionEvent::Closed(_) | SessionEvent::Expired(_),
                None,
            ) => {}
        }
    }

    fn effects(&self, _: Uuid, event: &SessionEvent) -> Effects {
        let both = |user_id: Uuid, org_id: Option<Uuid>| -> Vec<Uuid> {
            std::iter::once(user_id).chain(org_id).collect()
        };
        let holds = |targets: &[Uuid], end: DateTime<Utc>| -> Vec<Hold> {
            targets.iter().map(|target| Hold { target: *target, expires_at: Some(end) }).collect()
        };
        match event {
            SessionEvent::Opened(event) => {
                let targets = both(event.user_id, event.org_id);
                Effects {
                    lifecycle: Lifecycle::Opens,
                    claims: vec![Claim::new(TOKEN_CLAIM, event.token_hash.as_str())],
                    holds: holds(&targets, event.expires_at),
                    references: targets,
                    ..Effects::default()
                }
            }
            SessionEvent::Extended(event) => Effects {
                holds: holds(&both(event.user_id, event.org_id), event.expires_at),
                ..Effects::default()
            },
            SessionEvent::Closed(event) => Effects {
                lifecycle: Lifecycle::Closes,
                unholds: both(event.user_id, event.org_id),
                ..Effects::default()
            },
            SessionEvent::Expired(event) => Effects {
                lifecycle: Lifecycle::Closes,
                unholds: both(event.user_id, event.org_id),
                ..Effects::default()
            },
        }
    }
}
