//! Commands of comments. What is said to a post rests on the post being published, and what is new
//! on its author being active.

use daybook_domain::content::comment::{Comment, CommentCommand, CommentFacts};
use daybook_domain::content::post::Post;
use daybook_domain::identity::user::User;

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of a comment.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &CommentCommand,
) -> Result<Attempt, CommandError> {
    let mut unit = work.hold::<Comment>(&[]).await?;
    let Some(reads) = unit.state::<Comment>(work.order.stream)?.reads(command) else {
        let decided = work.decide::<Comment>(&unit, command, &CommentFacts::default());
        return work.conclude(unit, decided.map(Decided::<Comment>::alone));
    };
    let post = reads.post_id;
    let read: Vec<_> = reads.user_id.into_iter().chain([post]).collect();
    work.all_apart(&[("/user_id", reads.user_id), ("/post_id", Some(post))])?;
    // Streams are locked in one order only, so all are taken anew. Which post it is never changes.
    drop(unit);
    unit = work.hold::<Comment>(&read).await?;
    let author = match reads.user_id {
        Some(author) => Some(unit.load::<User>(author).await?.clone()),
        None => None,
    };
    let facts = CommentFacts { author, post: Some(unit.load::<Post>(post).await?.clone()) };
    let decided = work.decide::<Comment>(&unit, command, &facts);
    work.conclude(unit, decided.map(|events| Decided::<Comment>::guarding_all(events, read)))
}
