//! Commands of posts. Drafting one rests on its author being active.

use daybook_domain::content::post::{Post, PostCommand, PostFacts};
use daybook_domain::identity::user::User;

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of a post.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &PostCommand,
) -> Result<Attempt, CommandError> {
    let PostCommand::Draft(draft) = command else {
        return super::plain::<Post>(work, command).await;
    };
    let author = draft.user_id;
    work.apart_from(author)?;
    let mut unit = work.hold::<Post>(&[author]).await?;
    let facts = PostFacts { author: Some(unit.load::<User>(author).await?.clone()) };
    let decided = work.decide::<Post>(&unit, command, &facts);
    work.conclude(unit, decided.map(|events| Decided::<Post>::guarding(events, author)))
}
