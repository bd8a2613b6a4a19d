//! `sessions`: the token's hash is in the row and nowhere else. A session that has ended keeps its
//! row.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use daybook_domain::identity::session::SessionEvent;
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;

crate::table! {
    /// A row of `sessions`.
    pub struct SessionRow in "sessions", key (id: Uuid), entity id;
    id: Uuid,
    user_id: Uuid,
    org_id: Option<Uuid>,
    [secret] token_hash: String,
    ip_address: Option<IpAddr>,
    user_agent: Option<String>,
    status: String,
    expires_at: DateTime<Utc>,
    extended_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    closed_reason: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

const ACTIVE: &str = "active";
const CLOSED: &str = "closed";
const EXPIRED: &str = "expired";

/// The rows of an event.
pub fn touches(event: &SessionEvent, recorded: &Recorded, touched: &mut Touched) {
    let key = (recorded.stream_id,);
    match event {
        SessionEvent::Opened(_) => touched.sessions.makes(key),
        SessionEvent::Extended(_) | SessionEvent::Closed(_) | SessionEvent::Expired(_) => {
            touched.sessions.needs(key);
        }
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &SessionEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let metadata = &recorded.metadata;
    let happened_at = recorded.happened_at();
    match event {
        SessionEvent::Opened(event) => rows.sessions.insert(SessionRow {
            id: recorded.stream_id,
            user_id: event.user_id,
            org_id: event.org_id,
            token_hash: event.token_hash.as_str().to_owned(),
            ip_address: metadata.ip_address,
            user_agent: metadata.user_agent.clone(),
            status: ACTIVE.to_owned(),
            expires_at: event.expires_at,
            extended_at: None,
            closed_at: None,
            closed_reason: None,
            created_at: recorded.recorded_at,
            updated_at: recorded.recorded_at,
            created_by: metadata.actor_id,
            updated_by: metadata.actor_id,
        }),
        SessionEvent::Extended(event) => change(recorded, rows, |session| {
            session.expires_at = event.expires_at;
            session.extended_at = Some(happened_at);
        }),
        SessionEvent::Closed(event) => change(recorded, rows, |session| {
            session.status = CLOSED.to_owned();
            session.closed_at = Some(happened_at);
            session.closed_reason = event.reason.as_ref().map(|reason| reason.as_str().to_owned());
        }),
        SessionEvent::Expired(_) => {
            change(recorded, rows, |session| session.status = EXPIRED.to_owned())
        }
    }
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut SessionRow),
) -> Result<(), Fault> {
    rows.sessions.update(&(recorded.stream_id,), |session| {
        change(session);
        session.updated_at = recorded.recorded_at;
        session.updated_by = recorded.metadata.actor_id;
    })
}
