//! A post: what someone writes, and whether others may read it.
//!
//! A deleted post keeps its record and where it stood, so that restoring it
//! brings back exactly what was there; only its stream is closed meanwhile, so
//! that nothing new refers to it. Absent on purpose: when it was published,
//! which is when its first such event happened; and its comments, which are
//! streams of their own.

pub mod commands;
mod decide;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Owned;
use crate::aggregate::{Aggregate, Effects, Lifecycle};
use crate::context::Context;
use crate::identity::user::User;
use crate::values::{Personal, PostStatus, Prose, Text};

pub use commands::PostCommand;
pub use errors::PostError;
pub use events::PostEvent;

/// What a post is called.
pub type Title = Text<255>;
/// A post's text; empty while there is none yet.
pub type Content = Prose<100_000, 0>;

/// A post as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Post(Option<Article>);

/// A post that was drafted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Article {
    /// Who writes it.
    pub user_id: Uuid,
    /// What it is called.
    pub title: Personal<Title>,
    /// Its text.
    pub content: Personal<Content>,
    /// Whether it is there to be read; where it stands again after a deletion is undone.
    pub status: PostStatus,
    /// Whether it is deleted.
    pub deleted: bool,
}

/// What a post must know of others, read under a guard.
#[derive(Debug, Clone, Default)]
pub struct PostFacts {
    /// The state of the user who writes it; `None` or an empty one: there is no such user.
    pub author: Option<User>,
}

fn nothing_yet() -> Personal<Content> {
    Personal(String::new().try_into().expect("no text is allowed"))
}

impl Post {
    /// The post, once drafted.
    #[must_use]
    pub fn article(&self) -> Option<&Article> {
        self.0.as_ref()
    }

    /// The user whose state the command's decision must know, if any.
    #[must_use]
    pub fn reads(&self, command: &PostCommand) -> Option<Uuid> {
        match command {
            PostCommand::Draft(command) => Some(command.user_id),
            PostCommand::Edit(_)
            | PostCommand::Publish(_)
            | PostCommand::Unpublish(_)
            | PostCommand::Archive(_)
            | PostCommand::Delete(_)
            | PostCommand::Restore(_) => None,
        }
    }
}

impl Owned for Post {
    fn owner(&self, _: Uuid, command: &PostCommand) -> Option<Uuid> {
        match &self.0 {
            Some(article) => Some(article.user_id),
            None => self.reads(command),
        }
    }
}

impl Aggregate for Post {
    const KIND: &'static str = "content.post";
    type Command = PostCommand;
    type Event = PostEvent;
    type Error = PostError;
    type Facts = PostFacts;

    fn decide(
        &self,
        command: &PostCommand,
        facts: &PostFacts,
        _: &Context,
    ) -> Result<Vec<PostEvent>, PostError> {
        decide::decide(self, command, facts)
    }

    fn apply(&mut self, event: &PostEvent) {
        if let PostEvent::Drafted(event) = event {
            self.0 = Some(Article::drafted(event));
        } else if let Some(article) = &mut self.0 {
            article.apply(event);
        }
    }

    fn effects(&self, _: Uuid, event: &PostEvent) -> Effects {
        let life = |lifecycle| Effects { lifecycle, ..Effects::default() };
        match event {
            PostEvent::Drafted(event) => {
                Effects { references: vec![event.user_id], ..life(Lifecycle::Opens) }
            }
            PostEvent::Deleted(_) => life(Lifecycle::Closes),
            PostEvent::Restored(_) => life(Lifecycle::Reopens),
            PostEvent::Edited(_)
            | PostEvent::Published(_)
            | PostEvent::Unpublished(_)
            | PostEvent::Archived(_) => Effects::default(),
        }
    }
}

impl Article {
    fn drafted(event: &events::Drafted) -> Self {
        Self {
            user_id: event.user_id,
            title: event.title.clone(),
            content: event.content.clone(),
            status: PostStatus::Draft,
            deleted: false,
        }
    }

    fn apply(&mut self, event: &PostEvent) {
        match event {
            PostEvent::Drafted(event) => *self = Self::drafted(event),
            PostEvent::Edited(event) => {
                self.title = event.title.clone();
                self.content = event.content.clone();
            }
            PostEvent::Published(_) => self.status = PostStatus::Published,
            PostEvent::Unpublished(_) => self.status = PostStatus::Draft,
            PostEvent::Archived(_) => self.status = PostStatus::Archived,
            PostEvent::Deleted(_) => self.deleted = true,
            PostEvent::Restored(_) => self.deleted = false,
        }
    }
}
