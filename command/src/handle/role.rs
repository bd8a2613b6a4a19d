//! Commands of roles. Granting rests on the permission; deleting takes the role away from every
//! user who has it, in the same append.

use daybook_domain::aggregate::Aggregate;
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

/// Users who have the role hold it. One who gets it meanwhile makes append refuse, and this is
/// tried again.
async fn delete(work: &mut Work<'_>, command: &RoleCommand) -> Result<Attempt, CommandError> {
    let role = work.order.stream;
    let unit = work.hold::<Role>(&[]).await?;
    let decided = work.decide::<Role>(&unit, command, &RoleFacts::default());
    if !decided.as_ref().is_ok_and(|events| !events.is_empty()) {
        return work.conclude(unit, decided.map(Decided::<Role>::alone));
    }
    let at_most = i64::try_from(MAX_UNASSIGNED).unwrap_or(i64::MAX) + 1;
    let users = work.engine.log.holders_of_kind(role, User::KIND, at_most).await?;
    if users.len() > MAX_UNASSIGNED {
        let refusal = RoleError::TooManyUsers { assigned: users.len() };
        return work.conclude::<Role>(unit, Err(CommandError::refused(&refusal)));
    }
    // Streams are locked in one order only, so all are taken anew.
    drop(unit);
    let mut unit = work.hold::<Role>(&users).await?;
    for user in &users {
        unit.load::<User>(*user).await?;
    }
    let decided = work.decide::<Role>(&unit, command, &RoleFacts::default());
    let decided = decided.map(|events| Decided::<Role> {
        events,
        also: Box::new(move |unit, order| {
            for user in users {
                if unit.state::<User>(user)?.has_role(role) {
                    let unassigned = RoleUnassigned { role_id: role }.into();
                    unit.record::<User>(user, &[unassigned], order.occurred_at)?;
                }
            }
            Ok(())
        }),
    });
    work.conclude_last(unit, decided)
}
