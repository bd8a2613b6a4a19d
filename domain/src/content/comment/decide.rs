//! The rules of comments.

use uuid::Uuid;

use super::commands::{Edit, Write};
use super::events::{Deleted, Edited, Restored, Written};
use super::{Comment, CommentCommand, CommentError, CommentEvent, CommentFacts, Note};
use crate::values::{PostStatus, UserStatus};

type Decision = Result<Vec<CommentEvent>, CommentError>;

pub(super) fn decide(
    comment: &Comment,
    command: &CommentCommand,
    facts: &CommentFacts,
) -> Decision {
    match command {
        CommentCommand::Write(command) => write(comment, command, facts),
        CommentCommand::Edit(command) => edit(known(comment)?, command, facts),
        CommentCommand::Delete(command) => match known(comment)?.deleted {
            false => one(Deleted { reason: command.reason.clone() }),
            true => Ok(vec![]),
        },
        CommentCommand::Restore(_) => {
            let note = known(comment)?;
            if !note.deleted {
                return Ok(vec![]);
            }
            published(note.post_id, facts)?;
            one(Restored {})
        }
    }
}

fn one(event: impl Into<CommentEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(comment: &Comment) -> Result<&Note, CommentError> {
    comment.note().ok_or(CommentError::Unknown)
}

fn write(comment: &Comment, command: &Write, facts: &CommentFacts) -> Decision {
    if comment.note().is_some() {
        return Err(CommentError::AlreadyWritten);
    }
    let Write { post_id, user_id, ref content } = *command;
    let status = facts.author.as_ref().and_then(|author| author.status());
    match status.ok_or(CommentError::AuthorUnknown { user_id })? {
        UserStatus::Active => {}
        status @ (UserStatus::Inactive | UserStatus::Suspended | UserStatus::Deleted) => {
            return Err(CommentError::AuthorNotActive { user_id, status });
        }
    }
    published(post_id, facts)?;
    one(Written { post_id, user_id, content: content.clone() })
}

fn edit(note: &Note, command: &Edit, facts: &CommentFacts) -> Decision {
    if note.deleted {
        return Err(CommentError::Deleted);
    }
    if command.content == note.content {
        return Ok(vec![]);
    }
    published(note.post_id, facts)?;
    one(Edited { content: command.content.clone() })
}

/// That the post is there, to be read and commented on.
fn published(post_id: Uuid, facts: &CommentFacts) -> Result<(), CommentError> {
    let post = facts.post.as_ref().and_then(|post| post.article());
    let post = post.ok_or(CommentError::PostUnknown { post_id })?;
    if post.deleted {
        return Err(CommentError::PostDeleted { post_id });
    }
    match post.status {
        PostStatus::Published => Ok(()),
        status @ (PostStatus::Draft | PostStatus::Archived) => {
            Err(CommentError::PostNotPublished { post_id, status })
        }
    }
}
