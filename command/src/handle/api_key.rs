//! Commands of API keys. Some rest on their owner's state.

use daybook_domain::identity::api_key::{ApiKey, ApiKeyCommand, ApiKeyFacts};
use daybook_domain::identity::user::User;

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of an API key.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &ApiKeyCommand,
) -> Result<Attempt, CommandError> {
    let stream = work.order.stream;
    let mut unit = work.hold::<ApiKey>(&[]).await?;
    let Some(owner) = unit.state::<ApiKey>(stream)?.reads(command) else {
        let decided = work.decide::<ApiKey>(&unit, command, &ApiKeyFacts::default());
        return work.conclude(unit, decided.map(Decided::<ApiKey>::alone));
    };
    work.apart_from(owner)?;
    // Streams are locked in one order only, so both are taken anew. Whose key it is never changes.
    drop(unit);
    unit = work.hold::<ApiKey>(&[owner]).await?;
    let facts = ApiKeyFacts { owner: Some(unit.load::<User>(owner).await?.clone()) };
    let decided = work.decide::<ApiKey>(&unit, command, &facts);
    work.conclude(unit, decided.map(|events| Decided::<ApiKey>::guarding(events, owner)))
}
