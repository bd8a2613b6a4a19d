//! Posts and comments.

pub mod comment;
pub mod post;
