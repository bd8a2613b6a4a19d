//! What an accepted command is answered with.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::engine::Accepted;

/// `201` for a new stream, `200` else.
#[must_use]
pub fn status(accepted: &Accepted) -> StatusCode {
    if accepted.appended.created && !accepted.dry_run {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    }
}

/// The answer's body: where the command stands in the log, its events, and what
/// is shown once.
#[must_use]
pub fn body(accepted: &Accepted) -> Value {
    let appended = &accepted.appended;
    let mut body = json!({
        "stream_id": appended.stream_id,
        "version": appended.version,
        "position": appended.position,
        "events": accepted.event_types,
    });
    if !accepted.dry_run {
        body["recorded_at"] = json!(appended.recorded_at);
    }
    if appended.replayed {
        body["replayed"] = true.into();
    }
    if accepted.dry_run {
        body["dry_run"] = true.into();
    }
    for (name, clear) in &accepted.secrets {
        body[*name] = clear.clone().into();
    }
    body
}

/// The whole response to a command under `path` (such as `/v1/banking/accounts`).
#[must_use]
pub fn response(accepted: &Accepted, path: &str, command_id: Uuid) -> Response {
    let appended = &accepted.appended;
    let mut response = (status(accepted), Json(body(accepted))).into_response();
    let headers = response.headers_mut();
    let mut put = |name: header::HeaderName, text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    };
    put(header::ETAG, format!("\"{}\"", appended.version));
    put(header::LOCATION, format!("{path}/{}", appended.stream_id));
    put(header::HeaderName::from_static("idempotency-key"), command_id.to_string());
    put(header::HeaderName::from_static("daybook-position"), appended.position.to_string());
    if !accepted.secrets.is_empty() {
        put(header::CACHE_CONTROL, "no-store".to_owned());
    }
    response
}
