//! A notification: what the platform tells one of its users.
//!
//! A dismissed one stays on record and is done with. Absent on purpose: sending
//! it anywhere; who wants to know reads the log or the table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Owned;
use crate::aggregate::{Aggregate, Effects, Lifecycle, Refusal, RefusalSort};
use crate::context::Context;
use crate::identity::user::User;
use crate::values::{NotificationKind, Personal, Text, UserStatus};

/// A notification as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Notification(Option<Notice>);

/// A notification that was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Whom it tells.
    pub user_id: Uuid,
    /// Whether they have read it.
    pub is_read: bool,
    /// Whether they are done with it.
    pub is_dismissed: bool,
}

/// What a notification must know of its user.
#[derive(Debug, Clone, Default)]
pub struct NotificationFacts {
    /// The user's state; `None` or an empty one: there is no such user.
    pub user: Option<User>,
}

/// Tells a user something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// Whom; a user who is not deleted.
    pub user_id: Uuid,
    /// In a few words.
    pub title: Personal<Text<255>>,
    /// In full.
    #[serde(default)]
    pub message: Option<Personal<Text<4000>>>,
    /// How it is meant; for information where absent.
    #[serde(default)]
    pub kind: NotificationKind,
    /// Where to go from it.
    #[serde(default)]
    pub link: Option<Personal<Text<2000>>>,
}

/// Says that the user has read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkRead {}

/// Says that the user is done with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dismiss {}

crate::commands! {
    /// What can be asked of a notification.
    pub enum NotificationCommand {
        "notify" => Notify,
        "mark_read" => MarkRead,
        "dismiss" => Dismiss,
    }
}

/// A user was told something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notified {
    /// Whom.
    pub user_id: Uuid,
    /// In a few words.
    pub title: Personal<Text<255>>,
    /// In full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Personal<Text<4000>>>,
    /// How it is meant.
    pub kind: NotificationKind,
    /// Where to go from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Personal<Text<2000>>>,
}

/// The user has read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MarkedRead {}

/// The user is done with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dismissed {}

crate::events! {
    /// What can have happened to a notification.
    pub enum NotificationEvent {
        "platform.notification.notified" @ 1 => Notified,
        "platform.notification.marked_read" @ 1 => MarkedRead,
        "platform.notification.dismissed" @ 1 => Dismissed,
    }
}

/// Why a notification may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// Nobody was told anything under this id.
    #[error("there is no such notification")]
    Unknown,
    /// Somebody was told something under this id before.
    #[error("this notification was given already")]
    AlreadyGiven,
    /// The user does not exist.
    #[error("there is no user {user_id} to be told")]
    UserUnknown {
        /// Who should be told.
        user_id: Uuid,
    },
    /// The user is deleted.
    #[error("the user {user_id} is deleted and is told nothing")]
    UserDeleted {
        /// Who should be told.
        user_id: Uuid,
    },
    /// The user is done with it.
    #[error("the notification is dismissed")]
    Dismissed,
}

impl Refusal for NotificationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "notification-not-found",
            Self::AlreadyGiven => "notification-already-given",
            Self::UserUnknown { .. } => "user-not-found",
            Self::UserDeleted { .. } => "user-deleted",
            Self::Dismissed => "notification-dismissed",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyGiven => RefusalSort::Exists,
            Self::UserUnknown { .. } | Self::UserDeleted { .. } | Self::Dismissed => {
                RefusalSort::Rule
            }
        }
    }
}

impl Notification {
    /// The notification, once given.
    #[must_use]
    pub fn notice(&self) -> Option<&Notice> {
        self.0.as_ref()
    }
}

impl Owned for Notification {
    fn owner(&self, _: Uuid, command: &NotificationCommand) -> Option<Uuid> {
        match (&self.0, command) {
            (Some(notice), _) => Some(notice.user_id),
            (None, NotificationCommand::Notify(command)) => Some(command.user_id),
            (None, NotificationCommand::MarkRead(_) | NotificationCommand::Dismiss(_)) => None,
        }
    }
}

type Decision = Result<Vec<NotificationEvent>, NotificationError>;

impl Aggregate for Notification {
    const KIND: &'static str = "platform.notification";
    type Command = NotificationCommand;
    type Event = NotificationEvent;
    type Error = NotificationError;
    type Facts = NotificationFacts;

    fn decide(
        &self,
        command: &NotificationCommand,
        facts: &NotificationFacts,
        _: &Context,
    ) -> Decision {
        match command {
            NotificationCommand::Notify(command) => notify(self, command, facts),
            NotificationCommand::MarkRead(_) => {
                let notice = known(self)?;
                match (notice.is_read, notice.is_dismissed) {
                    (true, _) => Ok(vec![]),
                    (false, true) => Err(NotificationError::Dismissed),
                    (false, false) => Ok(vec![MarkedRead {}.into()]),
                }
            }
            NotificationCommand::Dismiss(_) if known(self)?.is_dismissed => Ok(vec![]),
            NotificationCommand::Dismiss(_) => Ok(vec![Dismissed {}.into()]),
        }
    }

    fn apply(&mut self, event: &NotificationEvent) {
        match (event, &mut self.0) {
            (NotificationEvent::Notified(event), state) => {
                let user_id = event.user_id;
                *state = Some(Notice { user_id, is_read: false, is_dismissed: false });
            }
            (NotificationEvent::MarkedRead(_), Some(notice)) => notice.is_read = true,
            (NotificationEvent::Dismissed(_), Some(notice)) => notice.is_dismissed = true,
            (NotificationEvent::MarkedRead(_) | NotificationEvent::Dismissed(_), None) => {}
        }
    }

    fn effects(&self, _: Uuid, event: &NotificationEvent) -> Effects {
        match event {
            NotificationEvent::Notified(event) => Effects {
                lifecycle: Lifecycle::Opens,
                references: vec![event.user_id],
                ..Effects::default()
            },
            NotificationEvent::MarkedRead(_) => Effects::default(),
            NotificationEvent::Dismissed(_) => {
                Effects { lifecycle: Lifecycle::Closes, ..Effects::default() }
            }
        }
    }
}

fn known(notification: &Notification) -> Result<&Notice, NotificationError> {
    notification.notice().ok_or(NotificationError::Unknown)
}

fn notify(notification: &Notification, command: &Notify, facts: &NotificationFacts) -> Decision {
    if notification.notice().is_some() {
        return Err(NotificationError::AlreadyGiven);
    }
    let user_id = command.user_id;
    match facts.user.as_ref().and_then(|user| user.status()) {
        None => return Err(NotificationError::UserUnknown { user_id }),
        Some(UserStatus::Deleted) => return Err(NotificationError::UserDeleted { user_id }),
        Some(UserStatus::Active | UserStatus::Inactive | UserStatus::Suspended) => {}
    }
    Ok(vec![
        Notified {
            user_id,
            title: command.title.clone(),
            message: command.message.clone(),
            kind: command.kind,
            link: command.link.clone(),
        }
        .into(),
    ])
}

#[cfg(test)]
mod tests;
