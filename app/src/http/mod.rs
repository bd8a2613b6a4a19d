//! The shell around both sides: who is asking, how much may be asked, and what
//! every answer has in common.

mod access_log;
pub mod asyncapi;
mod authenticate;
mod docs;
mod health;
mod limits;
pub mod openapi;
mod serve;
mod time_limit;

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware;
use axum::routing::get;
use daybook_http::Problem;

use crate::config::Settings;

pub use authenticate::{Authenticator, Identity, Known};
pub use health::{Health, Readiness};
pub use limits::{LimitSettings, Limits};
pub use serve::serve;

/// Puts the shell around the routes of the sides that run in this process.
pub fn shell(
    sides: Router,
    authenticator: Arc<Authenticator>,
    limits: Arc<Limits>,
    health: Health,
    settings: &Settings,
) -> Router {
    let request_timeout = settings.request_timeout.duration();
    let open = Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .with_state(health)
        .merge(
            Router::new()
                .route("/asyncapi.json", get(asyncapi::document))
                .with_state(settings.kafka_naming()),
        )
        .route("/schemas/{type}/{version}", get(asyncapi::schema))
        .route("/openapi.json", get(openapi::document))
        .route("/docs", get(docs::page))
        .route("/problems/{code}", get(docs::problem));
    let guarded = sides
        .layer(middleware::from_fn_with_state(Arc::clone(&limits), limits::per_key))
        .layer(middleware::from_fn_with_state(authenticator, authenticate::authenticate));
    Router::new()
        .merge(guarded)
        .merge(open)
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(request_timeout, time_limit::time_limit))
        .layer(middleware::from_fn_with_state(limits, limits::per_address))
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(access_log::trace))
}

async fn nothing_here(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at {}; /docs lists what there is", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        format!("{} does not take {method}; /docs lists what it takes", uri.path()),
    )
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    use axum::response::IntoResponse;
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words");
    Problem::internal(&text).into_response()
}
