//! The log: dense, in order, and its own heads right.

use sqlx::PgPool;

use super::{Depth, Finding, Found};
use crate::database::Pools;

/// How many of the newest events a sample reads.
const SAMPLE: i64 = 20_000;

pub(super) async fn examine(pools: &Pools, depth: Depth) -> Found {
    let head: i64 =
        sqlx::query_scalar("SELECT position FROM journal.batches ORDER BY batch DESC LIMIT 1")
            .fetch_one(&pools.writer)
            .await?;
    let after = match depth {
        Depth::Sample => (head - SAMPLE).max(0),
        Depth::Whole => 0,
    };
    let mut findings = vec![positions(&pools.writer, after, head).await?];
    if depth == Depth::Whole {
        findings.push(streams(&pools.writer).await?);
        findings.push(lanes(&pools.writer).await?);
    }
    findings.push(drift(&pools.projector).await?);
    Ok(findings)
}

const RESTORE: &str = "the log was changed past its functions, or storage lost pages: stop appending, keep a copy, and restore from backup";

/// Positions dense from `after` to `head`, and times growing with them.
async fn positions(pool: &PgPool, after: i64, head: i64) -> Result<Finding, sqlx::Error> {
    let (found, first, last, disordered): (i64, Option<i64>, Option<i64>, i64) =
        sqlx::query_as(include_str!("positions.sql"))
            .bind(after)
            .bind(head)
            .fetch_one(pool)
            .await?;
    let wanted = head - after;
    let detail = if head == 0 {
        format!("{found} events in an empty log")
    } else {
        format!("{found} events in positions {} to {head}", after + 1)
    };
    let dense = found == wanted && (wanted == 0 || (first, last) == (Some(after + 1), Some(head)));
    Ok(if !dense {
        Finding::fail("log density", format!("{detail}, where {wanted} should be"), RESTORE)
    } else if disordered > 0 {
        Finding::fail(
            "log density",
            format!("{detail}; {disordered} are not later than the one before"),
            RESTORE,
        )
    } else {
        Finding::ok("log density", detail)
    })
}

/// Versions dense in each stream, and the stream's own row right.
async fn streams(pool: &PgPool) -> Result<Finding, sqlx::Error> {
    let wrong: i64 = sqlx::query_scalar(include_str!("streams.sql")).fetch_one(pool).await?;
    Ok(if wrong == 0 {
        Finding::ok("streams", "versions are dense in every stream")
    } else {
        Finding::fail("streams", format!("{wrong} streams have holes, or a wrong head"), RESTORE)
    })
}

/// `lane_seq` dense in each lane, and the newest batch's heads right.
async fn lanes(pool: &PgPool) -> Result<Finding, sqlx::Error> {
    let wrong: i64 = sqlx::query_scalar(include_str!("lanes.sql")).fetch_one(pool).await?;
    Ok(if wrong == 0 {
        Finding::ok("lanes", "sequences are dense in every lane")
    } else {
        Finding::fail("lanes", format!("{wrong} lanes have holes, or a wrong head"), RESTORE)
    })
}

async fn drift(pool: &PgPool) -> Result<Finding, sqlx::Error> {
    let changes: i64 =
        sqlx::query_scalar("SELECT count(*) FROM journal.drift").fetch_one(pool).await?;
    Ok(if changes == 0 {
        Finding::ok("drift", "no read table was changed by hand")
    } else {
        Finding::warn(
            "drift",
            format!("{changes} changes to read tables came from nowhere in the log"),
            "`daybook rebuild --check` shows which rows differ; `daybook rebuild` puts them right",
        )
    })
}
