//! Commands of roles. Granting rests on the permission; deleting takes the role away from every
//! user who has it, in the same append.

use daybook_domain::identity::permission::Permission;
use daybook_domain::identity::role::{
    MAX_UNASSIGNED, Role, RoleCommand, RoleError, RoleFacts, commands::GrantPermission,
};
use daybook_domain::identity::user::{User, events::RoleUnassigned};

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of a role.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &RoleCommand,
) -> Result<Attempt, CommandError> {
    match command {
        RoleCommand::GrantPermission(GrantPermission { permission_id }) => {
            let permission = *permission_id;
            work.apart("/permission_id", permission)?;
            let mut unit = work.hold::<Role>(&[permission]).await?;
            let found = unit.load::<Permission>(permission).await?.clone();
            let facts = RoleFacts { permission: Some(found) };
            let decided = work.decide::<Role>(&unit, command, &facts);
            work.conclude(unit, decided.map(|events| Decided::<Role>::guarding(events, permission)))
        }
        RoleCommand::Delete(_) => delete(work, command).await,
        RoleCommand::Create(_) | RoleCommand::Describe(_) | RoleCommand::RevokePermission(_) => {
            super::plain::<Role>(work, command).await
        }
    }
}

/// Users who have the role hold it, and nobody else does. One who gets it meanwhile is found by the
/// next attempt.
async fn delete(work: &mut Work<'_>, command: &RoleCommand) -> Result<Attempt, CommandError> {
    let role = work.order.stream;
    let unit = work.hold::<Role>(&[]).await?;
    let decided = work.decide::<Role>(&unit, command, &RoleFacts::default());
    if !decided.as_ref().is_ok_and(|events| !events.is_empty()) {
        return work.conclude(unit, decided.map(Decided::<Role>::alone));
    }
    let at_most = i64::try_from(MAX_UNASSIGNED).unwrap_or(i64::MAX) + 1;
    let users = work.engine.log.holders_known(role, at_most).await?;
    if users.len() > MAX_UNASSIGNED {
        let refusal = RoleError::TooManyUsers { assigned: users.len() };
        return work.conclude::<Role>(unit, Err(CommandError::refused(&refusal)));
    }
    let decided = decided.map(|events| Decided::<Role> {
        events,
        also: Box::new(move |unit, order| {
            let unassigned = RoleUnassigned { role_id: role }.into();
            for user in users {
                let (id, version) = (user.stream_id, user.version);
                unit.record_unseen::<User>(id, version, &unassigned, order.occurred_at)?;
            }
            Ok(())
        }),
    });
    work.conclude_last(unit, decided)
}
