//! Why a comment may refuse.

use uuid::Uuid;

use crate::aggregate::{Refusal, RefusalSort};
use crate::values::{PostStatus, UserStatus};

/// Why a comment may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommentError {
    /// Nothing was written under this id.
    #[error("there is no such comment")]
    Unknown,
    /// A comment was written under this id before.
    #[error("this comment is written already")]
    AlreadyWritten,
    /// The author does not exist.
    #[error("there is no user {user_id} to write the comment")]
    AuthorUnknown {
        /// Who should write it.
        user_id: Uuid,
    },
    /// The author is not active.
    #[error("the comment's author {user_id} is {status}, not active")]
    AuthorNotActive {
        /// The author.
        user_id: Uuid,
        /// Where they stand.
        status: UserStatus,
    },
    /// The post does not exist.
    #[error("there is no post {post_id} to comment on")]
    PostUnknown {
        /// The post.
        post_id: Uuid,
    },
    /// The post is deleted.
    #[error("the post {post_id} is deleted: nothing is said to it")]
    PostDeleted {
        /// The post.
        post_id: Uuid,
    },
    /// The post is a draft, or put away.
    #[error("only published posts are commented on, and the post {post_id} is {status}")]
    PostNotPublished {
        /// The post.
        post_id: Uuid,
        /// Where it stands.
        status: PostStatus,
    },
    /// It was deleted.
    #[error("the comment is deleted; restore it first")]
    Deleted,
}

impl Refusal for CommentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "comment-not-found",
            Self::AlreadyWritten => "comment-already-written",
            Self::AuthorUnknown { .. } => "author-not-found",
            Self::AuthorNotActive { .. } => "author-not-active",
            Self::PostUnknown { .. } => "post-unknown",
            Self::PostDeleted { .. } => "post-deleted",
            Self::PostNotPublished { .. } => "post-not-published",
            Self::Deleted => "comment-deleted",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyWritten => RefusalSort::Exists,
            Self::AuthorUnknown { .. }
            | Self::AuthorNotActive { .. }
            | Self::PostUnknown { .. }
            | Self::PostDeleted { .. }
            | Self::PostNotPublished { .. }
            | Self::Deleted => RefusalSort::Rule,
        }
    }
}
