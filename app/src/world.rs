//! The clock and fresh ids: read here, and nowhere else in the product.
#![allow(clippy::disallowed_methods, reason = "this is the one place that may")]

use std::sync::Arc;

use chrono::{DateTime, Utc};
use daybook_command::World;
use uuid::Uuid;

/// The time, UTC.
#[must_use]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A fresh, time-ordered id.
#[must_use]
pub fn fresh_id() -> Uuid {
    Uuid::now_v7()
}

/// Both, as the write side takes them.
#[must_use]
pub fn world() -> World {
    World { now: Arc::new(now), fresh_id: Arc::new(fresh_id) }
}
