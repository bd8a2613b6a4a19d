//! Commands of accounts. A transfer writes both accounts in one append; opening
//! one rests on its owner being active.

use daybook_domain::aggregate::Aggregate;
use daybook_domain::banking::account::{Account, AccountCommand, Facts, Transfer, transfer};
use daybook_domain::identity::user::User;
use uuid::Uuid;

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;
use crate::unit::Unit;

/// One attempt at a command of an account.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &AccountCommand,
) -> Result<Attempt, CommandError> {
    match command {
        AccountCommand::Open(open) => attempt_open(work, command, open.user_id).await,
        AccountCommand::Transfer(command) => attempt_transfer(work, command).await,
        AccountCommand::Rename(_)
        | AccountCommand::Deposit(_)
        | AccountCommand::Withdraw(_)
        | AccountCommand::ChargeFee(_)
        | AccountCommand::PostInterest(_)
        | AccountCommand::Pay(_)
        | AccountCommand::ReceiveTransfer(_)
        | AccountCommand::SendTransfer(_)
        | AccountCommand::CompleteTransaction(_)
        | AccountCommand::FailTransaction(_)
        | AccountCommand::CancelTransaction(_)
        | AccountCommand::SetOverdraftLimit(_)
        | AccountCommand::Freeze(_)
        | AccountCommand::Unfreeze(_)
        | AccountCommand::Close(_) => {
            let unit = work.hold::<Account>(&[]).await?;
            let decided = decide(work, &unit, command, &Facts::default()).map(Decided::alone);
            work.conclude(unit, decided)
        }
    }
}

/// Whether the account is the caller's.
fn own(work: &Work<'_>, account: &Account) -> bool {
    account.owner() == Some(work.order.caller.actor.id)
}

fn decide(
    work: &Work<'_>,
    unit: &Unit<'_>,
    command: &AccountCommand,
    facts: &Facts,
) -> Result<Vec<daybook_domain::banking::account::AccountEvent>, CommandError> {
    let account = unit.state::<Account>(work.order.stream)?;
    work.check::<Account>(unit, own(work, account))?;
    account.decide(command, facts, work.context).map_err(|refusal| CommandError::refused(&refusal))
}

async fn attempt_open(
    work: &mut Work<'_>,
    command: &AccountCommand,
    owner: Uuid,
) -> Result<Attempt, CommandError> {
    let stream = work.order.stream;
    let mut unit = work.hold::<Account>(&[owner]).await?;
    let facts = Facts { owner: unit.load::<User>(owner).await?.clone().into() };
    let decided = work
        .check::<Account>(&unit, owner == work.order.caller.actor.id)
        .and_then(|()| {
            unit.state::<Account>(stream)?
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

async fn attempt_transfer(
    work: &mut Work<'_>,
    command: &Transfer,
) -> Result<Attempt, CommandError> {
    let (from, to) = (work.order.stream, command.to_account_id);
    let mut unit = work.hold::<Account>(&[to]).await?;
    unit.load::<Account>(to).await?;
    let decided = unit
        .state::<Account>(from)
        .and_then(|account| work.check::<Account>(&unit, own(work, account)))
        .and_then(|()| {
            let (source, target) = (unit.state::<Account>(from)?, unit.state::<Account>(to)?);
            transfer(from, source, to, target, command, work.context)
                .map_err(|refusal| CommandError::refused(&refusal))
        })
        .map(|(out, into)| Decided {
            events: out,
            also: Box::new(move |unit, order| unit.record::<Account>(to, &into, order.occurred_at)),
        });
    work.conclude(unit, decided)
}
