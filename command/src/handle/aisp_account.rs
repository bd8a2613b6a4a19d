//! Commands of accounts elsewhere. Linking one rests on its user being active; what the bank tells of
//! transactions, on which of them it told before.

use std::collections::HashSet;

use daybook_domain::identity::user::User;
use daybook_domain::open_banking::aisp_account::{
    AispAccount, AispAccountCommand, AispAccountFacts, TRANSACTION_CLAIM, commands::Link,
    transaction_claim,
};
use daybook_domain::values::Text;

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of an account elsewhere.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &AispAccountCommand,
) -> Result<Attempt, CommandError> {
    match command {
        AispAccountCommand::Link(link) => attempt_link(work, command, link).await,
        AispAccountCommand::RecordTransactions(_) | AispAccountCommand::Categorize(_) => {
            attempt_with_known_transactions(work, command).await
        }
        AispAccountCommand::RenewConsent(_)
        | AispAccountCommand::RevokeConsent(_)
        | AispAccountCommand::ExpireConsent(_)
        | AispAccountCommand::RecordBalance(_)
        | AispAccountCommand::Unlink(_) => super::plain::<AispAccount>(work, command).await,
    }
}

async fn attempt_link(
    work: &mut Work<'_>,
    command: &AispAccountCommand,
    link: &Link,
) -> Result<Attempt, CommandError> {
    let user = link.user_id;
    work.all_apart(&[("/user_id", Some(user))])?;
    let mut unit = work.hold::<AispAccount>(&[user]).await?;
    let facts = AispAccountFacts {
        user: Some(unit.load::<User>(user).await?.clone()),
        ..AispAccountFacts::default()
    };
    let decided = work.decide::<AispAccount>(&unit, command, &facts);
    work.conclude(unit, decided.map(|events| Decided::<AispAccount>::guarding(events, user)))
}

/// What is recorded is asked of the log, under the account's lock: no decision on it comes between.
/// What was decided here before and is still on its way is waited for, so that its claims are seen;
/// what another process appends meanwhile changes the version, and this is decided again.
async fn attempt_with_known_transactions(
    work: &mut Work<'_>,
    command: &AispAccountCommand,
) -> Result<Attempt, CommandError> {
    let stream = work.order.stream;
    let unit = work.hold::<AispAccount>(&[]).await?;
    for settling in unit.basis().unsettled {
        // If it failed, the state is of no use either, and says so when it is asked for.
        let _ = settling.await;
    }
    let names: Vec<Text<100>> = AispAccount::names(command).into_iter().collect();
    let keys: Vec<String> = names.iter().map(|name| transaction_claim(stream, name).key).collect();
    let claimed: HashSet<String> =
        work.engine.log.claimed(stream, TRANSACTION_CLAIM, &keys).await?.into_iter().collect();
    let recorded = names
        .into_iter()
        .zip(&keys)
        .filter(|(_, key)| claimed.contains(*key))
        .map(|(name, _)| name)
        .collect();
    let facts = AispAccountFacts { recorded, ..AispAccountFacts::default() };
    let decided = work.decide::<AispAccount>(&unit, command, &facts);
    work.conclude(unit, decided.map(Decided::<AispAccount>::alone))
}
