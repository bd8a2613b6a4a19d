//! How long a request may take, and whose fault it is when it takes longer.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use daybook_http::Problem;
use hyper::body::{Frame, SizeHint};

/// Answers `408` when the client did not send its body in time, `503` when the service took too long.
pub(super) async fn time_limit(
    State(limit): State<Duration>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let came = Arc::new(AtomicBool::new(request.body().is_end_stream()));
    let request = request.map(|body| Body::new(Watched { body, came: Arc::clone(&came) }));
    tokio::time::timeout(limit, next.run(request)).await.map_err(|_| {
        let seconds = limit.as_secs();
        if came.load(Ordering::Relaxed) {
            return Problem::unavailable(format!(
                "the request took longer than {seconds} s; a command may still have been taken: send it again with the same Idempotency-Key"
            ));
        }
        Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "request-timeout",
            format!("the body did not come within {seconds} s"),
        )
    })
}

/// A body that notes when all of it has come.
struct Watched {
    body: Body,
    came: Arc<AtomicBool>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.came.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
