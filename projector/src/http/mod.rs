//! The read side over HTTP: rows, one entity's past, the log, and how far the tables are.

mod answer;
mod audit;
mod error;
mod events;
mod freshness;
mod journals;
mod log_query;
mod operations;
mod platform;
mod reading;
mod rows;
mod tail;
mod whole;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::{get, post};
use daybook_store::{Follow, Log, Records};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::posted::Posted;
use crate::queries::reader::Reader;

pub use operations::{actions, operations};

/// What the read side answers from.
#[derive(Debug)]
pub struct Reads {
    /// Reads the tables, under their policies.
    pub(crate) reader: Reader,
    /// Reads the log and the projector's own book-keeping (`daybook_projector`).
    pub(crate) pool: PgPool,
    /// Reads the log.
    pub(crate) log: Log,
    /// Knows how far the tables are.
    pub(crate) posted: Posted,
    /// Knows how far the log is.
    pub(crate) follow: Follow,
    /// Writes down the reads of everyone's past.
    pub(crate) records: Records,
    /// Ends live subscriptions when the process is to stop.
    pub(crate) cancel: CancellationToken,
    /// What `posted` said last, and when.
    pub(crate) told: Mutex<Option<(Instant, i64)>>,
}

impl Reads {
    /// `reader`: a pool of `application_role`; `pool`: one of `daybook_projector`. Within a runtime: a
    /// task of its own writes down who reads of everyone's past.
    #[must_use]
    pub fn new(
        reader: PgPool,
        pool: PgPool,
        posted: Posted,
        follow: Follow,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            reader: Reader::new(reader),
            log: Log::new(pool.clone()),
            records: Records::start(pool.clone()),
            pool,
            posted,
            follow,
            cancel,
            told: Mutex::new(None),
        }
    }

    /// Waits, for so long at most, until the reads that are over are written down.
    pub async fn flush_records(&self, within: Duration) {
        self.records.flush(within).await;
    }
}

/// The routes of the read side. The shell around them has put a [`daybook_http::Caller`] into each
/// request. Tables share their patterns with the write side's commands: one address, two methods.
pub fn router(reads: Arc<Reads>) -> Router {
    Router::new()
        .route("/v1/{context}/{plural}", get(rows::list))
        .route("/v1/{context}/{plural}/{id}", get(rows::one))
        .route("/v1/{context}/{plural}/{id}/diff", get(rows::diff))
        .route(operations::EVENTS, get(events::all))
        .route(operations::STREAM_EVENTS, get(events::of_stream))
        .route(operations::PROJECTOR, get(platform::status))
        .route(operations::REBUILDS, get(platform::rebuilds))
        .route(operations::RETRY, post(platform::retry))
        .route(operations::AUDIT, get(audit::audit))
        .route(operations::JOURNALS, get(journals::list))
        .with_state(reads)
}
