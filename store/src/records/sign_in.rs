//! Attempts to sign in.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{fitting, network};

/// An attempt to sign in. Absent on purpose: the login that was given, which may be a password in the
/// wrong field.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// When.
    pub at: DateTime<Utc>,
    /// Whose login was given, if it is anybody's.
    pub user_id: Option<Uuid>,
    /// `signed-in`, or why not.
    pub code: &'static str,
    /// The session that was opened.
    pub session_id: Option<Uuid>,
    /// From where.
    pub ip_address: Option<IpAddr>,
    /// By which client.
    pub user_agent: Option<String>,
    /// What ties it to others.
    pub correlation_id: Uuid,
}

pub(super) async fn insert(
    sign_ins: &[SignIn],
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    if sign_ins.is_empty() {
        return Ok(());
    }
    fn each<T>(sign_ins: &[SignIn], of: impl Fn(&SignIn) -> T) -> Vec<T> {
        sign_ins.iter().map(of).collect()
    }
    sqlx::query(include_str!("sign_ins.sql"))
        .bind(each(sign_ins, |s| s.at))
        .bind(each(sign_ins, |s| s.user_id))
        .bind(each(sign_ins, |s| s.code.to_owned()))
        .bind(each(sign_ins, |s| s.session_id))
        .bind(each(sign_ins, |s| network(s.ip_address)))
        .bind(each(sign_ins, |s| s.user_agent.as_deref().map(|text| fitting(text, 512))))
        .bind(each(sign_ins, |s| s.correlation_id))
        .execute(connection)
        .await?;
    Ok(())
}
