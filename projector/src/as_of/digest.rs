//! What is in a table, in 32 bytes: the SHA-256 of its rows as `COPY` prints them, by key. Whoever
//! doubts it takes psql and sha256sum.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use tokio::task::JoinSet;

use super::AsOfError;
use crate::catalog::{TABLES, TableInfo};
use crate::digest::Digest;
use crate::platform::audit_log::IDS_PER_POSITION;
use crate::posted::{Posted, WaitError};
use crate::table::LIVE;
use crate::twin::{AUDIT, Twin, joined, run};

/// How long to wait for the trail to be posted up to a position.
const FOR_THE_TRAIL: Duration = Duration::from_secs(30);

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

/// A part of the live trail.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrailUpTo {
    /// Everything up to here.
    pub(super) position: i64,
    /// What was changed by hand has no position: it counts by its time.
    pub(super) instant: DateTime<Utc>,
}

impl TrailUpTo {
    /// The rows.
    pub(super) fn rows(self) -> String {
        format!(
            "{LIVE}.{AUDIT} WHERE id < {} AND (position IS NOT NULL OR created_at <= '{}')",
            first_id_after(self.position),
            self.instant.to_rfc3339()
        )
    }
}

const fn first_id_after(position: i64) -> i64 {
    position.saturating_add(1).saturating_mul(IDS_PER_POSITION)
}

/// The digest of a part of the trail, put aside: a longer part's goes on from there, since the trail
/// only grows at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    sum: String,
    /// Not so where this is another one: something was changed by hand, which comes before all else and
    /// may have changed the trail itself.
    by_hand: String,
    /// Nor where its rows are others: where each stands, and which transaction wrote it.
    rows: String,
}

/// What tells whether the trail is what it was.
#[derive(Debug, sqlx::FromRow)]
struct Marks {
    by_hand: String,
    /// Of the earlier part.
    before: String,
    /// Of the whole part.
    whole: String,
}

/// What a part of the trail sums up to.
#[derive(Debug)]
pub(super) struct TrailSum {
    /// The digest, in hexadecimal.
    pub(super) digest: String,
    /// For a longer part.
    pub(super) kept: Kept,
}

/// The digest of a part of the trail, on a task of its own, which ends when it is dropped; from that of
/// an earlier part where that still stands.
pub(super) fn digest_of_trail(
    part: TrailUpTo,
    earlier: Option<(TrailUpTo, Kept)>,
    migrators: &PgPool,
) -> JoinSet<Result<TrailSum, AsOfError>> {
    let pool = migrators.clone();
    let mut task = JoinSet::new();
    task.spawn(async move {
        let Some(table) = TABLES.iter().find(|table| table.name == AUDIT) else {
            return Err(sqlx::Error::RowNotFound.into());
        };
        let mut connection = pool.acquire().await?.detach();
        begin_when_posted(part.position, &pool, &mut connection).await?;
        let earlier = earlier.filter(|(before, _)| {
            before.position <= part.position && before.instant <= part.instant
        });
        let end_of_earlier =
            earlier.as_ref().map_or(0, |(before, _)| first_id_after(before.position));
        let marks: Marks = sqlx::query_as(include_str!("marks.sql"))
            .bind(part.instant)
            .bind(end_of_earlier)
            .bind(first_id_after(part.position))
            .fetch_one(&mut connection)
            .await?;
        let going_on = earlier.and_then(|(_, kept)| {
            let stands = kept.by_hand == marks.by_hand && kept.rows == marks.before;
            let sum = Digest::taken_up(&kept.sum).filter(|_| stands)?;
            Some((sum, format!(" AND id >= {end_of_earlier}")))
        });
        let (sum, from) = going_on.unwrap_or_default();
        let rows = part.rows() + &from;
        // Its key follows its positions: it is read in that order, not sorted.
        run("SET enable_sort = off", &mut connection).await?;
        let sum = sum_up(sum, &statement(table, &rows), &mut connection).await?;
        let kept = Kept { sum: sum.put_aside(), by_hand: marks.by_hand, rows: marks.whole };
        Ok(TrailSum { digest: sum.hex(), kept })
    });
    task
}

/// Begins a transaction in which the trail is posted up to there and stays in its place: tables that were
/// live before may have taken it since that was waited for, and lack what came after them.
async fn begin_when_posted(
    position: i64,
    pool: &PgPool,
    connection: &mut PgConnection,
) -> Result<(), AsOfError> {
    // Locked before anything is looked at: nothing takes its place from here on, and the snapshot is of
    // what is posted by the time at which something is.
    let begin = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; LOCK TABLE {LIVE}.{AUDIT} IN ACCESS SHARE MODE"
    );
    let posted = Posted::new(pool.clone());
    loop {
        run(&begin, connection).await?;
        if posted.posted_to().await? >= position {
            return Ok(());
        }
        run("ROLLBACK", connection).await?;
        until_posted(&posted, position).await?;
    }
}

/// Waits until the trail is posted up to there.
pub(super) async fn until_posted(posted: &Posted, position: i64) -> Result<(), AsOfError> {
    posted.wait_for(position, FOR_THE_TRAIL).await.map_err(|error| match error {
        WaitError::TimedOut { asked, reached } => AsOfError::NotPosted { asked, posted: reached },
        WaitError::Read(error) => error.into(),
    })
}

/// What was kept of the trail that a state shows.
pub(super) async fn kept(
    schema: &str,
    connection: &mut PgConnection,
) -> Result<Option<(TrailUpTo, Kept)>, sqlx::Error> {
    let (position, instant, trail): (i64, DateTime<Utc>, Option<Json<serde_json::Value>>) =
        sqlx::query_as(
            "SELECT position, instant, trail FROM projector.as_of WHERE schema_name = $1",
        )
        .bind(schema)
        .fetch_one(connection)
        .await?;
    // What another release kept otherwise is not gone on from.
    let kept = trail.and_then(|Json(kept)| serde_json::from_value(kept).ok());
    Ok(kept.map(|kept| (TrailUpTo { position, instant }, kept)))
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
    Ok(sum_up(Digest::default(), statement, &mut connection).await?.hex())
}

/// Takes in what a statement copies out.
async fn sum_up(
    mut sum: Digest,
    statement: &str,
    connection: &mut PgConnection,
) -> Result<Digest, sqlx::Error> {
    run("SET timezone = 'UTC'; SET datestyle = 'ISO'; SET work_mem = '64MB'", connection).await?;
    let mut rows = connection.copy_out_raw(statement).await?;
    while let Some(bytes) = rows.try_next().await? {
        sum.take(&bytes);
    }
    drop(rows);
    Ok(sum)
}
