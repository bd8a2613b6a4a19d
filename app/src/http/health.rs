//! `/health/live`, `/health/ready` and `/metrics`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures::future::BoxFuture;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use serde_json::json;

/// What is ready, and what is not.
#[derive(Debug, Clone, Serialize)]
pub struct Readiness {
    /// The part, such as `database`.
    pub part: &'static str,
    /// Whether it is ready.
    pub ready: bool,
    /// What it says of itself.
    pub detail: String,
}

/// What the health routes need.
#[derive(Clone)]
pub struct Health {
    /// Asks every part of this process.
    pub check: Arc<dyn Fn() -> BoxFuture<'static, Vec<Readiness>> + Send + Sync>,
    /// The numbers.
    pub metrics: PrometheusHandle,
}

/// The process is running.
pub(super) async fn live() -> impl IntoResponse {
    Json(json!({ "status": "live" }))
}

/// The process can do its work; `503` names what cannot.
pub(super) async fn ready(State(health): State<Health>) -> impl IntoResponse {
    let parts = (health.check)().await;
    let ready = parts.iter().all(|part| part.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "status": if ready { "ready" } else { "not ready" }, "parts": parts })))
}

/// The numbers, for Prometheus.
pub(super) async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    ([("content-type", "text/plain; version=0.0.4")], health.metrics.render())
}
