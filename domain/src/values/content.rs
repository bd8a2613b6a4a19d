//! Where posts stand.

use super::named_values;

named_values! {
    /// Whether a post is there to be read and commented on.
    pub enum PostStatus {
        /// Being written.
        Draft = "draft",
        /// There to be read and commented on.
        Published = "published",
        /// Put away: neither changed nor commented on.
        Archived = "archived",
    }
}
