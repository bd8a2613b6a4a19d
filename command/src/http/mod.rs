//! The write side over HTTP: one command, or many as NDJSON.

pub mod answer;
mod many;
mod one;
pub mod preconditions;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;

use crate::engine::Engine;

/// The most bytes of a single command.
pub const COMMAND_BYTES: usize = 1 << 20;
/// The most bytes of a batch.
pub const BATCH_BYTES: usize = 8 << 20;

/// The routes of the write side. The shell around them has put a
/// [`daybook_http::Caller`] into each request.
pub fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/v1/{context}/{plural}", post(one::create))
        .route("/v1/{context}/{plural}/{id}/{command}", post(one::act))
        .layer(DefaultBodyLimit::max(COMMAND_BYTES))
        .route("/v1/commands", post(many::submit).layer(DefaultBodyLimit::max(BATCH_BYTES)))
        .with_state(engine)
}
