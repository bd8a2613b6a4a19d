//! The roster of administrators: who could mend everything else.
//!
//! One small stream that every change of who is an active administrator also
//! writes to, in the same request. So two requests that each take one of the
//! last two away meet on its version, and the second is decided again.
//! Absent on purpose: an HTTP route; the write side sends its commands by
//! [`follow`] alone.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::user::{User, UserEvent};
use crate::aggregate::{Aggregate, Effects, Lifecycle, Refusal, RefusalSort};
use crate::context::Context;

/// The roster's stream.
pub const ADMINS_STREAM: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0010);

/// The active administrators, parts of the service not among them.
///
/// Never empty again once the first one was added.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Admins {
    users: BTreeSet<Uuid>,
}

impl Admins {
    /// Whether this user is one of them.
    #[must_use]
    pub fn contains(&self, user: Uuid) -> bool {
        self.users.contains(&user)
    }

    /// Who they are, by id.
    pub fn users(&self) -> impl ExactSizeIterator<Item = Uuid> {
        self.users.iter().copied()
    }
}

/// Puts a user on the roster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The user.
    pub user_id: Uuid,
}

/// Takes a user off the roster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// The user.
    pub user_id: Uuid,
}

crate::commands! {
    /// What can be asked of the roster.
    pub enum AdminsCommand {
        "add" => Add,
        "remove" => Remove,
    }
}

/// A user became an active administrator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Added {
    /// The user.
    pub user_id: Uuid,
}

/// A user is an active administrator no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    /// The user.
    pub user_id: Uuid,
}

crate::events! {
    /// What can have happened to the roster.
    pub enum AdminsEvent {
        "identity.admins.added" @ 1 => Added,
        "identity.admins.removed" @ 1 => Removed,
    }
}

/// Why the roster may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdminsError {
    /// Nobody would be left.
    #[error(
        "{user_id} is the last active administrator of 1: make another one before this one is demoted, suspended, deactivated or deleted"
    )]
    LastAdmin {
        /// The one who must stay.
        user_id: Uuid,
    },
}

impl Refusal for AdminsError {
    fn code(&self) -> &'static str {
        match self {
            Self::LastAdmin { .. } => "last-administrator",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::LastAdmin { .. } => RefusalSort::Rule,
        }
    }
}

/// Whether these events of a user change who is an active administrator, so
/// that the roster must be loaded and [`follow`] asked. Most do not.
#[must_use]
pub fn concerns(before: &User, events: &[UserEvent]) -> bool {
    before.counts_as_admin() != after(before, events).counts_as_admin()
}

/// What the roster says to new events of the user `user_id`, who stood at
/// `before`: its own events, to be appended with them, or the refusal.
///
/// # Errors
/// The user is the last active administrator and would be one no more.
pub fn follow(
    roster: &Admins,
    user_id: Uuid,
    before: &User,
    events: &[UserEvent],
    context: &Context,
) -> Result<Vec<AdminsEvent>, AdminsError> {
    let command = if after(before, events).counts_as_admin() {
        AdminsCommand::Add(Add { user_id })
    } else {
        AdminsCommand::Remove(Remove { user_id })
    };
    roster.decide(&command, &(), context)
}

fn after(before: &User, events: &[UserEvent]) -> User {
    let mut user = before.clone();
    for event in events {
        user.apply(event);
    }
    user
}

impl Aggregate for Admins {
    const KIND: &'static str = "identity.admins";
    type Command = AdminsCommand;
    type Event = AdminsEvent;
    type Error = AdminsError;
    type Facts = ();

    fn decide(
        &self,
        command: &AdminsCommand,
        (): &(),
        _: &Context,
    ) -> Result<Vec<AdminsEvent>, AdminsError> {
        match *command {
            AdminsCommand::Add(Add { user_id }) if self.contains(user_id) => Ok(vec![]),
            AdminsCommand::Add(Add { user_id }) => Ok(vec![Added { user_id }.into()]),
            AdminsCommand::Remove(Remove { user_id }) if !self.contains(user_id) => Ok(vec![]),
            AdminsCommand::Remove(Remove { user_id }) if self.users.len() == 1 => {
                Err(AdminsError::LastAdmin { user_id })
            }
            AdminsCommand::Remove(Remove { user_id }) => Ok(vec![Removed { user_id }.into()]),
        }
    }

    fn apply(&mut self, event: &AdminsEvent) {
        match event {
            AdminsEvent::Added(event) => {
                self.users.insert(event.user_id);
            }
            AdminsEvent::Removed(event) => {
                self.users.remove(&event.user_id);
            }
        }
    }

    fn effects(&self, _: Uuid, event: &AdminsEvent) -> Effects {
        match event {
            AdminsEvent::Added(_) if self.users.is_empty() => {
                Effects { lifecycle: Lifecycle::Opens, ..Effects::default() }
            }
            AdminsEvent::Added(_) | AdminsEvent::Removed(_) => Effects::default(),
        }
    }
}

#[cfg(test)]
mod tests;
