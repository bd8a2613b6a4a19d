//! Refused commands.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{fitting, network};

/// A command that was refused. Absent on purpose: what it said.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// When.
    pub at: DateTime<Utc>,
    /// Who asked.
    pub actor_id: Uuid,
    /// On behalf of which organization.
    pub tenant_id: Option<Uuid>,
    /// In which session.
    pub session_id: Option<Uuid>,
    /// `context.aggregate`, as it was asked for.
    pub kind: String,
    /// The command's name, as it was asked for.
    pub command: String,
    /// Its id.
    pub command_id: Option<Uuid>,
    /// The stream that it was for.
    pub stream_id: Option<Uuid>,
    /// The refusal, such as `insufficient-funds`.
    pub code: String,
    /// The HTTP status that goes with it.
    pub status: i16,
    /// From where.
    pub ip_address: Option<IpAddr>,
    /// By which client.
    pub user_agent: Option<String>,
    /// What ties it to others.
    pub correlation_id: Uuid,
}

pub(super) async fn insert(
    refusals: &[Refusal],
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    if refusals.is_empty() {
        return Ok(());
    }
    fn each<T>(refusals: &[Refusal], of: impl Fn(&Refusal) -> T) -> Vec<T> {
        refusals.iter().map(of).collect()
    }
    sqlx::query(include_str!("refusals.sql"))
        .bind(each(refusals, |r| r.at))
        .bind(each(refusals, |r| r.actor_id))
        .bind(each(refusals, |r| r.tenant_id))
        .bind(each(refusals, |r| r.session_id))
        .bind(each(refusals, |r| fitting(&r.kind, 100)))
        .bind(each(refusals, |r| fitting(&r.command, 100)))
        .bind(each(refusals, |r| r.command_id))
        .bind(each(refusals, |r| r.stream_id))
        .bind(each(refusals, |r| fitting(&r.code, 100)))
        .bind(each(refusals, |r| r.status))
        .bind(each(refusals, |r| network(r.ip_address)))
        .bind(each(refusals, |r| r.user_agent.as_deref().map(|text| fitting(text, 512))))
        .bind(each(refusals, |r| r.correlation_id))
        .execute(connection)
        .await?;
    Ok(())
}
