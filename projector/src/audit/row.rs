//! A row of the trail, with what the log knows of its event.

use std::net::IpAddr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::types::ipnetwork::IpNetwork;
use uuid::Uuid;

/// One change of one row by one event; or by hand, then without all that an event has.
#[derive(Debug, Clone, Serialize)]
pub struct AuditRow {
    /// position * 2^20 and its number within its event; negative for what was done by hand.
    pub id: i64,
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub created_at: DateTime<Utc>,
    /// The event's place in the log.
    pub position: Option<i64>,
    /// By whom.
    pub user_id: Option<Uuid>,
    /// `INSERT`, `UPDATE`, `DELETE` or `OUT_OF_BAND`.
    pub action: String,
    /// The table.
    pub entity_type: Option<String>,
    /// The row.
    pub entity_id: Option<Uuid>,
    /// The columns that changed, as they were.
    pub old_values: Option<Box<RawValue>>,
    /// And as they are then.
    pub new_values: Option<Box<RawValue>>,
    /// From where.
    pub ip_address: Option<IpAddr>,
    /// What happened.
    pub event_type: Option<String>,
    /// To which stream.
    pub stream_id: Option<Uuid>,
    /// The event's place in its stream.
    pub version: Option<i64>,
    /// What ties it to others.
    pub correlation_id: Option<Uuid>,
    /// In which session.
    pub session_id: Option<Uuid>,
    /// By which client; of what was done by hand, by which role of the database.
    pub user_agent: Option<String>,
    /// On behalf of which organization.
    pub tenant_id: Option<Uuid>,
    /// By which command.
    pub command_id: Option<Uuid>,
}

fn rfc3339<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

impl AuditRow {
    pub(super) fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        let json = |at: usize| {
            let text: Option<String> = row.try_get(at)?;
            text.map(RawValue::from_string)
                .transpose()
                .map_err(|error| sqlx::Error::Decode(error.into()))
        };
        Ok(Self {
            id: row.try_get(0)?,
            created_at: row.try_get(1)?,
            position: row.try_get(2)?,
            user_id: row.try_get(3)?,
            action: row.try_get(4)?,
            entity_type: row.try_get(5)?,
            entity_id: row.try_get(6)?,
            old_values: json(7)?,
            new_values: json(8)?,
            ip_address: row.try_get::<Option<IpNetwork>, _>(9)?.map(|network| network.ip()),
            event_type: row.try_get(10)?,
            stream_id: row.try_get(11)?,
            version: row.try_get(12)?,
            correlation_id: row.try_get(13)?,
            session_id: row.try_get(14)?,
            user_agent: row.try_get(15)?,
            tenant_id: row.try_get(16)?,
            command_id: row.try_get(17)?,
        })
    }
}
