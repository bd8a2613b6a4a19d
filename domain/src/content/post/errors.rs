//! Why a post may refuse.

use uuid::Uuid;

use crate::aggregate::{Refusal, RefusalSort};
use crate::values::{PostStatus, UserStatus};

/// Why a post may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// Nothing was drafted under this id.
    #[error("there is no such post")]
    Unknown,
    /// A post was drafted under this id before.
    #[error("this post is drafted already")]
    AlreadyDrafted,
    /// The author does not exist.
    #[error("there is no user {user_id} to write the post")]
    AuthorUnknown {
        /// Who should write it.
        user_id: Uuid,
    },
    /// The author is not active.
    #[error("the post's author {user_id} is {status}, not active")]
    AuthorNotActive {
        /// The author.
        user_id: Uuid,
        /// Where they stand.
        status: UserStatus,
    },
    /// There is nothing to read in it.
    #[error("a post is published with a text, and the text of this one is empty")]
    Empty,
    /// It is put away.
    #[error("the post is {}; publish it first", PostStatus::Archived)]
    Archived,
    /// It was deleted.
    #[error("the post is deleted; restore it first")]
    Deleted,
}

impl Refusal for PostError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "post-not-found",
            Self::AlreadyDrafted => "post-already-drafted",
            Self::AuthorUnknown { .. } => "author-not-found",
            Self::AuthorNotActive { .. } => "author-not-active",
            Self::Empty => "post-empty",
            Self::Archived => "post-archived",
            Self::Deleted => "post-deleted",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyDrafted => RefusalSort::Exists,
            Self::AuthorUnknown { .. }
            | Self::AuthorNotActive { .. }
            | Self::Empty
            | Self::Archived
            | Self::Deleted => RefusalSort::Rule,
        }
    }
}
