//! Commands of governance rules. One that changes what contracts are held to writes the rulebook in
//! the same append.

use daybook_domain::contracts::governance_rule::{GovernanceRule, GovernanceRuleCommand};
use daybook_domain::contracts::rulebook::{self, RULEBOOK_STREAM, Rulebook};
use uuid::Uuid;

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of a governance rule.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &GovernanceRuleCommand,
) -> Result<Attempt, CommandError> {
    let stream = work.order.stream;
    apart_from_rulebook(stream)?;
    let mut unit = work.hold::<GovernanceRule>(&[RULEBOOK_STREAM]).await?;
    unit.load::<Rulebook>(RULEBOOK_STREAM).await?;
    let decided = work.decide::<GovernanceRule>(&unit, command, &()).and_then(|events| {
        let rule = unit.state::<GovernanceRule>(stream)?;
        if !rulebook::concerns(rule, &events) {
            return Ok(Decided::<GovernanceRule>::alone(events));
        }
        let book = unit.state::<Rulebook>(RULEBOOK_STREAM)?;
        let changes = rulebook::follow(book, stream, rule, &events, work.context)
            .map_err(|refusal| CommandError::refused(&refusal))?;
        Ok(Decided {
            events,
            also: Box::new(move |unit, order| {
                unit.record::<Rulebook>(RULEBOOK_STREAM, &changes, order.occurred_at)
            }),
        })
    });
    work.conclude(unit, decided)
}

/// Refuses the rulebook's own stream as that of something else: nothing is of two kinds.
pub(super) fn apart_from_rulebook(stream: Uuid) -> Result<(), CommandError> {
    if stream != RULEBOOK_STREAM {
        return Ok(());
    }
    Err(CommandError::Invalid {
        pointer: "/id".into(),
        detail: format!("{stream} is the rulebook's own"),
    })
}
