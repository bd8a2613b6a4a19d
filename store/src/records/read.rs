//! Reads of those who may read everyone's past.

use std::net::IpAddr;

use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{fitting, network};

/// Who reads.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Who.
    pub actor_id: Uuid,
    /// On behalf of which organization.
    pub tenant_id: Option<Uuid>,
    /// In which session.
    pub session_id: Option<Uuid>,
    /// From where.
    pub ip_address: Option<IpAddr>,
    /// By which client.
    pub user_agent: Option<String>,
    /// What ties it to others.
    pub correlation_id: Option<Uuid>,
}

/// A read of everyone's past. When it was, the database's clock says.
#[derive(Debug, Clone)]
pub struct Read {
    /// Who.
    pub reader: Reader,
    /// What sort of read, such as `replay`.
    pub what: &'static str,
    /// What was asked for: filters, as they were given.
    pub asked: Value,
    /// How many rows were handed out; `None` while that is not known.
    pub rows: Option<i64>,
    /// The digest of what was handed out, where one was taken.
    pub digest: Option<String>,
}

/// A read that goes on for a while, and is written down.
#[derive(Debug)]
pub struct Reading {
    id: Uuid,
    read: Read,
}

/// Writes down that a read begins, before it hands anything out.
///
/// # Errors
/// When the database does not take it: then nothing may be handed out.
pub async fn begin_read(pool: &PgPool, read: Read) -> Result<Reading, sqlx::Error> {
    let id = part(pool, None, "begun", &read).await?;
    Ok(Reading { id, read })
}

/// Writes down a read that is over at once, before it hands anything out.
///
/// # Errors
/// When the database does not take it: then nothing may be handed out.
pub async fn whole_read(pool: &PgPool, read: Read) -> Result<(), sqlx::Error> {
    part(pool, None, "whole", &read).await.map(drop)
}

impl Reading {
    /// Writes down that it is over, with what it handed out.
    ///
    /// # Errors
    /// When the database does not take it.
    pub async fn end(
        self,
        pool: &PgPool,
        rows: i64,
        digest: Option<String>,
    ) -> Result<(), sqlx::Error> {
        let read = Read { rows: Some(rows), digest, ..self.read };
        part(pool, Some(self.id), "ended", &read).await?;
        Ok(())
    }
}

async fn part(
    pool: &PgPool,
    id: Option<Uuid>,
    phase: &'static str,
    read: &Read,
) -> Result<Uuid, sqlx::Error> {
    let reader = &read.reader;
    sqlx::query_scalar(include_str!("read_part.sql"))
        .bind(id)
        .bind(phase)
        .bind(reader.actor_id)
        .bind(reader.tenant_id)
        .bind(reader.session_id)
        .bind(read.what)
        .bind(asked(read))
        .bind(read.rows)
        .bind(&read.digest)
        .bind(network(reader.ip_address))
        .bind(reader.user_agent.as_deref().map(|text| fitting(text, 512)))
        .bind(reader.correlation_id)
        .fetch_one(pool)
        .await
}

/// What was asked, as `jsonb` takes it.
fn asked(read: &Read) -> String {
    read.asked.to_string().replace("\\u0000", "")
}

pub(super) async fn insert(
    reads: &[Read],
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    if reads.is_empty() {
        return Ok(());
    }
    fn each<T>(reads: &[Read], of: impl Fn(&Read) -> T) -> Vec<T> {
        reads.iter().map(of).collect()
    }
    sqlx::query(include_str!("reads.sql"))
        .bind(each(reads, |r| r.reader.actor_id))
        .bind(each(reads, |r| r.reader.tenant_id))
        .bind(each(reads, |r| r.reader.session_id))
        .bind(each(reads, |r| r.what.to_owned()))
        .bind(each(reads, asked))
        .bind(each(reads, |r| r.rows))
        .bind(each(reads, |r| r.digest.clone()))
        .bind(each(reads, |r| network(r.reader.ip_address)))
        .bind(each(reads, |r| r.reader.user_agent.as_deref().map(|text| fitting(text, 512))))
        .bind(each(reads, |r| r.reader.correlation_id))
        .execute(connection)
        .await?;
    Ok(())
}
