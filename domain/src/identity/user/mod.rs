//! A user: who signs in, acts and owns.
//!
//! A user's stream is the user's id. Its email and username are claimed for as
//! long as the record is there, so a deleted user keeps them. Beside the built-in role a user has
//! any number of assigned ones, which the user holds, so that a role that goes finds them.

pub mod commands;
mod decide;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::role::Role;
use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Hold, Lifecycle};
use crate::context::Context;
use crate::values::{
    Email, FullName, NamePart, PasswordHash, Personal, Phone, Prose, SecretHash, UserRole,
    UserStatus, Username, WebAddress,
};

pub use commands::UserCommand;
pub use errors::UserError;
pub use events::UserEvent;

/// How many failures in a row lock.
pub const FAILURES_TO_LOCK: u32 = 5;
/// For how long nobody can sign in as the user after that.
pub const LOCK_FOR: Duration = Duration::minutes(15);
/// How many roles a user has at most beside the built-in one.
pub const MAX_ROLES: usize = 100;
/// How many sessions are closed in one request at most.
pub const MAX_CLOSED: usize = 10_000;
/// The scope of claims on emails (lower case).
pub const EMAIL_CLAIM: &str = "user.email";
/// The scope of claims on usernames (lower case).
pub const USERNAME_CLAIM: &str = "user.username";

/// A user as their events left them; nobody before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct User(Option<Person>);

/// Someone who was registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// The name to sign in with.
    pub username: Personal<Username>,
    /// The address.
    pub email: Personal<Email>,
    /// Whether the address was shown to be theirs.
    pub is_verified: bool,
    /// SHA-256 of the token that would show it.
    pub verification_token_hash: Option<SecretHash>,
    /// Names and telephone number.
    pub profile: Profile,
    /// What they say of themselves; `None`: nothing ever.
    #[serde(default)]
    pub description: Option<Description>,
    /// The hash of the password.
    pub password_hash: PasswordHash,
    /// The built-in role.
    pub role: UserRole,
    /// The roles that they were assigned beside it.
    #[serde(default)]
    pub roles: BTreeSet<Uuid>,
    /// Whether the user is a part of the service, not a person.
    pub is_system: bool,
    /// Whether they may act.
    pub status: UserStatus,
    /// Where they stood before a deletion; where they stand again after a restoration.
    pub status_before_deletion: UserStatus,
    /// Failures to sign in since the last success, lock or unlocking.
    pub failures: u32,
    /// Until when nobody can sign in as them.
    pub locked_until: Option<DateTime<Utc>>,
}

/// Names and telephone number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The whole name.
    pub full_name: Personal<FullName>,
    /// The first name.
    pub first_name: Personal<NamePart>,
    /// The last name; may be empty.
    pub last_name: Personal<NamePart>,
    /// A telephone number.
    pub phone: Option<Personal<Phone>>,
}

/// What somebody says of themselves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// In their own words.
    pub bio: Option<Personal<Prose<5000>>>,
    /// Where a picture of them is.
    pub avatar_url: Option<Personal<WebAddress>>,
}

/// What a user must know of others.
#[derive(Debug, Clone, Default)]
pub struct UserFacts {
    /// The role that is to be assigned, read under a guard; `None` or one not standing: there is no
    /// such role.
    pub role: Option<Role>,
    /// For a deletion: organizations that the user owns, some of them where there are many. Each holds
    /// the user, so that one that came in between is in the way of the deletion all the same.
    pub owns: Vec<Uuid>,
}

impl User {
    /// The person, once registered.
    #[must_use]
    pub fn person(&self) -> Option<&Person> {
        self.0.as_ref()
    }

    /// Where the user stands; `None` before registration.
    #[must_use]
    pub fn status(&self) -> Option<UserStatus> {
        self.0.as_ref().map(|person| person.status)
    }

    /// Whether the user has this role beside the built-in one.
    #[must_use]
    pub fn has_role(&self, role: Uuid) -> bool {
        self.0.as_ref().is_some_and(|person| person.roles.contains(&role))
    }

    /// Whether the user may act and own.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status() == Some(UserStatus::Active)
    }

    /// Whether this is one of the administrators of whom one must stay: an
    /// active person with the role. Parts of the service do not count.
    #[must_use]
    pub fn counts_as_admin(&self) -> bool {
        self.0.as_ref().is_some_and(|person| {
            person.role == UserRole::Admin
                && person.status == UserStatus::Active
                && !person.is_system
        })
    }
}

impl Person {
    /// Until when nobody can sign in as them, if that is after `at`.
    #[must_use]
    pub fn locked_at(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.locked_until.filter(|until| *until > at)
    }
}

impl Owned for User {
    fn owner(&self, stream: Uuid, _: &UserCommand) -> Option<Uuid> {
        Some(stream)
    }
}

impl Aggregate for User {
    const KIND: &'static str = "identity.user";
    type Command = UserCommand;
    type Event = UserEvent;
    type Error = UserError;
    type Facts = UserFacts;

    fn decide(
        &self,
        command: &UserCommand,
        facts: &UserFacts,
        context: &Context,
    ) -> Result<Vec<UserEvent>, UserError> {
        decide::decide(self, command, facts, context)
    }

    fn apply(&mut self, event: &UserEvent) {
        if let UserEvent::Registered(event) = event {
            self.0 = Some(Person::registered(event));
        } else if let Some(person) = &mut self.0 {
            person.apply(event);
        }
    }

    fn effects(&self, _: Uuid, event: &UserEvent) -> Effects {
        match event {
            UserEvent::Registered(event) => Effects {
                lifecycle: Lifecycle::Opens,
                claims: vec![
                    Claim::new(EMAIL_CLAIM, event.email.key()),
                    Claim::new(USERNAME_CLAIM, event.username.key()),
                ],
                ..Effects::default()
            },
            UserEvent::EmailChanged(event) => moved(EMAIL_CLAIM, event.from.key(), event.to.key()),
            UserEvent::UsernameChanged(event) => {
                moved(USERNAME_CLAIM, event.from.key(), event.to.key())
            }
            UserEvent::Deleted(_) => Effects { lifecycle: Lifecycle::Closes, ..Effects::default() },
            UserEvent::Restored(_) => {
                Effects { lifecycle: Lifecycle::Reopens, ..Effects::default() }
            }
            UserEvent::RoleAssigned(event) => Effects {
                references: vec![event.role_id],
                holds: vec![Hold { target: event.role_id, expires_at: None }],
                ..Effects::default()
            },
            UserEvent::RoleUnassigned(event) => {
                Effects { unholds: vec![event.role_id], ..Effects::default() }
            }
            UserEvent::EmailVerified(_)
            | UserEvent::VerificationRequested(_)
            | UserEvent::ProfileChanged(_)
            | UserEvent::Described(_)
            | UserEvent::PasswordChanged(_)
            | UserEvent::RoleChanged(_)
            | UserEvent::LoggedIn(_)
            | UserEvent::LoginFailed(_)
            | UserEvent::Unlocked(_)
            | UserEvent::Suspended(_)
            | UserEvent::Deactivated(_)
            | UserEvent::Reactivated(_) => Effects::default(),
        }
    }
}

/// One key given back and another one taken; nothing where only the case changed.
fn moved(scope: &'static str, from: String, to: String) -> Effects {
    if from == to {
        return Effects::default();
    }
    Effects {
        claims: vec![Claim::new(scope, to)],
        releases: vec![Claim::new(scope, from)],
        ..Effects::default()
    }
}

impl Person {
    fn registered(event: &events::Registered) -> Self {
        Self {
            username: event.username.clone(),
            email: event.email.clone(),
            is_verified: false,
            verification_token_hash: event.verification_token_hash.clone(),
            profile: Profile {
                full_name: event.full_name.clone(),
                first_name: event.first_name.clone(),
                last_name: event.last_name.clone(),
                phone: event.phone.clone(),
            },
            description: None,
            password_hash: event.password_hash.clone(),
            role: event.role,
            roles: BTreeSet::new(),
            is_system: event.is_system,
            status: UserStatus::Active,
            status_before_deletion: UserStatus::Active,
            failures: 0,
            locked_until: None,
        }
    }

    fn apply(&mut self, event: &UserEvent) {
        match event {
            UserEvent::Registered(event) => *self = Self::registered(event),
            UserEvent::EmailVerified(_) => {
                self.is_verified = true;
                self.verification_token_hash = None;
            }
            UserEvent::VerificationRequested(event) => {
                self.verification_token_hash = Some(event.verification_token_hash.clone());
            }
            UserEvent::EmailChanged(event) => {
                self.email = event.to.clone();
                self.is_verified = false;
                self.verification_token_hash = Some(event.verification_token_hash.clone());
            }
            UserEvent::UsernameChanged(event) => self.username = event.to.clone(),
            UserEvent::ProfileChanged(event) => {
                self.profile = Profile {
                    full_name: event.full_name.clone(),
                    first_name: event.first_name.clone(),
                    last_name: event.last_name.clone(),
                    phone: event.phone.clone(),
                };
            }
            UserEvent::Described(event) => {
                self.description = Some(Description {
                    bio: event.bio.clone(),
                    avatar_url: event.avatar_url.clone(),
                });
            }
            UserEvent::PasswordChanged(event) => self.password_hash = event.password_hash.clone(),
            UserEvent::RoleChanged(event) => self.role = event.to,
            UserEvent::RoleAssigned(event) => {
                self.roles.insert(event.role_id);
            }
            UserEvent::RoleUnassigned(event) => {
                self.roles.remove(&event.role_id);
            }
            UserEvent::LoginFailed(event) => {
                self.failures = event.failures;
                self.locked_until = event.locked_until;
            }
            UserEvent::LoggedIn(_) | UserEvent::Unlocked(_) => {
                self.failures = 0;
                self.locked_until = None;
            }
            UserEvent::Suspended(_) => self.status = UserStatus::Suspended,
            UserEvent::Deactivated(_) => self.status = UserStatus::Inactive,
            UserEvent::Reactivated(_) => self.status = UserStatus::Active,
            UserEvent::Deleted(_) => {
                self.status_before_deletion = self.status;
                self.status = UserStatus::Deleted;
            }
            UserEvent::Restored(event) => self.status = event.status,
        }
    }
}
