//! Commands of notifications. Giving one rests on its user being there.

use daybook_domain::identity::user::User;
use daybook_domain::platform::notification::{
    Notification, NotificationCommand, NotificationFacts,
};

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of a notification.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &NotificationCommand,
) -> Result<Attempt, CommandError> {
    match command {
        NotificationCommand::Notify(notify) => {
            let user = notify.user_id;
            work.apart_from(user)?;
            let mut unit = work.hold::<Notification>(&[user]).await?;
            let facts = NotificationFacts { user: Some(unit.load::<User>(user).await?.clone()) };
            let decided = work.decide::<Notification>(&unit, command, &facts);
            // No guard: the event refers to the user, which append refuses once they are deleted.
            work.conclude(unit, decided.map(Decided::<Notification>::alone))
        }
        NotificationCommand::MarkRead(_) | NotificationCommand::Dismiss(_) => {
            super::plain::<Notification>(work, command).await
        }
    }
}
