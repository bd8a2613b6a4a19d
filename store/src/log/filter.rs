//! Which events a reader wants.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Which events are wanted; every field that is given narrows it. The default is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of these lanes.
    pub lanes: Option<Vec<i16>>,
    /// Of these full types.
    pub types: Option<Vec<String>>,
    /// Of these kinds of stream, `context.aggregate`.
    pub kinds: Option<Vec<String>>,
    /// Of these contexts.
    pub contexts: Option<Vec<String>>,
    /// Of these streams.
    pub streams: Option<Vec<Uuid>>,
    /// On behalf of this organization.
    pub tenant: Option<Uuid>,
    /// Asked for by this user.
    pub actor: Option<Uuid>,
    /// Tied together by this id.
    pub correlation: Option<Uuid>,
    /// Recorded at or after this instant.
    pub from: Option<DateTime<Utc>>,
    /// Recorded at or before this instant.
    pub to: Option<DateTime<Utc>>,
    /// At or before this position.
    pub up_to_position: Option<i64>,
}

impl Filter {
    /// Whether it leaves positions out, so that a page of so many events may span more positions.
    pub(super) fn is_sparse(&self) -> bool {
        self.types.is_some()
            || self.kinds.is_some()
            || self.contexts.is_some()
            || self.streams.is_some()
            || self.tenant.is_some()
            || self.actor.is_some()
            || self.correlation.is_some()
            || self.lanes.is_some()
    }
}
