//! Commands of equipment. Giving it to someone rests on their being active.

use daybook_domain::identity::user::User;
use daybook_domain::support::asset::{Asset, AssetCommand, AssetFacts};

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of a piece of equipment.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &AssetCommand,
) -> Result<Attempt, CommandError> {
    let Some(holder) = Asset::default().reads(command) else {
        return super::plain::<Asset>(work, command).await;
    };
    work.apart_from(holder)?;
    let mut unit = work.hold::<Asset>(&[holder]).await?;
    let facts = AssetFacts { holder: Some(unit.load::<User>(holder).await?.clone()) };
    let decided = work.decide::<Asset>(&unit, command, &facts);
    work.conclude(unit, decided.map(|events| Decided::<Asset>::guarding(events, holder)))
}
