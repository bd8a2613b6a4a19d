//! The projector: alive, close behind, and nothing parked.

use sqlx::PgPool;

use super::{Finding, Found};
use crate::database::Pools;

/// Behind by more than this many seconds is worth a look.
const LATE_SECONDS: f64 = 30.0;

pub(super) async fn examine(pools: &Pools) -> Found {
    Ok(vec![lag(&pools.writer).await?, parked(&pools.writer).await?])
}

async fn lag(pool: &PgPool) -> Result<Finding, sqlx::Error> {
    let (alive, events, seconds): (i64, i64, f64) =
        sqlx::query_as(include_str!("lag.sql")).fetch_one(pool).await?;
    let detail = format!("{alive} workers, {events} events behind ({seconds:.1} s)");
    let start = "start `daybook serve` with the role projector, or `daybook dev`";
    Ok(if events > 0 && alive == 0 {
        Finding::warn("projector lag", detail, start)
    } else if seconds > LATE_SECONDS {
        Finding::warn(
            "projector lag",
            detail,
            "add projector processes, or look for parked events and long locks",
        )
    } else {
        Finding::ok("projector lag", detail)
    })
}

async fn parked(pool: &PgPool) -> Result<Finding, sqlx::Error> {
    let parked: Vec<(i16, i64, String, String)> = sqlx::query_as(
        "SELECT lane, position, event_type, error FROM projector.parked ORDER BY position LIMIT 20",
    )
    .fetch_all(pool)
    .await?;
    let Some((lane, position, event_type, error)) = parked.first() else {
        return Ok(Finding::ok("parked events", "none"));
    };
    Ok(Finding::fail(
        "parked events",
        format!(
            "{} lanes stand still; the first is lane {lane} at position {position} ({event_type}): {error}",
            parked.len()
        ),
        "an event could not be posted, which is a fault in daybook: update it, and it is tried again",
    ))
}
