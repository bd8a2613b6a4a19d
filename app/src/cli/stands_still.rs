//! Events that cannot be posted: tables that lack them are not all that the log says, however equal they are
//! to what was posted.

use daybook_projector::parked::{ParkedEvent, parked};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgPool;

use super::output::line;
use super::{Exit, Failure};

/// The lanes that stand still, each at an event.
pub(super) struct StandsStill {
    at: Vec<ParkedEvent>,
}

impl StandsStill {
    /// Those that there are, at events that `wanted` accepts.
    pub(super) async fn now(
        pool: &PgPool,
        wanted: impl Fn(&ParkedEvent) -> bool,
    ) -> Result<Self, Failure> {
        let mut at = parked(pool).await?;
        at.retain(wanted);
        Ok(Self { at })
    }

    /// What was found as JSON, with them.
    pub(super) fn beside(&self, found: &impl Serialize) -> Result<String, Failure> {
        let mut found = serde_json::to_value(found)?;
        if let Value::Object(fields) = &mut found {
            fields.insert("parked".to_owned(), serde_json::to_value(&self.at)?);
        }
        Ok(serde_json::to_string_pretty(&found)?)
    }

    /// Says which, for people.
    pub(super) fn tell(&self) {
        for event in &self.at {
            line(format!(
                "Not posted, nor what comes after it in lane {}: {} at position {} ({}).",
                event.lane, event.event_type, event.position, event.error
            ));
        }
    }

    /// What a comparison that found everything the same has to say of them.
    pub(super) fn but_for(&self) -> &'static str {
        if self.at.is_empty() { "" } else { ", but for what is not posted" }
    }

    /// How a comparison ends that found the tables to be the same, or not.
    pub(super) fn exit(&self, is_same: bool) -> Exit {
        if is_same && self.at.is_empty() { Exit::Done } else { Exit::Difference }
    }
}
