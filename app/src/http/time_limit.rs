//! How long a request may take, whose fault it is when it takes longer, and what
//! becomes of a body that nobody wanted.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use daybook_http::Problem;
use futures::StreamExt as _;
use hyper::body::{Frame, SizeHint};

/// How much of an unwanted body is still read. A client that is sending does not read, and would see
/// its connection break instead of the answer.
const REST: usize = 8 << 20;
/// For how long.
const REST_WITHIN: Duration = Duration::from_secs(2);

/// Answers `408` when the client did not send its body in time, `503` when the service took too long.
pub(super) async fn time_limit(
    State(limit): State<Duration>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = Shared(Arc::new(Mutex::new(Known { body, waits: false })));
    let kept = Shared(Arc::clone(&body.0));
    let request = Request::from_parts(parts, Body::new(body));
    let answered = tokio::time::timeout(limit, next.run(request)).await;
    let came = kept.is_end_stream();
    let Ok(response) = answered else {
        let seconds = limit.as_secs();
        // Nor is it the client's fault where nobody has asked for more of it.
        if came || !kept.with(|known| known.waits) {
            return Err(Problem::unavailable(format!(
                "the request took longer than {seconds} s; a command may still have been taken: send it again with the same Idempotency-Key"
            )));
        }
        return Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "request-timeout",
            format!("the body did not come within {seconds} s"),
        ));
    };
    // An answer that is still being made may still read the body; then it is not ours.
    if !came && let Ok(body) = Arc::try_unwrap(kept.0) {
        let known = body.into_inner().unwrap_or_else(PoisonError::into_inner);
        drop(tokio::time::timeout(REST_WITHIN, pass_over(known.body)).await);
    }
    Ok(response)
}

async fn pass_over(body: Body) {
    let mut pieces = body.into_data_stream();
    let mut passed = 0;
    while passed < REST
        && let Some(Ok(piece)) = pieces.next().await
    {
        passed += piece.len();
    }
}

/// A body, and whether its reader waits for more of it.
struct Known {
    body: Body,
    waits: bool,
}

/// A body of which something is known after it was handed on.
struct Shared(Arc<Mutex<Known>>);

impl Shared {
    fn with<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.with(|known| {
            let frame = Pin::new(&mut known.body).poll_frame(context);
            known.waits = frame.is_pending();
            frame
        })
    }

    fn is_end_stream(&self) -> bool {
        self.with(|known| known.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with(|known| known.body.size_hint())
    }
}
