//! From a bearer token to an actor, by way of the read tables.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, Utc};
use daybook_command::secrets::token_hash;
use daybook_domain::context::Actor;
use daybook_domain::values::{MemberRole, Scope, UserRole};
use daybook_http::{Caller, Problem, StillValid, Visitor};
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

/// Whose key or token it is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The key's own id, or the session's.
    pub key_id: Uuid,
    session_id: Option<Uuid>,
    user_id: Uuid,
    role: UserRole,
    roles: Vec<UserRole>,
    grants: Vec<Scope>,
    scopes: Option<Vec<String>>,
    expires_at: Option<DateTime<Utc>>,
    /// The organization that the session is for.
    session_org: Option<Uuid>,
    /// What the user is in the organization on whose behalf they ask.
    tenant_role: Option<MemberRole>,
}

impl Identity {
    fn is_over(&self) -> bool {
        self.expires_at.is_some_and(|end| end <= crate::world::now())
    }

    /// With what they may, on behalf of `tenant`.
    fn actor(&self, tenant: Option<Uuid>) -> Actor {
        Actor {
            id: self.user_id,
            role: self.role,
            roles: self.roles.clone(),
            grants: self.grants.clone(),
            tenant,
            tenant_role: self.tenant_role.filter(|_| tenant.is_some()),
            scopes: self.scopes.clone(),
        }
    }

    /// The organization on whose behalf the caller asks: the one that they name, else the
    /// session's own. Only members do, and a session that is for one asks for no other.
    fn tenant(&self, named: Option<Uuid>) -> Result<Option<Uuid>, Problem> {
        let tenant = named.or(self.session_org);
        if named.is_some() && self.session_org.is_some() && named != self.session_org {
            return Err(Problem::forbidden("this session is for another organization"));
        }
        if tenant.is_some() && self.tenant_role.is_none() {
            return Err(Problem::forbidden("you are not a member of that organization"));
        }
        Ok(tenant)
    }
}

/// Who somebody is outside HTTP.
#[derive(Debug, Clone)]
pub struct Known {
    /// With what they may.
    pub actor: Actor,
    /// Where it is by a session.
    pub session_id: Option<Uuid>,
}

/// The hash of a key or token, and the organization that is named beside it.
type Asked = (String, Option<Uuid>);
type Remembered = HashMap<Asked, (Instant, Option<Identity>)>;

/// Looks keys and tokens up, and remembers for a moment what it found.
pub struct Authenticator {
    pool: PgPool,
    known: Mutex<Remembered>,
}

impl Authenticator {
    /// An authenticator that asks through this pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, known: Mutex::default() }
    }

    /// Who has this key or token, as over HTTP; `None`: nobody, any more.
    ///
    /// # Errors
    /// When it cannot be looked up.
    pub async fn who(&self, token: &str) -> Result<Option<Known>, sqlx::Error> {
        let identity = self.ask(&(token_hash(token), None)).await?;
        Ok(identity.filter(|identity| !identity.is_over()).map(|identity| Known {
            actor: identity.actor(identity.session_org.filter(|_| identity.tenant_role.is_some())),
            session_id: identity.session_id,
        }))
    }

    async fn identify(
        &self,
        token: &str,
        organization: Option<Uuid>,
    ) -> Result<Option<Identity>, Problem> {
        let asked_for = (token_hash(token), organization);
        let now = Instant::now();
        if let Some((asked, identity)) = self.lock().get(&asked_for)
            && now.duration_since(*asked) < believed(identity.as_ref())
        {
            return Ok(identity.clone());
        }
        let identity = self.ask(&asked_for).await.map_err(|error| {
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
        known.insert(asked_for, (now, identity.clone()));
        Ok(identity)
    }

    async fn ask(&self, (hash, organization): &Asked) -> Result<Option<Identity>, sqlx::Error> {
        let row = sqlx::query(
            "SELECT key_id, session_id, user_id, role, roles, grants, scopes, expires_at,
                 session_org_id, tenant_role
             FROM projector.authenticate($1, $2)",
        )
        .bind(hash)
        .bind(organization)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let role: String = row.try_get("role")?;
        let roles: Vec<String> = row.try_get("roles")?;
        let grants: Vec<String> = row.try_get("grants")?;
        let tenant_role: Option<String> = row.try_get("tenant_role")?;
        Ok(Some(Identity {
            key_id: row.try_get("key_id")?,
            session_id: row.try_get("session_id")?,
            user_id: row.try_get("user_id")?,
            role: read(role)?,
            roles: roles.into_iter().map(read).collect::<Result<_, _>>()?,
            grants: grants.into_iter().map(read).collect::<Result<_, _>>()?,
            scopes: row.try_get("scopes")?,
            expires_at: row.try_get("expires_at")?,
            session_org: row.try_get("session_org_id")?,
            tenant_role: tenant_role.map(read).transpose()?,
        }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
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

/// Puts the [`Caller`] into the request, or answers `401`. Whoever signs in is not known yet: the
/// request goes on with a [`Visitor`] instead.
pub(super) async fn authenticate(
    State(authenticator): State<Arc<Authenticator>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let visitor = visitor(&request);
    if signs_in(&request) {
        request.extensions_mut().insert(visitor);
        return Ok(next.run(request).await);
    }
    let token = bearer(request.headers()).ok_or_else(Problem::unauthenticated)?.to_owned();
    let named = organization(request.headers())?;
    let identity = authenticator.identify(&token, named).await?;
    let identity = identity.filter(|identity| !identity.is_over());
    let identity = identity.ok_or_else(Problem::unauthenticated)?;
    let tenant = identity.tenant(named)?;
    let caller =
        Caller { session_id: identity.session_id, ..visitor.caller(identity.actor(tenant)) };
    let valid = still_valid(authenticator, token, named);
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(identity);
    request.extensions_mut().insert(valid);
    Ok(next.run(request).await)
}

/// Where the request comes from.
fn visitor(request: &Request) -> Visitor {
    let trace = request.extensions().get::<Trace>();
    Visitor {
        ip_address: address(request),
        user_agent: request
            .headers()
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(512).collect()),
        correlation_id: trace.map_or_else(crate::world::fresh_id, |trace| trace.correlation_id),
        traceparent: trace.and_then(|trace| trace.traceparent.clone()),
    }
}

/// Whether somebody begins a session who brings neither key nor token: only a password can tell
/// who that is.
fn signs_in(request: &Request) -> bool {
    request.method() == Method::POST
        && request.uri().path() == "/v1/identity/sessions"
        && !request.headers().contains_key(header::AUTHORIZATION)
}

/// For answers that last: a key that cannot be looked up right now is still believed.
fn still_valid(
    authenticator: Arc<Authenticator>,
    token: String,
    named: Option<Uuid>,
) -> StillValid {
    StillValid::new(move || {
        let (authenticator, token) = (Arc::clone(&authenticator), token.clone());
        Box::pin(async move {
            authenticator.identify(&token, named).await.map_or(true, |known| {
                known.is_some_and(|identity| !identity.is_over() && identity.tenant(named).is_ok())
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

/// The organization that `X-Organization-Id` names.
fn organization(headers: &HeaderMap) -> Result<Option<Uuid>, Problem> {
    let Some(value) = headers.get("x-organization-id") else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| Uuid::parse_str(text.trim()).ok());
    id.map(Some).ok_or_else(|| Problem::malformed("X-Organization-Id is no UUID"))
}

/// The client's address. Forwarding headers are not believed: anybody can send them.
pub(super) fn address(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
}
