//! Who is at the other end of a request, once that is known.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use daybook_domain::context::Actor;
use uuid::Uuid;

use crate::Problem;

/// The authenticated caller and what came with the request. The shell puts it
/// into the request's extensions; routers take it as an argument.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// The client's address.
    pub ip_address: Option<IpAddr>,
    /// The client's own name.
    pub user_agent: Option<String>,
    /// `X-Correlation-Id`, or one made for the request.
    pub correlation_id: Uuid,
    /// The session in which it asks, if it is one.
    pub session_id: Option<Uuid>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// Where a request comes from, when who asks is yet to be known: somebody who signs in.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The client's address.
    pub ip_address: Option<IpAddr>,
    /// The client's own name.
    pub user_agent: Option<String>,
    /// `X-Correlation-Id`, or one made for the request.
    pub correlation_id: Uuid,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

impl Visitor {
    /// The same request, asked by `actor`.
    #[must_use]
    pub fn caller(&self, actor: Actor) -> Caller {
        Caller {
            actor,
            ip_address: self.ip_address,
            user_agent: self.user_agent.clone(),
            correlation_id: self.correlation_id,
            session_id: None,
            traceparent: self.traceparent.clone(),
        }
    }
}

impl Caller {
    /// Where the request comes from, whoever asks.
    #[must_use]
    pub fn visitor(&self) -> Visitor {
        Visitor {
            ip_address: self.ip_address,
            user_agent: self.user_agent.clone(),
            correlation_id: self.correlation_id,
            traceparent: self.traceparent.clone(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthenticated)
    }
}
