//! Commands of accounts. A transfer writes both accounts in one append; opening
//! one rests on its owner being active.

use daybook_domain::banking::account::{
    Account, AccountCommand, AccountFacts, commands::Transfer, transfer,
};
use daybook_domain::identity::user::User;

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of an account.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &AccountCommand,
) -> Result<Attempt, CommandError> {
    match command {
        AccountCommand::Open(open) => {
            let owner = open.user_id;
            work.apart_from(owner)?;
            let mut unit = work.hold::<Account>(&[owner]).await?;
            let facts = AccountFacts { owner: Some(unit.load::<User>(owner).await?.clone()) };
            let decided = work.decide::<Account>(&unit, command, &facts);
            work.conclude(unit, decided.map(|events| Decided::<Account>::guarding(events, owner)))
        }
        AccountCommand::Transfer(wanted) => attempt_transfer(work, command, wanted).await,
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
        | AccountCommand::Close(_) => super::plain::<Account>(work, command).await,
    }
}

async fn attempt_transfer(
    work: &mut Work<'_>,
    command: &AccountCommand,
    wanted: &Transfer,
) -> Result<Attempt, CommandError> {
    let (from, to) = (work.order.stream, wanted.to_account_id);
    let mut unit = work.hold::<Account>(&[to]).await?;
    unit.load::<Account>(to).await?;
    let source = unit.state::<Account>(from)?;
    let decided = work.check(&unit, source, command).and_then(|()| {
        transfer(source, from, unit.state(to)?, wanted, work.context)
            .map_err(|refusal| CommandError::refused(&refusal))
    });
    let decided = decided.map(|transferred| Decided::<Account> {
        events: vec![transferred.source],
        also: Box::new(move |unit, order| {
            unit.record::<Account>(to, &[transferred.target], order.occurred_at)
        }),
    });
    work.conclude(unit, decided)
}
