//! `POST /v1/identity/sessions`: opens a session, for who is known by a key; or for who is known by
//! nothing yet, with a login and a password.

use axum::extract::Query;
use axum::http::HeaderMap;
use axum::response::Response;
use daybook_domain::aggregate::Aggregate;
use daybook_domain::identity::session::Session;
use daybook_http::{Params, Problem};
use serde_json::{Map, Value};

use super::one::{self, Body, Pairs, Request, Sender};
use super::{answer, preconditions};
use crate::engine::Engine;
use crate::sign_in::SignIn;

/// Below the version.
pub(super) const PATH: &str = "identity/sessions";

/// Opens a session.
pub(super) async fn open(
    engine: &Engine,
    pairs: Pairs,
    headers: &HeaderMap,
    sender: Sender,
    body: Body,
) -> Result<Response, Problem> {
    let mut fields = one::fields(headers, body)?;
    if !fields.contains_key("password") {
        let name = "open".to_owned();
        let request = Request { path: PATH, kind: Session::KIND, name, stream: None };
        return one::submit(engine, request, pairs, headers, sender.caller()?, fields).await;
    }
    let visitor = sender.visitor.ok_or_else(Problem::unauthenticated)?;
    let Query(pairs) = pairs.map_err(|_| Problem::malformed("the query cannot be read"))?;
    // Whether a password is right is not tried out: it is recorded.
    Params::new(pairs)?.finish(&[])?;
    let command_id = preconditions::idempotency_key(headers)?.unwrap_or_else(|| engine.fresh_id());
    let sign_in = SignIn {
        login: text(&mut fields, "login")?,
        password: text(&mut fields, "password")?,
        fields: known(fields)?,
        command_id: Some(command_id),
        visitor,
    };
    let accepted = engine.sign_in(sign_in).await?;
    Ok(answer::response(&accepted, &format!("/v1/{PATH}"), command_id))
}

fn text(fields: &mut Map<String, Value>, name: &str) -> Result<String, Problem> {
    match fields.remove(name) {
        Some(Value::String(text)) if text.len() <= 4_096 => Ok(text),
        Some(_) => {
            let detail = format!("{name} must be a string of at most 4096 bytes");
            Err(Problem::invalid(&detail).field(format!("/{name}"), detail))
        }
        None => {
            let detail = format!("missing field `{name}`");
            Err(Problem::invalid(&detail).field(format!("/{name}"), detail))
        }
    }
}

/// Whose session it is follows from the login.
fn known(fields: Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    let theirs = |name: &&String| !["id", "org_id", "expires_at"].contains(&name.as_str());
    if let Some(name) = fields.keys().find(theirs) {
        let detail = format!("{name} does not go with a password");
        return Err(Problem::invalid(&detail).field(format!("/{name}"), detail));
    }
    Ok(fields)
}
