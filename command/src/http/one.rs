//! One command: `POST /v1/banking/accounts` and `POST /v1/banking/accounts/{id}/withdraw`.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{Extension, FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use daybook_domain::catalog;
use daybook_http::{Caller, Params, Problem, Visitor};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::engine::Engine;
use crate::http::{Sizes, answer, preconditions, sign_in};
use crate::order::Intake;

pub(super) type Pairs = Result<Query<Vec<(String, String)>>, QueryRejection>;
type Names<T> = Result<Path<T>, PathRejection>;
pub(super) type Body = Result<Bytes, BytesRejection>;

/// Who asks; or, where somebody signs in, from where.
pub(super) struct Sender {
    pub(super) caller: Option<Caller>,
    pub(super) visitor: Option<Visitor>,
}

impl Sender {
    /// Who asks.
    pub(super) fn caller(self) -> Result<Caller, Problem> {
        self.caller.ok_or_else(Problem::unauthenticated)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Sender {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let caller: Option<Caller> = parts.extensions.get().cloned();
        let visitor =
            caller.as_ref().map(Caller::visitor).or_else(|| parts.extensions.get().cloned());
        Ok(Self { caller, visitor })
    }
}

/// Makes something new.
pub(super) async fn create(
    State(engine): State<Arc<Engine>>,
    names: Names<(String, String)>,
    pairs: Pairs,
    headers: HeaderMap,
    sender: Sender,
    body: Body,
) -> Result<Response, Problem> {
    let Path((context, plural)) = names.map_err(|error| no_names(&error))?;
    let path = format!("{context}/{plural}");
    if path == sign_in::PATH {
        return sign_in::open(&engine, pairs, &headers, sender, body).await;
    }
    let caller = sender.caller()?;
    let aggregate = catalog::by_path(&path)
        .ok_or_else(|| Problem::not_found(format!("there is nothing at /v1/{path}")))?;
    let request = Request {
        path: &path,
        kind: aggregate.kind,
        name: aggregate.creates.to_owned(),
        stream: None,
    };
    let fields = fields(&headers, body)?;
    submit(&engine, request, pairs, &headers, caller, fields).await
}

/// Does something to what exists.
pub(super) async fn act(
    State(engine): State<Arc<Engine>>,
    Extension(sizes): Extension<Sizes>,
    names: Names<(String, String, String, String)>,
    pairs: Pairs,
    headers: HeaderMap,
    caller: Caller,
    body: axum::body::Body,
) -> Result<Response, Problem> {
    let Path((context, plural, id, command)) = names.map_err(|error| no_names(&error))?;
    let path = format!("{context}/{plural}");
    let aggregate = catalog::by_path(&path)
        .ok_or_else(|| Problem::not_found(format!("there is nothing at /v1/{path}")))?;
    let id = Uuid::parse_str(&id)
        .map_err(|_| Problem::not_found(format!("{id:?} is no id; ids are UUIDs")))?;
    let name = command.replace('-', "_");
    if name == aggregate.creates {
        return Err(Problem::not_found(format!(
            "{name} makes something new: send it to /v1/{path}"
        )));
    }
    let body = whole(body, sizes.of(aggregate.kind, &name)).await?;
    let request = Request { path: &path, kind: aggregate.kind, name, stream: Some(id) };
    let fields = object(&headers, &body)?;
    submit(&engine, request, pairs, &headers, caller, fields).await
}

/// What is asked of which stream.
pub(super) struct Request<'a> {
    pub(super) path: &'a str,
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) stream: Option<Uuid>,
}

/// Submits one command, and answers.
pub(super) async fn submit(
    engine: &Engine,
    request: Request<'_>,
    pairs: Pairs,
    headers: &HeaderMap,
    caller: Caller,
    fields: Map<String, Value>,
) -> Result<Response, Problem> {
    let Query(pairs) = pairs.map_err(|_| Problem::malformed("the query cannot be read"))?;
    let mut params = Params::new(pairs)?;
    let dry_run = params.parse("dry_run", "true or false")?.unwrap_or(false);
    params.finish(&["dry_run"])?;
    let intake = Intake {
        caller,
        kind: request.kind.to_owned(),
        name: request.name,
        stream: request.stream,
        command_id: Some(
            preconditions::idempotency_key(headers)?.unwrap_or_else(|| engine.fresh_id()),
        ),
        fields,
        if_match: preconditions::expected_version(headers)?,
        dry_run,
    };
    let command_id = intake.command_id.unwrap_or_default();
    let order = engine.order(intake).await?;
    let accepted = engine.submit(order).await?;
    Ok(answer::response(&accepted, &format!("/v1/{}", request.path), command_id))
}

/// The body as a JSON object; nothing at all is an empty one.
pub(super) fn fields(headers: &HeaderMap, body: Body) -> Result<Map<String, Value>, Problem> {
    let bytes = body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE { too_large() } else { broken_off() }
    })?;
    object(headers, &bytes)
}

/// The whole body, of at most so many bytes.
async fn whole(body: axum::body::Body, most: usize) -> Result<Bytes, Problem> {
    match Limited::new(body, most).collect().await {
        Ok(read) => Ok(read.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(broken_off()),
    }
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        "the command is larger than what is taken at once",
    )
}

fn broken_off() -> Problem {
    Problem::malformed("the body ended early")
}

fn object(headers: &HeaderMap, bytes: &Bytes) -> Result<Map<String, Value>, Problem> {
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    require_content_type(headers, &["application/json"])?;
    crate::fields::read(bytes)
        .map_err(|error| Problem::malformed(format!("the body cannot be read: {error}")))
}

fn no_names(error: &PathRejection) -> Problem {
    Problem::malformed(format!("the address cannot be read: {error}"))
}

/// Refuses a body of another type.
pub(super) fn require_content_type(headers: &HeaderMap, accepted: &[&str]) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence =
        given.and_then(|value| value.split(';').next()).map(str::trim).unwrap_or_default();
    if accepted.iter().any(|name| essence.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        format!("send Content-Type: {}, not {essence:?}", accepted.join(" or ")),
    ))
}
