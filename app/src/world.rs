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

/// Which build this is: its version, and when and how large the file is that runs. Another build may
/// fold events otherwise, so that what one has half done is never gone on with by another.
#[must_use]
pub fn build() -> String {
    let file = std::env::current_exe().and_then(std::fs::metadata);
    let made = file.as_ref().ok().and_then(|file| file.modified().ok());
    let made = made.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let size = file.map(|file| file.len()).unwrap_or_default();
    format!(
        "{}-{size:x}-{:x}",
        env!("CARGO_PKG_VERSION"),
        made.map(|made| made.as_micros()).unwrap_or_default()
    )
}
