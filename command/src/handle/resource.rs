//! Commands of resources. Making or restoring one rests on its organization being there.

use daybook_domain::organizations::organization::Organization;
use daybook_domain::organizations::resource::{Resource, ResourceCommand, ResourceFacts};

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of a resource.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &ResourceCommand,
) -> Result<Attempt, CommandError> {
    let unit = work.hold::<Resource>(&[]).await?;
    let Some(organization) = unit.state::<Resource>(work.order.stream)?.reads(command) else {
        let decided = work.decide::<Resource>(&unit, command, &ResourceFacts::default());
        return work.conclude(unit, decided.map(Decided::<Resource>::alone));
    };
    work.apart("/org_id", organization)?;
    // Streams are locked in one order only, so both are taken anew. Whose it is never changes.
    drop(unit);
    let mut unit = work.hold::<Resource>(&[organization]).await?;
    let standing = unit.load::<Organization>(organization).await?.standing();
    let facts = ResourceFacts { organization: standing };
    let decided = work.decide::<Resource>(&unit, command, &facts);
    // No guard: the event holds its organization, which append refuses once that is closed.
    work.conclude(unit, decided.map(Decided::<Resource>::alone))
}
