//! Commands of users. One that changes who is an active administrator writes
//! the roster of administrators in the same append. A deletion names the
//! organizations that the user owns, which hold the user.

use daybook_domain::aggregate::Aggregate;
use daybook_domain::identity::admins::{self, ADMINS_STREAM, Admins};
use daybook_domain::identity::role::Role;
use daybook_domain::identity::session::Session;
use daybook_domain::identity::user::{
    MAX_CLOSED, User, UserCommand, UserError, UserFacts,
    commands::{AssignRole, CloseSessions},
};

use daybook_domain::organizations::organization::Organization;
use uuid::Uuid;

use super::{Decided, Work, session};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of a user.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &UserCommand,
) -> Result<Attempt, CommandError> {
    if let UserCommand::AssignRole(AssignRole { role_id }) = command {
        return attempt_assignment(work, command, *role_id).await;
    }
    if let UserCommand::CloseSessions(closing) = command {
        return close_sessions(work, command, closing).await;
    }
    let facts = facts(work, command).await?;
    let unit = work.hold::<User>(&[]).await?;
    let decided = work.decide::<User>(&unit, command, &facts);
    let concerned = match &decided {
        Ok(events) => admins::concerns(unit.state::<User>(work.order.stream)?, events),
        Err(_) => false,
    };
    if !concerned {
        return work.conclude(unit, decided.map(Decided::<User>::alone));
    }
    // Streams are locked in one order only, so both are taken anew.
    drop(unit);
    attempt_with_roster(work, command, &facts).await
}

/// How many of the organizations that a user owns a deletion looks at.
const OWNED: i64 = 11;

/// What a deletion must know: which organizations hold the user, as is committed now. Append looks
/// again, at all that hold.
async fn facts(work: &Work<'_>, command: &UserCommand) -> Result<UserFacts, CommandError> {
    if !matches!(command, UserCommand::Delete(_)) {
        return Ok(UserFacts::default());
    }
    let log = &work.engine.log;
    let owns = log.holders_of_kind(work.order.stream, Organization::KIND, OWNED).await?;
    Ok(UserFacts { owns, ..UserFacts::default() })
}

async fn attempt_assignment(
    work: &mut Work<'_>,
    command: &UserCommand,
    role: Uuid,
) -> Result<Attempt, CommandError> {
    work.apart("/role_id", role)?;
    let mut unit = work.hold::<User>(&[role]).await?;
    let role_found = unit.load::<Role>(role).await?.clone();
    let facts = UserFacts { role: Some(role_found), ..UserFacts::default() };
    let decided = work.decide::<User>(&unit, command, &facts);
    work.conclude(unit, decided.map(|events| Decided::<User>::guarding(events, role)))
}

/// Open sessions hold their user. Nothing happens to the user; each session has an event.
async fn close_sessions(
    work: &mut Work<'_>,
    command: &UserCommand,
    wanted: &CloseSessions,
) -> Result<Attempt, CommandError> {
    let unit = work.hold::<User>(&[]).await?;
    let decided = work.decide::<User>(&unit, command, &UserFacts::default());
    if decided.is_err() {
        return work.conclude(unit, decided.map(Decided::<User>::alone));
    }
    let at_most = i64::try_from(MAX_CLOSED).unwrap_or(i64::MAX) + 1;
    let mut sessions = work.engine.log.holders_known(work.order.stream, at_most).await?;
    sessions.retain(|holder| holder.kind == Session::KIND);
    if sessions.len() > MAX_CLOSED {
        let refusal = UserError::TooManySessions { open: sessions.len() };
        return work.conclude::<User>(unit, Err(CommandError::refused(&refusal)));
    }
    let closed = session::closing(work.engine, &sessions, wanted.reason.clone()).await?;
    let decided = decided.map(|events| Decided::<User> {
        events,
        also: Box::new(move |unit, order| {
            for (id, version, event) in &closed {
                unit.record_unseen::<Session>(*id, *version, event, order.occurred_at)?;
            }
            Ok(())
        }),
    });
    work.conclude(unit, decided)
}

async fn attempt_with_roster(
    work: &mut Work<'_>,
    command: &UserCommand,
    facts: &UserFacts,
) -> Result<Attempt, CommandError> {
    let stream = work.order.stream;
    let mut unit = work.hold::<User>(&[ADMINS_STREAM]).await?;
    unit.load::<Admins>(ADMINS_STREAM).await?;
    let decided = work.decide::<User>(&unit, command, facts).and_then(|events| {
        let user = unit.state::<User>(stream)?;
        if !admins::concerns(user, &events) {
            return Ok(Decided::<User>::alone(events));
        }
        let roster = unit.state::<Admins>(ADMINS_STREAM)?;
        let changes = admins::follow(roster, stream, user, &events, work.context)
            .map_err(|refusal| CommandError::refused(&refusal))?;
        Ok(Decided {
            events,
            also: Box::new(move |unit, order| {
                unit.record::<Admins>(ADMINS_STREAM, &changes, order.occurred_at)
            }),
        })
    });
    work.conclude(unit, decided)
}
