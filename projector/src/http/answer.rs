//! What answers have in common.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use daybook_http::Problem;
use serde::Serialize;
use serde_json::value::RawValue;

const POSITION: HeaderName = HeaderName::from_static("daybook-position");

/// A page as clients see it.
#[derive(Debug, Serialize)]
pub(super) struct PageBody<'a> {
    /// Rows or events.
    pub(super) data: &'a [Box<RawValue>],
    /// Whether there is more now.
    pub(super) has_more: bool,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
    /// The position that it stands on.
    pub(super) position: i64,
}

/// JSON that stands on a position of the log. Answers are the caller's own: nobody between may keep
/// them.
pub(super) fn json(body: &impl Serialize, position: i64) -> Result<Response, Problem> {
    let text = serde_json::to_string(body).map_err(|error| Problem::internal(&error))?;
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(POSITION, position.into());
    Ok(response)
}

/// Lines or events that go on for a while, from a log that stood at this position.
pub(super) fn streaming(content_type: &'static str, body: Body, position: i64) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    headers.insert(POSITION, position.into());
    response
}

/// Adds the event that made an entity as it is shown.
pub(super) fn with_event(mut response: Response, position: i64, event_type: &str) -> Response {
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("daybook-event-position"), position.into());
    if let Ok(event_type) = HeaderValue::from_str(event_type) {
        headers.insert(HeaderName::from_static("daybook-event-type"), event_type);
    }
    response
}

/// Adds the version that an entity stood at.
pub(super) fn with_version(mut response: Response, version: i64) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
