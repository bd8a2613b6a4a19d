//! A comment: what someone says to a published post.
//!
//! Saying, changing and restoring rest on the post being published at that
//! moment; what was said stays when the post is taken back, and can be deleted
//! always. Absent on purpose: comments on comments.

pub mod commands;
mod decide;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::post::Post;
use crate::access::Owned;
use crate::aggregate::{Aggregate, Effects, Lifecycle};
use crate::context::Context;
use crate::identity::user::User;
use crate::values::{Personal, Prose};

pub use commands::CommentCommand;
pub use errors::CommentError;
pub use events::CommentEvent;

/// What is said.
pub type Remark = Prose<50_000>;

/// A comment as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Comment(Option<Note>);

/// A comment that was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// What it is said to.
    pub post_id: Uuid,
    /// Who says it.
    pub user_id: Uuid,
    /// What is said.
    pub content: Personal<Remark>,
    /// Whether it is deleted.
    pub deleted: bool,
}

/// What a comment must know of others, read under guards.
#[derive(Debug, Clone, Default)]
pub struct CommentFacts {
    /// The state of the user who writes it; `None` or an empty one: there is no such user.
    pub author: Option<User>,
    /// The state of the post; `None` or an empty one: there is no such post.
    pub post: Option<Post>,
}

/// The streams whose states a decision must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reads {
    /// The post.
    pub post_id: Uuid,
    /// The author, where it is about them too.
    pub user_id: Option<Uuid>,
}

impl Comment {
    /// The comment, once written.
    #[must_use]
    pub fn note(&self) -> Option<&Note> {
        self.0.as_ref()
    }

    /// The streams whose states the command's decision must know, if any.
    #[must_use]
    pub fn reads(&self, command: &CommentCommand) -> Option<Reads> {
        match command {
            CommentCommand::Write(command) => {
                Some(Reads { post_id: command.post_id, user_id: Some(command.user_id) })
            }
            CommentCommand::Edit(_) | CommentCommand::Restore(_) => {
                self.0.as_ref().map(|note| Reads { post_id: note.post_id, user_id: None })
            }
            CommentCommand::Delete(_) => None,
        }
    }
}

impl Owned for Comment {
    fn owner(&self, _: Uuid, command: &CommentCommand) -> Option<Uuid> {
        match (&self.0, command) {
            (Some(note), _) => Some(note.user_id),
            (None, CommentCommand::Write(command)) => Some(command.user_id),
            (
                None,
                CommentCommand::Edit(_) | CommentCommand::Delete(_) | CommentCommand::Restore(_),
            ) => None,
        }
    }
}

impl Aggregate for Comment {
    const KIND: &'static str = "content.comment";
    type Command = CommentCommand;
    type Event = CommentEvent;
    type Error = CommentError;
    type Facts = CommentFacts;

    fn decide(
        &self,
        command: &CommentCommand,
        facts: &CommentFacts,
        _: &Context,
    ) -> Result<Vec<CommentEvent>, CommentError> {
        decide::decide(self, command, facts)
    }

    fn apply(&mut self, event: &CommentEvent) {
        match (event, &mut self.0) {
            (CommentEvent::Written(event), state) => {
                *state = Some(Note {
                    post_id: event.post_id,
                    user_id: event.user_id,
                    content: event.content.clone(),
                    deleted: false,
                });
            }
            (CommentEvent::Edited(event), Some(note)) => note.content = event.content.clone(),
            (CommentEvent::Deleted(_), Some(note)) => note.deleted = true,
            (CommentEvent::Restored(_), Some(note)) => note.deleted = false,
            (
                CommentEvent::Edited(_) | CommentEvent::Deleted(_) | CommentEvent::Restored(_),
                None,
            ) => {}
        }
    }

    fn effects(&self, _: Uuid, event: &CommentEvent) -> Effects {
        match event {
            CommentEvent::Written(event) => Effects {
                lifecycle: Lifecycle::Opens,
                references: vec![event.post_id, event.user_id],
                ..Effects::default()
            },
            CommentEvent::Deleted(_) => {
                Effects { lifecycle: Lifecycle::Closes, ..Effects::default() }
            }
            CommentEvent::Restored(_) => {
                Effects { lifecycle: Lifecycle::Reopens, ..Effects::default() }
            }
            CommentEvent::Edited(_) => Effects::default(),
        }
    }
}
