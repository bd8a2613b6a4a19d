//! The write side over HTTP: one command, or many as NDJSON.

pub mod answer;
mod lines;
mod many;
mod one;
pub mod preconditions;
mod sign_in;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;

use crate::engine::Engine;

/// The most bytes of a single command.
pub const COMMAND_BYTES: usize = 1 << 20;
/// Commands that carry many things at once: a single one may be as large as a batch.
const BULKY: &[(&str, &str)] = &[("datacentre.server", "record_usage")];
/// The most bytes of a batch.
pub const BATCH_BYTES: usize = 8 << 20;

/// How much is taken at once.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// The most bytes of a single command, also of one in a batch.
    pub command: usize,
    /// The most bytes of a batch.
    pub batch: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { command: COMMAND_BYTES, batch: BATCH_BYTES }
    }
}

impl Sizes {
    /// The most bytes of this command of an aggregate.
    #[must_use]
    pub fn of(&self, kind: &str, name: &str) -> usize {
        if BULKY.contains(&(kind, name)) { self.batch.max(self.command) } else { self.command }
    }
}

/// The routes of the write side, with the usual sizes.
pub fn router(engine: Arc<Engine>) -> Router {
    router_with(engine, Sizes::default())
}

/// The routes of the write side. The shell around them has put a
/// [`daybook_http::Caller`] into each request.
pub fn router_with(engine: Arc<Engine>, sizes: Sizes) -> Router {
    Router::new()
        .route("/v1/{context}/{plural}", post(one::create))
        .layer(DefaultBodyLimit::max(sizes.command))
        // How large a command may be depends on which it is: it is counted while it is read.
        .route(
            "/v1/{context}/{plural}/{id}/{command}",
            post(one::act).layer(axum::Extension(sizes)),
        )
        // So is a batch.
        .route("/v1/commands", post(many::submit).layer(axum::Extension(sizes)))
        .with_state(engine)
}
