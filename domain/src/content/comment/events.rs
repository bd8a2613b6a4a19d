//! What can have happened to a comment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Remark;
use crate::values::{Personal, Reason};

/// A comment began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// What it is said to.
    pub post_id: Uuid,
    /// Who says it.
    pub user_id: Uuid,
    /// What is said.
    pub content: Personal<Remark>,
}

/// It is said in other words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Edited {
    /// What is said now.
    pub content: Personal<Remark>,
}

/// It was deleted; the record stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// A deletion was undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Restored {}

crate::events! {
    /// What can have happened to a comment.
    pub enum CommentEvent {
        "content.comment.written" @ 1 => Written,
        "content.comment.edited" @ 1 => Edited,
        "content.comment.deleted" @ 1 => Deleted,
        "content.comment.restored" @ 1 => Restored,
    }
}
