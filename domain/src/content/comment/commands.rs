//! What can be asked of a comment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Remark;
use crate::values::{Personal, Reason};

/// Says something to a post, which must be published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// What it is said to.
    pub post_id: Uuid,
    /// Who says it; they must be active.
    pub user_id: Uuid,
    /// What is said.
    pub content: Personal<Remark>,
}

/// Says it in other words; the post must be published still.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// What is said now.
    pub content: Personal<Remark>,
}

/// Deletes it, wherever its post stands. The record stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Undoes a deletion; the post must be published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restore {}

crate::commands! {
    /// What can be asked of a comment.
    pub enum CommentCommand {
        "write" => Write,
        "edit" => Edit,
        "delete" => Delete,
        "restore" => Restore,
    }
}
