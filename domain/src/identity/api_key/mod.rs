//! An API key: a secret by which programs act for a user.
//!
//! The secret is known to its bearer alone; here is its hash. A key never
//! allows more than its owner's role does at the moment of use: that is
//! [`crate::access`]'s work. What is refused here is a key that promises more.

pub mod commands;
mod decide;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::user::User;
use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Lifecycle};
use crate::context::Context;
use crate::values::{KeyPrefix, Scope, SecretHash, Text};

pub use commands::ApiKeyCommand;
pub use errors::ApiKeyError;
pub use events::ApiKeyEvent;

/// The scope of claims on the part of a key that may be shown.
pub const PREFIX_CLAIM: &str = "api_key.prefix";
/// How many scopes a key has at most.
pub const MAX_SCOPES: usize = 64;

/// A key as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiKey(Option<Key>);

/// A key that was issued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// Whose it is.
    pub user_id: Uuid,
    /// What its owner calls it.
    pub name: Text<100>,
    /// The part that may be shown.
    pub prefix: KeyPrefix,
    /// SHA-256 of the secret.
    pub secret_hash: SecretHash,
    /// What it is limited to.
    pub scopes: Vec<Scope>,
    /// When it stops working, if it does.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether and how it ended.
    pub standing: Standing,
}

/// Whether and how a key ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It works, unless its time has come.
    Valid,
    /// It was revoked.
    Revoked,
    /// Its time came, and the scheduler said so.
    Expired,
}

/// What a key must know of its owner, read under a guard.
#[derive(Debug, Clone, Default)]
pub struct ApiKeyFacts {
    /// The owner's state; `None` or an empty one: there is no such user.
    pub owner: Option<User>,
}

impl ApiKey {
    /// The key, once issued.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        self.0.as_ref()
    }

    /// The user whose state the command's decision must know, if any.
    #[must_use]
    pub fn reads(&self, command: &ApiKeyCommand) -> Option<Uuid> {
        match command {
            ApiKeyCommand::Issue(command) => Some(command.user_id),
            ApiKeyCommand::Rotate(_) => self.0.as_ref().map(|key| key.user_id),
            ApiKeyCommand::Revoke(_) | ApiKeyCommand::Expire(_) => None,
        }
    }
}

impl Key {
    /// Whether it works at `at`: neither ended nor past its time.
    #[must_use]
    pub fn is_valid_at(&self, at: DateTime<Utc>) -> bool {
        self.standing == Standing::Valid && self.expires_at.is_none_or(|end| end > at)
    }
}

impl Owned for ApiKey {
    fn owner(&self, _: Uuid, command: &ApiKeyCommand) -> Option<Uuid> {
        match (&self.0, command) {
            (Some(key), _) => Some(key.user_id),
            (None, ApiKeyCommand::Issue(command)) => Some(command.user_id),
            (
                None,
                ApiKeyCommand::Rotate(_) | ApiKeyCommand::Revoke(_) | ApiKeyCommand::Expire(_),
            ) => None,
        }
    }
}

impl Aggregate for ApiKey {
    const KIND: &'static str = "identity.api_key";
    type Command = ApiKeyCommand;
    type Event = ApiKeyEvent;
    type Error = ApiKeyError;
    type Facts = ApiKeyFacts;

    fn decide(
        &self,
        command: &ApiKeyCommand,
        facts: &ApiKeyFacts,
        context: &Context,
    ) -> Result<Vec<ApiKeyEvent>, ApiKeyError> {
        decide::decide(self, command, facts, context)
    }

    fn apply(&mut self, event: &ApiKeyEvent) {
        match (event, &mut self.0) {
            (ApiKeyEvent::Issued(event), state) => {
                *state = Some(Key {
                    user_id: event.user_id,
                    name: event.name.clone(),
                    prefix: event.prefix.clone(),
                    secret_hash: event.secret_hash.clone(),
                    scopes: event.scopes.clone(),
                    expires_at: event.expires_at,
                    standing: Standing::Valid,
                });
            }
            (ApiKeyEvent::Rotated(event), Some(key)) => {
                key.prefix = event.prefix.clone();
                key.secret_hash = event.secret_hash.clone();
                key.expires_at = event.expires_at;
            }
            (ApiKeyEvent::Revoked(_), Some(key)) => key.standing = Standing::Revoked,
            (ApiKeyEvent::Expired(_), Some(key)) => key.standing = Standing::Expired,
            (ApiKeyEvent::Rotated(_) | ApiKeyEvent::Revoked(_) | ApiKeyEvent::Expired(_), None) => {
            }
        }
    }

    fn effects(&self, _: Uuid, event: &ApiKeyEvent) -> Effects {
        let claim = |prefix: &KeyPrefix| vec![Claim::new(PREFIX_CLAIM, prefix.as_str())];
        match event {
            ApiKeyEvent::Issued(event) => Effects {
                lifecycle: Lifecycle::Opens,
                claims: claim(&event.prefix),
                references: vec![event.user_id],
                ..Effects::default()
            },
            ApiKeyEvent::Rotated(event) if event.from_prefix == event.prefix => Effects::default(),
            ApiKeyEvent::Rotated(event) => Effects {
                claims: claim(&event.prefix),
                releases: claim(&event.from_prefix),
                ..Effects::default()
            },
            ApiKeyEvent::Revoked(_) | ApiKeyEvent::Expired(_) => {
                Effects { lifecycle: Lifecycle::Closes, ..Effects::default() }
            }
        }
    }
}
