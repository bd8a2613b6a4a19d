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
    /// Requests a second and key.
    pub per_key: NonZeroU32,
    /// Requests a second and client address.
    pub per_address: NonZeroU32,
    /// Requests being worked on at a time; more are turned away.
    pub at_once: usize,
}

/// The counters behind the limits.
pub struct Limits {
    keys: DefaultKeyedRateLimiter<Uuid>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    at_once: Semaphore,
}

impl Limits {
    /// Counters for these limits.
    #[must_use]
    pub fn new(settings: LimitSettings) -> Self {
        Self {
            keys: RateLimiter::keyed(Quota::per_second(settings.per_key)),
            addresses: RateLimiter::keyed(Quota::per_second(settings.per_address)),
            at_once: Semaphore::new(settings.at_once),
        }
    }

    /// Forgets the keys and addresses that have been quiet. Called now and then.
    pub fn forget_quiet(&self) {
        self.keys.retain_recent();
        self.addresses.retain_recent();
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
    if address(&request).is_some_and(|address| limits.addresses.check_key(&address).is_err()) {
        return Err(too_many("address"));
    }
    // Liveness and metrics are answered also when nothing else is.
    if matches!(request.uri().path(), "/health/live" | "/health/ready" | "/metrics") {
        return Ok(next.run(request).await);
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
    if key.is_some_and(|key| limits.keys.check_key(&key).is_err()) {
        return Err(too_many("key"));
    }
    Ok(next.run(request).await)
}
