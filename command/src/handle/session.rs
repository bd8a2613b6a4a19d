//! Commands of sessions. Opening and extending one rests on its user being active, opening it also
//! on the user's being a member of the organization on whose behalf it is.

use daybook_domain::identity::session::{
    Session, SessionCommand, SessionEvent, SessionFacts, commands::Open,
};
use daybook_domain::identity::user::User;
use daybook_domain::organizations::organization::Organization;
use daybook_domain::values::Reason;
use daybook_store::Known;
use futures::{StreamExt, TryStreamExt};
use uuid::Uuid;

use super::{Decided, Work};
use crate::engine::{Attempt, Engine};
use crate::error::CommandError;
use crate::load;

/// How many sessions are loaded at a time.
const AT_A_TIME: usize = 8;

/// One attempt at a command of a session.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &SessionCommand,
) -> Result<Attempt, CommandError> {
    match command {
        SessionCommand::Open(wanted) => open(work, command, wanted).await,
        SessionCommand::Extend(_) => extend(work, command).await,
        SessionCommand::Close(_) | SessionCommand::Expire(_) => {
            super::plain::<Session>(work, command).await
        }
    }
}

async fn extend(work: &mut Work<'_>, command: &SessionCommand) -> Result<Attempt, CommandError> {
    let unit = work.hold::<Session>(&[]).await?;
    let visit = unit.state::<Session>(work.order.stream)?.visit();
    let Some(user) = visit.map(|visit| visit.user_id) else {
        let decided = work.decide::<Session>(&unit, command, &SessionFacts::default());
        return work.conclude(unit, decided.map(Decided::<Session>::alone));
    };
    // Streams are locked in one order only, so both are taken anew.
    drop(unit);
    let mut unit = work.hold::<Session>(&[user]).await?;
    let person = unit.load::<User>(user).await?.clone();
    let facts = SessionFacts { user: Some(person), organization: None };
    let decided = work.decide::<Session>(&unit, command, &facts);
    work.conclude(unit, decided.map(|events| Decided::<Session>::guarding(events, user)))
}

async fn open(
    work: &mut Work<'_>,
    command: &SessionCommand,
    wanted: &Open,
) -> Result<Attempt, CommandError> {
    let (user, organization) = (wanted.user_id, wanted.org_id);
    work.apart_from(user)?;
    let mut read = vec![user];
    if let Some(organization) = organization {
        work.apart("/org_id", organization)?;
        read.push(organization);
    }
    let mut unit = work.hold::<Session>(&read).await?;
    let mut facts = SessionFacts {
        user: Some(unit.load::<User>(user).await?.clone()),
        ..SessionFacts::default()
    };
    if let Some(organization) = organization {
        facts.organization = Some(unit.load::<Organization>(organization).await?.clone());
    }
    let decided = work.decide::<Session>(&unit, command, &facts);
    let decided = decided.map(|events| Decided::<Session> {
        events,
        also: Box::new(move |unit, _| {
            for stream in read {
                unit.guard(stream);
            }
            Ok(())
        }),
    });
    work.conclude(unit, decided)
}

/// What happens to these sessions when they are closed together: each with the version on which
/// that was decided, and its event. Those that ended meanwhile are left out.
pub(crate) async fn closing(
    engine: &Engine,
    sessions: &[Known],
    reason: Option<Reason>,
) -> Result<Vec<(Uuid, i64, SessionEvent)>, CommandError> {
    let ids: Vec<Uuid> = sessions.iter().map(|session| session.stream_id).collect();
    let closed: Vec<_> = futures::stream::iter(ids)
        .map(|id| {
            let reason = reason.clone();
            async move {
                let loaded = load::stream::<Session>(&engine.log, id).await?;
                let event = loaded.state.closed_with_others(reason);
                Ok::<_, CommandError>(event.map(|event| (id, loaded.version, event)))
            }
        })
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    Ok(closed.into_iter().flatten().collect())
}
