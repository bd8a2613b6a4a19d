//! `api_keys`: the secret's hash is in the row and nowhere else.

use chrono::{DateTime, Utc};
use daybook_domain::identity::api_key::ApiKeyEvent;
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;
use crate::table::Words;

crate::table! {
    /// A row of `api_keys`.
    pub struct ApiKeyRow in "api_keys", key (id: Uuid), entity id;
    id: Uuid,
    user_id: Uuid,
    name: String,
    prefix: String,
    [secret] secret_hash: String,
    scopes: Words as "text[]",
    status: String,
    expires_at: Option<DateTime<Utc>>,
    rotated_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    revoked_reason: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

const ACTIVE: &str = "active";
const REVOKED: &str = "revoked";
const EXPIRED: &str = "expired";

/// The rows of an event.
pub fn touches(event: &ApiKeyEvent, recorded: &Recorded, touched: &mut Touched) {
    let key = (recorded.stream_id,);
    match event {
        ApiKeyEvent::Issued(_) => touched.api_keys.makes(key),
        ApiKeyEvent::Rotated(_) | ApiKeyEvent::Revoked(_) | ApiKeyEvent::Expired(_) => {
            touched.api_keys.needs(key);
        }
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &ApiKeyEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    let happened_at = recorded.happened_at();
    match event {
        ApiKeyEvent::Issued(event) => rows.api_keys.insert(ApiKeyRow {
            id: recorded.stream_id,
            user_id: event.user_id,
            name: event.name.as_str().to_owned(),
            prefix: event.prefix.as_str().to_owned(),
            secret_hash: event.secret_hash.as_str().to_owned(),
            scopes: Words::new(
                event.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            ),
            status: ACTIVE.to_owned(),
            expires_at: event.expires_at,
            rotated_at: None,
            revoked_at: None,
            revoked_reason: None,
            created_at: recorded.recorded_at,
            updated_at: recorded.recorded_at,
            created_by: actor,
            updated_by: actor,
        }),
        ApiKeyEvent::Rotated(event) => change(recorded, rows, |key| {
            key.prefix = event.prefix.as_str().to_owned();
            key.secret_hash = event.secret_hash.as_str().to_owned();
            key.expires_at = event.expires_at;
            key.rotated_at = Some(happened_at);
        }),
        ApiKeyEvent::Revoked(event) => change(recorded, rows, |key| {
            key.status = REVOKED.to_owned();
            key.revoked_at = Some(happened_at);
            key.revoked_reason = event.reason.as_ref().map(|reason| reason.as_str().to_owned());
        }),
        ApiKeyEvent::Expired(_) => change(recorded, rows, |key| key.status = EXPIRED.to_owned()),
    }
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut ApiKeyRow),
) -> Result<(), Fault> {
    rows.api_keys.update(&(recorded.stream_id,), |key| {
        change(key);
        key.updated_at = recorded.recorded_at;
        key.updated_by = recorded.metadata.actor_id;
    })
}
