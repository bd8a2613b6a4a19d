//! From a command's answer to its row in the read table, at 1,000 commands a second: a reader asks
//! the table itself, again and again, for the rows that it has not seen yet.

use std::sync::Arc;
use std::time::{Duration, Instant};

use daybook_app::world::fresh_id;
use hdrhistogram::Histogram;
use sqlx::PgPool;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::Trouble;
use crate::engine::{accounts, deposit};
use crate::plan::Plan;
use crate::server::Server;
use crate::stage::Stage;
use crate::table::Line;

pub(crate) const ACCOUNTS: usize = 1000;
const EVERY: Duration = Duration::from_millis(1);
/// Before latencies count.
const WARM_UP: Duration = Duration::from_secs(1);
/// The longest that a row is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// The bounds, in milliseconds.
const BOUNDS: [(f64, f64); 2] = [(50.0, 20.0), (99.0, 100.0)];

/// A durable command whose row is awaited.
struct Awaited {
    transaction: Uuid,
    since: Instant,
}

/// All rounds' latencies together.
pub(crate) async fn measure(server: &Server, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let stage = Stage::on(server.migrated("visible").await?).await?;
    let accounts = accounts(&stage, ACCOUNTS).await?;
    let worker = stage.work();
    stage.caught_up().await?;
    let latencies = rounds("visible", &stage, &accounts, plan).await?;
    worker.stop().await?;
    server.drop(stage.close().await).await?;
    let met = BOUNDS.iter().all(|(share, bound)| milliseconds(&latencies, *share) <= *bound);
    Ok(vec![Line::bounded(
        "commit to visible in the read table, 1,000 commands a second",
        format!(
            "p50 {:.1} ms, p99 {:.1} ms",
            milliseconds(&latencies, 50.0),
            milliseconds(&latencies, 99.0)
        ),
        "p50 ≤ 20 ms, p99 ≤ 100 ms",
        met,
    )])
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(crate) fn milliseconds(latencies: &Histogram<u64>, share: f64) -> f64 {
    latencies.value_at_percentile(share) as f64 / 1000.0
}

/// All rounds; `what` names them.
pub(crate) async fn rounds(
    what: &str,
    stage: &Stage,
    accounts: &Arc<[Uuid]>,
    plan: &Plan,
) -> Result<Histogram<u64>, Trouble> {
    let mut latencies = Histogram::<u64>::new(3)?;
    for round in 1..=plan.rounds {
        let begun = Instant::now();
        let measured = once(stage, accounts, plan.latency).await?;
        let rate = crate::measure::per_second(i64::try_from(measured.len())?, begun + WARM_UP);
        plan.say(&format!(
            "{what}, round {round}: p50 {} ms, p99 {} ms at {rate:.0}/s",
            milliseconds(&measured, 50.0),
            milliseconds(&measured, 99.0)
        ));
        latencies.add(&measured)?;
    }
    if latencies.is_empty() {
        return Err("no latency was measured".into());
    }
    Ok(latencies)
}

/// Sends at the given pace, whatever the answers take, and gives the latencies in microseconds.
pub(crate) async fn once(
    stage: &Stage,
    accounts: &Arc<[Uuid]>,
    time: Duration,
) -> Result<Histogram<u64>, Trouble> {
    let (sender, awaited) = mpsc::unbounded_channel();
    let begun = Instant::now();
    let reading = tokio::spawn(read(stage.pools.projector.clone(), awaited, begun + WARM_UP));
    let mut asking = tokio::task::JoinSet::new();
    let mut due = begun;
    let mut number = 0;
    while due < begun + WARM_UP + time {
        tokio::time::sleep_until(due.into()).await;
        due += EVERY;
        number += 1;
        let (engine, sender) = (Arc::clone(&stage.engine), sender.clone());
        let account = accounts[number % accounts.len()];
        asking.spawn(async move {
            let transaction = fresh_id();
            deposit(&engine, account, Some(transaction)).await?;
            sender.send(Awaited { transaction, since: Instant::now() })?;
            Ok::<_, Trouble>(())
        });
    }
    drop(sender);
    while let Some(ended) = asking.join_next().await {
        ended??;
    }
    reading.await?
}

/// Asks for the rows until all have been seen.
async fn read(
    pool: PgPool,
    mut awaited: mpsc::UnboundedReceiver<Awaited>,
    from: Instant,
) -> Result<Histogram<u64>, Trouble> {
    let mut latencies = Histogram::<u64>::new(3)?;
    let mut pending: Vec<Awaited> = Vec::new();
    let mut connection = pool.acquire().await?;
    // The table has no statistics yet; who looks all the time would read all of it.
    sqlx::raw_sql("SET enable_seqscan = off").execute(&mut *connection).await?;
    loop {
        if pending.is_empty() {
            match awaited.recv().await {
                Some(first) => pending.push(first),
                None => return Ok(latencies),
            }
        }
        while let Ok(next) = awaited.try_recv() {
            pending.push(next);
        }
        let ids: Vec<Uuid> = pending.iter().map(|awaited| awaited.transaction).collect();
        let found: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM public.transactions WHERE id = ANY ($1)")
                .bind(ids)
                .fetch_all(&mut *connection)
                .await?;
        let now = Instant::now();
        let found: std::collections::HashSet<Uuid> = found.into_iter().collect();
        for seen in pending.extract_if(.., |awaited| found.contains(&awaited.transaction)) {
            if seen.since >= from {
                latencies.record(u64::try_from((now - seen.since).as_micros())?)?;
            }
        }
        if pending.iter().any(|awaited| now.duration_since(awaited.since) > PATIENCE) {
            return Err("a row has not become visible within 20 s".into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
