//! What is in a table, in 32 bytes: the SHA-256 of its rows as `COPY` prints them, by key. Whoever
//! doubts it takes psql and sha256sum.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use crate::catalog::{TABLES, TableInfo};
use crate::rebuild::RebuildError;
use crate::twin::run;

/// The statement whose output a table's digest is of: the columns that projections write, by key,
/// texts in the order of their bytes, in a session whose `timezone` is UTC and whose `datestyle` is ISO.
#[must_use]
pub fn digest_statement(table: &TableInfo, schema: &str) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let is_text =
        |key: &str| table.columns.iter().any(|column| column.name == key && column.array == "text");
    let key: Vec<String> = table
        .key
        .iter()
        .map(|key| if is_text(key) { format!("{key} COLLATE \"C\"") } else { (*key).to_owned() })
        .collect();
    format!(
        "COPY (SELECT {} FROM {schema}.{} ORDER BY {}) TO STDOUT",
        columns.join(", "),
        table.name,
        key.join(", ")
    )
}

/// The digests of all tables of a schema, by table, in hexadecimal.
pub(super) async fn digests(
    schema: &str,
    migrators: &PgPool,
) -> Result<BTreeMap<String, String>, RebuildError> {
    let mut tasks = tokio::task::JoinSet::new();
    let at_once = std::sync::Arc::new(tokio::sync::Semaphore::new(2));
    for table in TABLES {
        let (schema, pool, at_once) = (schema.to_owned(), migrators.clone(), at_once.clone());
        tasks.spawn(async move {
            let _turn = at_once.acquire().await;
            digest(table, &schema, &pool).await.map(|digest| (table.name.to_owned(), digest))
        });
    }
    let mut digests = BTreeMap::new();
    while let Some(ended) = tasks.join_next().await {
        let broke = |panic| sqlx::Error::Protocol(format!("a task of ours broke: {panic}"));
        let (table, digest) = ended.map_err(broke)??;
        digests.insert(table, digest);
    }
    Ok(digests)
}

async fn digest(table: &TableInfo, schema: &str, pool: &PgPool) -> Result<String, sqlx::Error> {
    let mut connection = pool.acquire().await?.detach();
    run("SET timezone = 'UTC'; SET datestyle = 'ISO'; SET work_mem = '64MB'", &mut connection)
        .await?;
    let mut sum = Sha256::new();
    let mut rows = connection.copy_out_raw(&digest_statement(table, schema)).await?;
    while let Some(bytes) = rows.try_next().await? {
        sum.update(&bytes);
    }
    Ok(sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
