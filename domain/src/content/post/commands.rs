//! What can be asked of a post.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Content, Title};
use crate::values::{Personal, Reason};

/// Begins a post, to be published later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Who writes it; they must be active.
    pub user_id: Uuid,
    /// What it is called.
    pub title: Personal<Title>,
    /// Its text; nothing yet where absent.
    #[serde(default = "super::nothing_yet")]
    pub content: Personal<Content>,
}

/// Changes title and text. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The new title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Personal<Title>>,
    /// The new text; a published post is never left without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Personal<Content>>,
}

/// Lets it be read and commented on: a draft, or one from the archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {}

/// Makes a published post a draft again; when it was first published is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unpublish {}

/// Puts it away: it is neither changed nor commented on until it is published again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Archive {}

/// Deletes it. The record and its comments stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Undoes a deletion: the post stands as before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restore {}

crate::commands! {
    /// What can be asked of a post.
    pub enum PostCommand {
        "draft" => Draft,
        "edit" => Edit,
        "publish" => Publish,
        "unpublish" => Unpublish,
        "archive" => Archive,
        "delete" => Delete,
        "restore" => Restore,
    }
}
