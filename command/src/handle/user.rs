//! Commands of users. Those that may change who is an administrator write the
//! roster of administrators in the same append.

use daybook_domain::aggregate::Aggregate;
use daybook_domain::context::Context;
use daybook_domain::identity::admins::{self, ADMINS_STREAM, Admins};
use daybook_domain::identity::user::{User, UserCommand, UserEvent};

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// Whether a command may put somebody on the roster or take them off.
fn touches_roster(command: &UserCommand) -> bool {
    match command {
        UserCommand::Register(_)
        | UserCommand::ChangeRole(_)
        | UserCommand::Suspend(_)
        | UserCommand::Deactivate(_)
        | UserCommand::Reactivate(_)
        | UserCommand::Delete(_)
        | UserCommand::Restore(_) => true,
        UserCommand::VerifyEmail(_)
        | UserCommand::RequestVerification(_)
        | UserCommand::ChangeEmail(_)
        | UserCommand::ChangeUsername(_)
        | UserCommand::ChangeProfile(_)
        | UserCommand::ChangePassword(_)
        | UserCommand::RecordLogin(_)
        | UserCommand::RecordFailedLogin(_)
        | UserCommand::Unlock(_) => false,
    }
}

/// One attempt at a command of a user.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &UserCommand,
) -> Result<Attempt, CommandError> {
    let stream = work.order.stream;
    let roster = touches_roster(command);
    let others: &[_] = if roster { &[ADMINS_STREAM] } else { &[] };
    let mut unit = work.hold::<User>(others).await?;
    if roster {
        unit.load::<Admins>(ADMINS_STREAM).await?;
    }
    let own = stream == work.order.caller.actor.id;
    let decided = work.check::<User>(&unit, own).and_then(|()| {
        let user = unit.state::<User>(stream)?;
        let events = user
            .decide(command, &(), work.context)
            .map_err(|refusal| CommandError::refused(&refusal))?;
        if !roster {
            return Ok(Decided::alone(events));
        }
        let admins = unit.state::<Admins>(ADMINS_STREAM)?;
        with_roster(stream, user, admins, events, work.context)
    });
    work.conclude(unit, decided)
}

fn with_roster(
    stream: uuid::Uuid,
    user: &User,
    admins: &Admins,
    events: Vec<UserEvent>,
    _context: &Context,
) -> Result<Decided<User>, CommandError> {
    let changes = admins::after(admins, stream, user, &events)
        .map_err(|refusal| CommandError::refused(&refusal))?;
    if changes.is_empty() {
        return Ok(Decided::alone(events));
    }
    Ok(Decided {
        events,
        also: Box::new(move |unit, order| {
            unit.record::<Admins>(ADMINS_STREAM, &changes, order.occurred_at)
        }),
    })
}
