//! History written out, against COPY of the same columns by PostgreSQL alone; and one entity of a
//! thousand events at an instant.

use std::time::{Duration, Instant};

use daybook_projector::queries::past::{self, Upto};
use daybook_projector::replay::{Destination, Format, Order, Replay};
use daybook_store::{Filter, Log};
use futures::StreamExt;
use sqlx::postgres::PgPoolCopyExt;

use crate::Trouble;
use crate::history::History;
use crate::measure::over;
use crate::plan::Plan;
use crate::stage::Stage;
use crate::table::{Line, Rounds, rate, thousands};
use crate::workload::Streams;

/// The columns of a replay, as text, in order.
const FLOOR: &str = "COPY (
    SELECT position, recorded_at, occurred_at, lane, lane_seq, stream_id, version, event_type, schema_version,
        data, command_id, actor_id, tenant_id, correlation_id, causation_id, session_id, ip_address, user_agent,
        traceparent, after
    FROM journal.events ORDER BY position
) TO STDOUT";
/// What Parquet is to reach, in events a second.
const PARQUET: f64 = 150_000.0;
/// Events of the entity that is looked at.
const ENTITY: usize = 1_000;
/// How often it is.
const LOOKS: usize = 1_000;
/// Looks before, which do not count: a connection that is new to a question plans it.
const FIRST_LOOKS: usize = 50;
/// How long the slowest hundredth may take.
const LOOK: Duration = Duration::from_millis(10);

/// Measures all of it on a long log.
pub(crate) async fn measure(history: &History, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let stage = Stage::on(history.database.clone()).await?;
    let folder = tempfile::tempdir()?;
    let (mut lines, mut parquet) = (Rounds::default(), Vec::new());
    let log = Log::new(stage.pools.projector.clone());
    let events = log.head().await?.position;
    for round in 1..=plan.rounds {
        let begun = Instant::now();
        let mut rows = stage.pools.projector.copy_out_raw(FLOOR).await?;
        while let Some(bytes) = rows.next().await {
            std::hint::black_box(bytes?);
        }
        drop(rows);
        let base = over(events, begun.elapsed());
        let ours = replay(&log, Format::Ndjson, &folder.path().join("history.ndjson")).await?;
        let typed = replay(&log, Format::ParquetByType, &folder.path().join("history")).await?;
        plan.say(&format!(
            "replay, round {round}: COPY {base:.0}/s, NDJSON {ours:.0}/s, Parquet {typed:.0}/s"
        ));
        lines.floor.push(base);
        lines.ours.push(ours);
        parquet.push(typed);
    }
    let look = look(&stage, &log, plan).await?;
    stage.close().await;
    let typed = crate::measure::median(&parquet);
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let count = thousands(events as f64);
    Ok(vec![
        Line::against(format!("replay {count} events to NDJSON, against COPY … TO"), &lines, 0.6),
        Line::bounded(
            format!("replay {count} events to Parquet, typed, a file for each type"),
            rate(typed),
            format!("≥ {}", rate(PARQUET)),
            typed >= PARQUET,
        ),
        Line::bounded(
            format!("one entity of {ENTITY} events at an instant"),
            format!("p99 {:.1} ms", look.as_secs_f64() * 1e3),
            "p99 ≤ 10 ms",
            look <= LOOK,
        ),
    ])
}

async fn replay(log: &Log, format: Format, path: &std::path::Path) -> Result<f64, Trouble> {
    let order = Order { filter: Filter::default(), after: 0, format, speed: None };
    let destination = Destination::Path { path: path.to_owned(), anew: true };
    let begun = Instant::now();
    let written = Replay::plan(log, order, destination).await?.run(log, &|_| ()).await?;
    Ok(over(i64::try_from(written.events)?, begun.elapsed()))
}

/// The time of the slowest hundredth.
async fn look(stage: &Stage, log: &Log, plan: &Plan) -> Result<Duration, Trouble> {
    let owner = stage.user("looked-at").await?;
    let mut streams = Streams::with_length(owner, i64::try_from(ENTITY)?);
    let appended = stage.engine.appender().append(streams.large_request(ENTITY)).await?;
    let mut times = Vec::with_capacity(LOOKS);
    for look in 0..FIRST_LOOKS + LOOKS {
        let (log, stream) = (log.clone(), appended.stream_id);
        let instant = Upto::Instant(appended.recorded_at);
        // On a thread that serves requests, as those who ask over HTTP are answered.
        let looking = tokio::spawn(async move {
            let begun = Instant::now();
            let past = past::fold(&log, stream, instant).await;
            (begun.elapsed(), past)
        });
        let (took, past) = looking.await?;
        let past = past?;
        if look >= FIRST_LOOKS {
            times.push(took);
        }
        if past.version != i64::try_from(ENTITY)? {
            return Err("not all of its events".into());
        }
    }
    times.sort_unstable();
    let begun = Instant::now();
    for _ in 0..LOOKS {
        std::hint::black_box(log.stream(appended.stream_id, 0, None).await?);
    }
    let reading = begun.elapsed() / u32::try_from(LOOKS)?;
    let (half, slowest) = (times[LOOKS / 2], times[LOOKS * 99 / 100]);
    plan.say(&format!("one entity: p50 {half:?}, p99 {slowest:?}; {reading:?} of it is reading"));
    Ok(slowest)
}
