//! A trace for every request: in its answer's problem, in the log, in its events.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use daybook_http::problem::TRACE_ID;
use tracing::Instrument;
use uuid::Uuid;

/// The trace that a request belongs to, put into its extensions.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    /// W3C trace context, as it came in.
    pub(super) traceparent: Option<String>,
    /// `X-Correlation-Id`, or a new one.
    pub(super) correlation_id: Uuid,
}

/// Finds or makes the request's trace, and logs the request when it is answered.
pub(super) async fn trace(mut request: Request, next: Next) -> Response {
    let (trace, trace_id) = find(request.headers());
    let correlation_id = trace.correlation_id;
    request.extensions_mut().insert(trace);

    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", %method, route, trace_id);
    let started = Instant::now();
    let mut response = TRACE_ID.scope(trace_id, next.run(request)).instrument(span.clone()).await;
    let seconds = started.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    span.in_scope(|| tracing::debug!(status, seconds, "answered"));
    metrics::histogram!("daybook_http_request_seconds", "method" => known(&method), "route" => route, "status" => status.to_string()).record(seconds);
    if let Ok(value) = HeaderValue::from_str(&correlation_id.to_string()) {
        response.headers_mut().insert("x-correlation-id", value);
    }
    response
}

/// The method's name among the numbers. Clients can make up any number of methods; each would be a
/// series that is kept for ever.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The trace that the headers name, or a new one; and its id.
fn find(headers: &HeaderMap) -> (Trace, String) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let traceparent = header("traceparent").filter(|text| is_traceparent(text)).map(str::to_owned);
    let correlation_id = header("x-correlation-id")
        .and_then(|text| Uuid::parse_str(text).ok())
        .unwrap_or_else(crate::world::fresh_id);
    let trace_id = traceparent
        .as_deref()
        .and_then(|text| text.get(3..35))
        .map_or_else(|| correlation_id.simple().to_string(), str::to_owned);
    (Trace { traceparent, correlation_id }, trace_id)
}

/// Whether this is a W3C trace context of version 00.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, length| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    matches!(parts.as_slice(), ["00", trace, parent, flags]
        if hex(trace, 32) && hex(parent, 16) && hex(flags, 2) && trace.bytes().any(|b| b != b'0'))
}

#[cfg(test)]
mod tests {
    use super::is_traceparent;

    #[test]
    fn only_real_trace_contexts_are_carried_on() {
        assert!(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        for bad in ["", "00-x-y-01", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"] {
            assert!(!is_traceparent(bad), "{bad}");
        }
    }
}
