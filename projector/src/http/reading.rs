//! Reads of everyone's past are written down: who read what, and how many rows of it.

use axum::http::StatusCode;
use daybook_domain::access;
use daybook_http::{Caller, Problem};
use daybook_store::Record;
use daybook_store::records::{self, Read, Reader, Reading};
use serde_json::{Map, Value};

use super::Reads;

/// The caller, if they may read everyone's past.
pub(super) fn require_history(caller: &Caller) -> Result<(), Problem> {
    if access::may(&caller.actor, access::LOG, access::HISTORY, false) {
        return Ok(());
    }
    Err(Problem::forbidden(format!(
        "the role {} and the scopes of the key in use do not allow {} on the {}",
        caller.actor.role,
        access::HISTORY,
        access::LOG
    )))
}

/// Query parameters as they are written down.
pub(super) fn asked(pairs: &[(String, String)]) -> Value {
    let given: Map<String, Value> =
        pairs.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    Value::Object(given)
}

fn read(caller: &Caller, what: &'static str, asked: Value) -> Read {
    Read {
        reader: Reader {
            actor_id: caller.actor.id,
            tenant_id: caller.actor.tenant,
            session_id: caller.session_id,
            ip_address: caller.ip_address,
            user_agent: caller.user_agent.clone(),
            correlation_id: Some(caller.correlation_id),
        },
        what,
        asked,
        rows: None,
        digest: None,
    }
}

impl Reads {
    /// Has a read written down that is over at once. Nobody waits for it.
    pub(super) fn note_read(&self, caller: &Caller, what: &'static str, asked: Value, rows: usize) {
        let rows = i64::try_from(rows).ok();
        self.records.note(Record::Read(Read { rows, ..read(caller, what, asked) }));
    }

    /// Writes down that a read begins that hands out many rows: it may only then.
    pub(super) async fn begin_read(
        &self,
        caller: &Caller,
        what: &'static str,
        asked: Value,
    ) -> Result<Reading, Problem> {
        records::begin_read(&self.pool, read(caller, what, asked)).await.map_err(|error| {
            tracing::warn!(%error, "a read could not be written down, and hands out nothing");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "the read cannot be written down right now, and so hands out nothing; try again",
            )
            .retry_after(1)
        })
    }
}
