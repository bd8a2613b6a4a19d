//! What people write, and what others say to it.

pub mod comment;
pub mod post;
