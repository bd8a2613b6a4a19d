//! Commands of collections. Scheduling one rests on its customer being active.

use daybook_domain::identity::user::User;
use daybook_domain::recycling::collection::{Collection, CollectionCommand, CollectionFacts};

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of a collection.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &CollectionCommand,
) -> Result<Attempt, CommandError> {
    let Some(customer) = Collection::reads(command) else {
        return super::plain::<Collection>(work, command).await;
    };
    work.all_apart(&[("/customer_id", Some(customer))])?;
    let mut unit = work.hold::<Collection>(&[customer]).await?;
    let facts = CollectionFacts { customer: Some(unit.load::<User>(customer).await?.clone()) };
    let decided = work.decide::<Collection>(&unit, command, &facts);
    work.conclude(unit, decided.map(|events| Decided::<Collection>::guarding(events, customer)))
}
