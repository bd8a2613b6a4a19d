//! How much may be asked: by one key, by one address, and of everyone at once.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use daybook_http::Problem;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::authenticate::{Identity, address};

/// The numbers.
#[derive(Debug, Clone, Copy)]
pub struct LimitSettings {
    /// Requests a second and key; `None`: as many as they like.
    pub per_key: Option<NonZeroU32>,
    /// Requests a second and client address; `None`: as many as they like.
    pub per_address: Option<NonZeroU32>,
    /// Requests being worked on at a time; more are turned away.
    pub at_once: usize,
}

/// The counters behind the limits.
pub struct Limits {
    keys: Option<DefaultKeyedRateLimiter<Uuid>>,
    addresses: Option<DefaultKeyedRateLimiter<IpAddr>>,
    at_once: Semaphore,
}

impl Limits {
    /// Counters for these limits.
    #[must_use]
    pub fn new(settings: LimitSettings) -> Self {
        Self {
            keys: settings.per_key.map(|rate| RateLimiter::keyed(Quota::per_second(rate))),
            addresses: settings.per_address.map(|rate| RateLimiter::keyed(Quota::per_second(rate))),
            at_once: Semaphore::new(settings.at_once),
        }
    }

    /// Forgets the keys and addresses that have been quiet. Called now and then.
    pub fn forget_quiet(&self) {
        self.keys.iter().for_each(RateLimiter::retain_recent);
        self.addresses.iter().for_each(RateLimiter::retain_recent);
    }
}

fn too_many(of: &str) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too-many-requests",
        format!("too many requests a second from this {of}"),
    )
    .retry_after(1)
}

/// Limits what one address asks, and how much is worked on at once.
pub(super) async fn per_address(
    State(limits): State<Arc<Limits>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    // Health and metrics are answered also when nothing else is.
    if matches!(request.uri().path(), "/health/live" | "/health/ready" | "/metrics") {
        return Ok(next.run(request).await);
    }
    if let (Some(addresses), Some(address)) = (&limits.addresses, address(&request))
        && addresses.check_key(&address).is_err()
    {
        return Err(too_many("address"));
    }
    let Ok(_permit) = limits.at_once.try_acquire() else {
        metrics::counter!("daybook_http_shed_total").increment(1);
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "overloaded",
            "more requests are being worked on than this process takes",
        )
        .retry_after(1));
    };
    Ok(next.run(request).await)
}

/// Limits what one key asks.
pub(super) async fn per_key(
    State(limits): State<Arc<Limits>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let key = request.extensions().get::<Identity>().map(|identity| identity.key_id);
    if let (Some(keys), Some(key)) = (&limits.keys, key)
        && keys.check_key(&key).is_err()
    {
        return Err(too_many("key"));
    }
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn more_than_is_taken_at_once_is_shed_and_health_is_not() {
        let settings = LimitSettings { per_key: None, per_address: None, at_once: 1 };
        let never = || async { std::future::pending::<()>().await };
        let router = Router::new()
            .route("/slow", get(never))
            .route("/health/live", get(|| async {}))
            .layer(middleware::from_fn_with_state(Arc::new(Limits::new(settings)), per_address));
        let ask = |path: &str| {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            router.clone().oneshot(request)
        };
        let mut first = Box::pin(ask("/slow"));
        assert!(futures::poll!(&mut first).is_pending());
        let shed = ask("/slow").await.unwrap();
        assert_eq!(shed.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(shed.headers()["retry-after"], "1");
        assert_eq!(ask("/health/live").await.unwrap().status(), StatusCode::OK);
        // Whoever goes away makes room.
        drop(first);
        assert!(futures::poll!(Box::pin(ask("/slow"))).is_pending());
    }
}
