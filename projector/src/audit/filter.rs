//! Which rows of the trail are wanted.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::types::ipnetwork::IpNetwork;
use uuid::Uuid;

/// Which rows are wanted; every field that is given narrows it. The default is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditFilter {
    /// Of this entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<Uuid>,
    /// Of this table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Changed by this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Uuid>,
    /// `INSERT`, `UPDATE`, `DELETE` or `OUT_OF_BAND`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// On behalf of this organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Uuid>,
    /// At or after this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<DateTime<Utc>>,
    /// From this address, or from this network.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub address: Option<IpNetwork>,
    /// Tied together by this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Uuid>,
    /// By events of this stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<Uuid>,
    /// By events of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
}

fn as_text<S: Serializer>(network: &Option<IpNetwork>, serializer: S) -> Result<S::Ok, S::Error> {
    match network {
        Some(network) => serializer.collect_str(network),
        None => serializer.serialize_none(),
    }
}

impl AuditFilter {
    /// Binds $1 to $11, as each of the statements here has them.
    pub(crate) fn bind<'q>(
        &'q self,
        query: Query<'q, Postgres, PgArguments>,
    ) -> Query<'q, Postgres, PgArguments> {
        query
            .bind(self.entity)
            .bind(self.table.as_deref())
            .bind(self.actor)
            .bind(self.action.as_deref())
            .bind(self.tenant)
            .bind(self.from)
            .bind(self.before)
            .bind(self.address)
            .bind(self.correlation)
            .bind(self.stream)
            .bind(self.event_type.as_deref())
    }
}
