//! Commands of API contracts. What is registered or revised rests on the governance rules that are
//! in effect, which stand in the rulebook.

use daybook_domain::contracts::api_contract::{ApiContract, ApiContractCommand, ApiContractFacts};
use daybook_domain::contracts::rulebook::{RULEBOOK_STREAM, Rulebook};

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of an API contract.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &ApiContractCommand,
) -> Result<Attempt, CommandError> {
    if !ApiContract::is_governed(command) {
        return super::plain::<ApiContract>(work, command).await;
    }
    super::governance_rule::apart_from_rulebook(work.order.stream)?;
    let mut unit = work.hold::<ApiContract>(&[RULEBOOK_STREAM]).await?;
    let rules = unit.load::<Rulebook>(RULEBOOK_STREAM).await?.rules().clone();
    let decided = work.decide::<ApiContract>(&unit, command, &ApiContractFacts { rules });
    work.conclude(
        unit,
        decided.map(|events| Decided::<ApiContract>::guarding(events, RULEBOOK_STREAM)),
    )
}
