//! The rules of posts.

use super::commands::{Draft, Edit};
use super::events::{Archived, Deleted, Drafted, Edited, Published, Restored, Unpublished};
use super::{Article, Post, PostCommand, PostError, PostEvent, PostFacts};
use crate::values::{PostStatus, UserStatus};

type Decision = Result<Vec<PostEvent>, PostError>;

pub(super) fn decide(post: &Post, command: &PostCommand, facts: &PostFacts) -> Decision {
    match command {
        PostCommand::Draft(command) => draft(post, command, facts),
        PostCommand::Edit(command) => edit(there(post)?, command),
        PostCommand::Publish(_) => publish(there(post)?),
        PostCommand::Unpublish(_) => match there(post)?.status {
            PostStatus::Draft => Ok(vec![]),
            PostStatus::Published => one(Unpublished {}),
            PostStatus::Archived => Err(PostError::Archived),
        },
        PostCommand::Archive(_) => match there(post)?.status {
            PostStatus::Draft | PostStatus::Published => one(Archived {}),
            PostStatus::Archived => Ok(vec![]),
        },
        PostCommand::Delete(command) => match known(post)?.deleted {
            false => one(Deleted { reason: command.reason.clone() }),
            true => Ok(vec![]),
        },
        PostCommand::Restore(_) => match known(post)?.deleted {
            true => one(Restored {}),
            false => Ok(vec![]),
        },
    }
}

fn one(event: impl Into<PostEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(post: &Post) -> Result<&Article, PostError> {
    post.article().ok_or(PostError::Unknown)
}

/// A post to which something may happen: one that is not deleted.
fn there(post: &Post) -> Result<&Article, PostError> {
    let article = known(post)?;
    if article.deleted { Err(PostError::Deleted) } else { Ok(article) }
}

fn draft(post: &Post, command: &Draft, facts: &PostFacts) -> Decision {
    if post.article().is_some() {
        return Err(PostError::AlreadyDrafted);
    }
    let user_id = command.user_id;
    let status = facts.author.as_ref().and_then(|author| author.status());
    match status.ok_or(PostError::AuthorUnknown { user_id })? {
        UserStatus::Active => {}
        status @ (UserStatus::Inactive | UserStatus::Suspended | UserStatus::Deleted) => {
            return Err(PostError::AuthorNotActive { user_id, status });
        }
    }
    one(Drafted { user_id, title: command.title.clone(), content: command.content.clone() })
}

fn edit(article: &Article, command: &Edit) -> Decision {
    let title = command.title.as_ref().unwrap_or(&article.title).clone();
    let content = command.content.as_ref().unwrap_or(&article.content).clone();
    if title == article.title && content == article.content {
        return Ok(vec![]);
    }
    match article.status {
        PostStatus::Archived => return Err(PostError::Archived),
        PostStatus::Published if content.is_blank() => return Err(PostError::Empty),
        PostStatus::Published | PostStatus::Draft => {}
    }
    one(Edited { title, content })
}

fn publish(article: &Article) -> Decision {
    match article.status {
        PostStatus::Published => Ok(vec![]),
        PostStatus::Draft | PostStatus::Archived if article.content.is_blank() => {
            Err(PostError::Empty)
        }
        PostStatus::Draft | PostStatus::Archived => one(Published {}),
    }
}
