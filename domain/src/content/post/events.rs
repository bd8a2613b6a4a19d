//! What can have happened to a post.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Content, Title};
use crate::values::{Personal, Reason};

/// A post began, as a draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drafted {
    /// Who writes it.
    pub user_id: Uuid,
    /// What it is called.
    pub title: Personal<Title>,
    /// Its text; may be empty.
    pub content: Personal<Content>,
}

/// Title or text changed; both as they are now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Edited {
    /// What it is called.
    pub title: Personal<Title>,
    /// Its text.
    pub content: Personal<Content>,
}

/// It was published. When is when the event happened; the first time is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Published {}

/// It became a draft again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unpublished {}

/// It was put away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Archived {}

/// It was deleted; the record and its comments stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// A deletion was undone: it stands as before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Restored {}

crate::events! {
    /// What can have happened to a post.
    pub enum PostEvent {
        "content.post.drafted" @ 1 => Drafted,
        "content.post.edited" @ 1 => Edited,
        "content.post.published" @ 1 => Published,
        "content.post.unpublished" @ 1 => Unpublished,
        "content.post.archived" @ 1 => Archived,
        "content.post.deleted" @ 1 => Deleted,
        "content.post.restored" @ 1 => Restored,
    }
}
