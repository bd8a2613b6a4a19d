//! What is in a table, in 32 bytes: the SHA-256 of its rows as `COPY` prints them, by key. Whoever
//! doubts it takes psql and sha256sum.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};
use tokio::task::JoinSet;

use crate::catalog::{TABLES, TableInfo};
use crate::platform::audit_log::IDS_PER_POSITION;
use crate::table::LIVE;
use crate::twin::{AUDIT, Twin, joined, run};

/// The statement whose output a table's digest is of: the columns that projections write, by key,
/// texts in the order of their bytes, in a session whose `timezone` is UTC and whose `datestyle` is ISO.
#[must_use]
pub fn digest_statement(table: &TableInfo, schema: &str) -> String {
    statement(table, &format!("{schema}.{}", table.name))
}

/// The same over some rows of a table.
fn statement(table: &TableInfo, rows: &str) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let is_text =
        |key: &str| table.columns.iter().any(|column| column.name == key && column.array == "text");
    let key: Vec<String> = table
        .key
        .iter()
        .map(|key| if is_text(key) { format!("{key} COLLATE \"C\"") } else { (*key).to_owned() })
        .collect();
    format!(
        "COPY (SELECT {} FROM {rows} ORDER BY {}) TO STDOUT",
        columns.join(", "),
        key.join(", ")
    )
}

/// The rows of the live trail up to there. What was changed by hand has no position: it counts by its
/// time.
pub(super) fn trail_up_to(position: i64, instant: DateTime<Utc>) -> String {
    format!(
        "{LIVE}.{AUDIT} WHERE id < {} AND (position IS NOT NULL OR created_at <= '{}')",
        position.saturating_add(1).saturating_mul(IDS_PER_POSITION),
        instant.to_rfc3339()
    )
}

/// The digest of the trail up to there, on a task of its own, which ends when it is dropped.
pub(super) fn digest_of_trail(
    position: i64,
    instant: DateTime<Utc>,
    migrators: &PgPool,
) -> JoinSet<Result<String, sqlx::Error>> {
    let pool = migrators.clone();
    let mut task = JoinSet::new();
    task.spawn(async move {
        let Some(table) = TABLES.iter().find(|table| table.name == AUDIT) else {
            return Err(sqlx::Error::RowNotFound);
        };
        let mut connection = pool.acquire().await?.detach();
        // Its key follows its positions: it is read in that order, not sorted.
        run("SET enable_sort = off", &mut connection).await?;
        digest(&statement(table, &trail_up_to(position, instant)), connection).await
    });
    task
}

/// The digests of the tables of a schema, by table, in hexadecimal.
pub(super) async fn digests(
    twin: &Twin,
    migrators: &PgPool,
) -> Result<BTreeMap<String, String>, sqlx::Error> {
    let schema = &twin.schema;
    let mut tasks = JoinSet::<Result<_, sqlx::Error>>::new();
    let at_once = std::sync::Arc::new(tokio::sync::Semaphore::new(2));
    for table in TABLES.iter().filter(|table| twin.names.iter().any(|name| name == table.name)) {
        let (schema, pool, at_once) = (schema.to_owned(), migrators.clone(), at_once.clone());
        tasks.spawn(async move {
            let _turn = at_once.acquire().await;
            let connection = pool.acquire().await?.detach();
            let digest = digest(&digest_statement(table, &schema), connection).await?;
            Ok((table.name.to_owned(), digest))
        });
    }
    let mut digests = BTreeMap::new();
    while let Some((table, digest)) = joined(&mut tasks).await? {
        digests.insert(table, digest);
    }
    Ok(digests)
}

async fn digest(statement: &str, mut connection: PgConnection) -> Result<String, sqlx::Error> {
    run("SET timezone = 'UTC'; SET datestyle = 'ISO'; SET work_mem = '64MB'", &mut connection)
        .await?;
    let mut sum = Sha256::new();
    let mut rows = connection.copy_out_raw(statement).await?;
    while let Some(bytes) = rows.try_next().await? {
        sum.update(&bytes);
    }
    Ok(sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
