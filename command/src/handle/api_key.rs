//! Commands of API keys. Issuing one rests on its owner being active and on
//! what the owner's role allows.

use daybook_domain::aggregate::Aggregate;
use daybook_domain::identity::api_key::{ApiKey, ApiKeyCommand, Facts};
use daybook_domain::identity::user::User;
use uuid::Uuid;

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of an API key.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &ApiKeyCommand,
) -> Result<Attempt, CommandError> {
    match command {
        ApiKeyCommand::Issue(issue) => attempt_issue(work, command, issue.user_id).await,
        ApiKeyCommand::Rotate(_) | ApiKeyCommand::Revoke(_) => {
            let stream = work.order.stream;
            let unit = work.hold::<ApiKey>(&[]).await?;
            let decided = unit.state::<ApiKey>(stream).and_then(|key| {
                let own = key.owner() == Some(work.order.caller.actor.id);
                work.check::<ApiKey>(&unit, own)?;
                key.decide(command, &Facts::default(), work.context)
                    .map_err(|refusal| CommandError::refused(&refusal))
            });
            work.conclude(unit, decided.map(Decided::alone))
        }
    }
}

async fn attempt_issue(
    work: &mut Work<'_>,
    command: &ApiKeyCommand,
    owner: Uuid,
) -> Result<Attempt, CommandError> {
    let stream = work.order.stream;
    let mut unit = work.hold::<ApiKey>(&[owner]).await?;
    let facts = Facts { owner: unit.load::<User>(owner).await?.clone().into() };
    let decided = work
        .check::<ApiKey>(&unit, owner == work.order.caller.actor.id)
        .and_then(|()| {
            unit.state::<ApiKey>(stream)?
                .decide(command, &facts, work.context)
                .map_err(|refusal| CommandError::refused(&refusal))
        })
        .map(|events| Decided {
            events,
            also: Box::new(move |unit, _| {
                unit.guard(owner);
                Ok(())
            }),
        });
    work.conclude(unit, decided)
}
