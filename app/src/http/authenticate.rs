//! From a bearer token to an actor, by way of the read tables.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, Utc};
use daybook_command::secrets::token_hash;
use daybook_domain::context::Actor;
use daybook_domain::values::{Scope, UserRole};
use daybook_http::{Caller, Problem, StillValid};
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::access_log::Trace;

/// How long an answer of the read tables is believed. With the projector's
/// delay on top, a revoked key stops working well within five seconds.
const BELIEVED: Duration = Duration::from_secs(2);
/// How long a key is taken for unknown: a new one may be on its way to the tables.
const DISBELIEVED: Duration = Duration::from_millis(250);
/// How many keys are remembered.
const REMEMBERED: usize = 10_000;

/// Whose key it is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The key's own id.
    pub key_id: Uuid,
    user_id: Uuid,
    role: UserRole,
    roles: Vec<UserRole>,
    grants: Vec<Scope>,
    scopes: Option<Vec<String>>,
    expires_at: Option<DateTime<Utc>>,
}

/// Looks keys up, and remembers for a moment what it found.
pub struct Authenticator {
    pool: PgPool,
    known: Mutex<HashMap<String, (Instant, Option<Identity>)>>,
}

impl Authenticator {
    /// An authenticator that asks through this pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, known: Mutex::default() }
    }

    async fn identify(&self, token: &str) -> Result<Option<Identity>, Problem> {
        let hash = token_hash(token);
        let now = Instant::now();
        if let Some((asked, identity)) = self.lock().get(&hash)
            && now.duration_since(*asked) < believed(identity.as_ref())
        {
            return Ok(identity.clone());
        }
        let identity = self.ask(&hash).await.map_err(|error| {
            tracing::warn!(%error, "keys cannot be looked up");
            Problem::unavailable("keys cannot be looked up right now; try again")
        })?;
        let mut known = self.lock();
        if known.len() >= REMEMBERED {
            known.retain(|_, (asked, identity)| {
                now.duration_since(*asked) < believed(identity.as_ref())
            });
            if known.len() >= REMEMBERED {
                known.clear();
            }
        }
        known.insert(hash, (now, identity.clone()));
        Ok(identity)
    }

    async fn ask(&self, hash: &str) -> Result<Option<Identity>, sqlx::Error> {
        let row = sqlx::query(
            "SELECT key_id, user_id, role, roles, grants, scopes, expires_at
             FROM projector.authenticate($1)",
        )
        .bind(hash)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let role: String = row.try_get("role")?;
        let roles: Vec<String> = row.try_get("roles")?;
        let grants: Vec<String> = row.try_get("grants")?;
        Ok(Some(Identity {
            key_id: row.try_get("key_id")?,
            user_id: row.try_get("user_id")?,
            role: read(role)?,
            roles: roles.into_iter().map(read).collect::<Result<_, _>>()?,
            grants: grants.into_iter().map(read).collect::<Result<_, _>>()?,
            scopes: row.try_get("scopes")?,
            expires_at: row.try_get("expires_at")?,
        }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, Option<Identity>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value out of its text, as the tables have it.
fn read<T: serde::de::DeserializeOwned>(text: String) -> Result<T, sqlx::Error> {
    serde_json::from_value(text.into()).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn believed(identity: Option<&Identity>) -> Duration {
    if identity.is_some() { BELIEVED } else { DISBELIEVED }
}

/// Puts the [`Caller`] into the request, or answers `401`.
pub(super) async fn authenticate(
    State(authenticator): State<Arc<Authenticator>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let token = bearer(request.headers()).ok_or_else(Problem::unauthenticated)?;
    let identity = authenticator.identify(token).await?.ok_or_else(Problem::unauthenticated)?;
    if identity.expires_at.is_some_and(|end| end <= crate::world::now()) {
        return Err(Problem::unauthenticated());
    }
    let trace = request.extensions().get::<Trace>();
    let caller = Caller {
        actor: Actor {
            id: identity.user_id,
            role: identity.role,
            roles: identity.roles.clone(),
            grants: identity.grants.clone(),
            tenant: tenant(request.headers())?,
            tenant_role: None,
            scopes: identity.scopes.clone(),
        },
        ip_address: address(&request),
        user_agent: request
            .headers()
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(512).collect()),
        correlation_id: trace.map_or_else(crate::world::fresh_id, |trace| trace.correlation_id),
        session_id: None,
        traceparent: trace.and_then(|trace| trace.traceparent.clone()),
    };
    let valid = still_valid(Arc::clone(&authenticator), token.to_owned());
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(identity);
    request.extensions_mut().insert(valid);
    Ok(next.run(request).await)
}

/// For answers that last: a key that cannot be looked up right now is still believed.
fn still_valid(authenticator: Arc<Authenticator>, token: String) -> StillValid {
    StillValid::new(move || {
        let (authenticator, token) = (Arc::clone(&authenticator), token.clone());
        Box::pin(async move {
            authenticator.identify(&token).await.map_or(true, |known| {
                known.is_some_and(|identity| {
                    identity.expires_at.is_none_or(|end| end > crate::world::now())
                })
            })
        })
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= 512)
        .then_some(token)
}

/// The tenant that `X-Organization-Id` chooses. Organizations have no members
/// before that context exists, so naming one is refused rather than believed.
fn tenant(headers: &HeaderMap) -> Result<Option<Uuid>, Problem> {
    match headers.get("x-organization-id") {
        None => Ok(None),
        Some(_) => Err(Problem::forbidden("you are not a member of that organization")),
    }
}

/// The client's address. Forwarding headers are not believed: anybody can send them.
pub(super) fn address(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
}
