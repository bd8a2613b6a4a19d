//! A rebuild with a throttle beside a live load: how late commands are answered, and whether a read
//! fails. The rebuild is a process of its own, as an operator runs it.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daybook_app::world::fresh_id;
use daybook_projector::rebuild::{self, Options};
use daybook_store::Log;
use hdrhistogram::Histogram;
use sqlx::{ConnectOptions, Connection, PgPool};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::engine::{accounts, deposit};
use crate::plan::Plan;
use crate::server::Server;
use crate::stage::Stage;
use crate::table::{Line, thousands};
use crate::visible::milliseconds;
use crate::{Trouble, history, service};

/// Between two commands: 300 a second.
const EVERY: Duration = Duration::from_micros(3_333);
/// Accounts that are paid into.
const ACCOUNTS: usize = 300;
/// Before latencies count.
const WARM_UP: Duration = Duration::from_secs(2);
/// Files of the server's log, of 16 MiB, that are there to be used again: those of all that it keeps
/// (`min_wal_size`), as on a server that has been at work for a while. Where it has to make new ones,
/// commits wait for each.
const LOG_FILES: u32 = 512;
/// How often the slowest hundredth may be what it is without a rebuild.
const MOST: f64 = 2.0;

pub(crate) async fn measure(server: &Server, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let history = history::fill(server, "throttled", plan.events).await?;
    // What is live has to be there first.
    let migrators = daybook_app::database::migrate::migrators(&history.database.admin()).await?;
    let options = Options::new(fresh_id(), "bench");
    rebuild::blue_green(&migrators, &Log::new(migrators.clone()), &options, &|_| ()).await?;
    migrators.close().await;
    // What all that left to be written is none of the load's.
    let mut administrator = history.database.admin().connect().await?;
    sqlx::raw_sql("VACUUM (ANALYZE)").execute(&mut administrator).await?;
    for _ in 0..LOG_FILES / 4 {
        sqlx::raw_sql("SELECT pg_logical_emit_message(false, 'daybook', repeat('x', 64 << 20))")
            .execute(&mut administrator)
            .await?;
    }
    sqlx::raw_sql("CHECKPOINT").execute(&mut administrator).await?;
    administrator.close().await?;
    let stage = Stage::on(history.database).await?;
    let accounts = accounts(&stage, ACCOUNTS).await?;
    let worker = stage.work();
    let events = stage.caught_up().await?;
    // Without a rebuild is before and after it: the machine has other tenants, who come and go.
    let alone_for = WARM_UP + (plan.latency * 5).max(Duration::from_secs(2));
    let alone = || load(&stage, &accounts, tokio::time::sleep(alone_for));
    let (before, ()) = alone().await?;
    let (busy, rebuilt) = load(&stage, &accounts, rebuild_beside(&stage, plan.throttle)).await?;
    let (took, stages) = rebuilt?;
    let (after, ()) = alone().await?;
    let mut quiet = before.latencies.clone();
    quiet.add(&after.latencies)?;
    worker.stop().await?;
    server.drop(stage.close().await).await?;
    let p99 = |latencies: &Histogram<u64>| milliseconds(latencies, 99.0);
    plan.say(&format!(
        "throttled: p99 {:.1} ms of {} without ({:.1} before, {:.1} after), {:.1} ms of {} beside; {} reads, {} failed; rebuilt in {took:?}",
        p99(&quiet), quiet.len(), p99(&before.latencies), p99(&after.latencies),
        p99(&busy.latencies), busy.latencies.len(), busy.reads, busy.failed
    ));
    say_by_stage(plan, &busy, &stages)?;
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let (total, rate) = (thousands(events as f64), thousands(events as f64 / took.as_secs_f64()));
    Ok(vec![Line::bounded(
        format!(
            "rebuild of {total} events with --throttle {} beside 300 commands a second: p99 of commands",
            plan.throttle
        ),
        format!(
            "{:.1} ms, {:.1} ms without; {} of {} reads failed; {rate} events/s in all",
            p99(&busy.latencies),
            p99(&quiet),
            busy.failed,
            busy.reads
        ),
        format!("≤ {MOST} × without, no read fails"),
        p99(&busy.latencies) <= MOST * p99(&quiet) && busy.failed == 0,
    )])
}

/// The stages of a rebuild, each from when on.
type Stages = Vec<(Instant, String)>;

/// Says what commands took in each of them.
fn say_by_stage(plan: &Plan, load: &Load, stages: &Stages) -> Result<(), Trouble> {
    for (n, (from, stage)) in stages.iter().enumerate() {
        let to = stages.get(n + 1).map(|(to, _)| *to);
        let within = |due: &Instant| due >= from && to.is_none_or(|to| *due < to);
        let latencies = latencies_of(load.each.iter().filter(|(due, _)| within(due)))?;
        plan.say(&format!(
            "throttled, {stage}: p99 {:.1} ms of {} commands, the slowest {:.1} ms",
            milliseconds(&latencies, 99.0),
            latencies.len(),
            milliseconds(&latencies, 100.0)
        ));
    }
    Ok(())
}

/// What a load saw.
struct Load {
    /// Of commands, in microseconds.
    latencies: Histogram<u64>,
    /// When each command was due, and what it took.
    each: Vec<(Instant, Duration)>,
    reads: u64,
    failed: u64,
}

/// Sends and reads until `until` is over, and what that gave.
async fn load<T>(
    stage: &Stage,
    accounts: &Arc<[Uuid]>,
    until: impl Future<Output = T>,
) -> Result<(Load, T), Trouble> {
    let stop = CancellationToken::new();
    let reading =
        tokio::spawn(read(stage.pools.projector.clone(), Arc::clone(accounts), stop.clone()));
    let sending = send(stage, accounts, &stop);
    let (given, each) = tokio::join!(
        async {
            let given = until.await;
            stop.cancel();
            given
        },
        sending
    );
    let (reads, failed) = reading.await?;
    let each = each?;
    Ok((Load { latencies: latencies_of(&each)?, each, reads, failed }, given))
}

/// What these commands took, in microseconds.
fn latencies_of<'a>(
    commands: impl IntoIterator<Item = &'a (Instant, Duration)>,
) -> Result<Histogram<u64>, Trouble> {
    let mut latencies = Histogram::new(3)?;
    for (_, took) in commands {
        latencies.record(u64::try_from(took.as_micros())?)?;
    }
    Ok(latencies)
}

/// Sends at the given pace, whatever the answers take.
async fn send(
    stage: &Stage,
    accounts: &Arc<[Uuid]>,
    stop: &CancellationToken,
) -> Result<Vec<(Instant, Duration)>, Trouble> {
    let begun = Instant::now();
    let mut asking = tokio::task::JoinSet::new();
    let (mut due, mut number) = (begun, 0);
    let mut each = Vec::new();
    let mut ended = |ended: Result<Result<(Instant, Duration), Trouble>, JoinError>| {
        let (since, took) = ended??;
        if since >= begun + WARM_UP {
            each.push((since, took));
        }
        Ok::<_, Trouble>(())
    };
    while !stop.is_cancelled() {
        tokio::time::sleep_until(due.into()).await;
        while let Some(next) = asking.try_join_next() {
            ended(next)?;
        }
        number += 1;
        let (engine, account, since) =
            (Arc::clone(&stage.engine), accounts[number % accounts.len()], due);
        asking.spawn(async move {
            deposit(&engine, account, None).await?;
            Ok::<_, Trouble>((since, since.elapsed()))
        });
        due += EVERY;
    }
    while let Some(next) = asking.join_next().await {
        ended(next)?;
    }
    Ok(each)
}

/// Reads one account after the other, all of which are there; gives how many reads there were, and
/// how many found nothing or failed.
async fn read(pool: PgPool, accounts: Arc<[Uuid]>, stop: CancellationToken) -> (u64, u64) {
    let (mut reads, mut failed) = (0, 0);
    for account in accounts.iter().cycle() {
        if stop.is_cancelled() {
            break;
        }
        let row = sqlx::query("SELECT balance FROM public.accounts WHERE id = $1")
            .bind(account)
            .fetch_optional(&pool)
            .await;
        reads += 1;
        if !matches!(row, Ok(Some(_))) {
            failed += 1;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    (reads, failed)
}

/// `daybook rebuild --throttle`, to its end: how long it took, and its stages.
async fn rebuild_beside(stage: &Stage, throttle: i64) -> Result<(Duration, Stages), Trouble> {
    let begun = Instant::now();
    let mut command = tokio::process::Command::new(service::binary()?);
    let throttle = throttle.to_string();
    command
        .args(["rebuild", "--throttle", &throttle])
        .env("DATABASE_URL", stage.database.service_url())
        .env("DAYBOOK_MIGRATE_URL", stage.database.admin().to_url_lossy().to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let running = command.output();
    tokio::pin!(running);
    let mut stages: Stages = vec![(begun, "starting".to_owned())];
    let output = loop {
        tokio::select! {
            output = &mut running => break output?,
            () = tokio::time::sleep(Duration::from_millis(100)) => {
                let now: Option<String> =
                    sqlx::query_scalar("SELECT state FROM projector.rebuilds WHERE ended_at IS NULL")
                        .fetch_optional(&stage.pools.projector)
                        .await?;
                if let Some(now) = now && stages.last().is_none_or(|(_, last)| *last != now) {
                    stages.push((Instant::now(), now));
                }
            }
        }
    };
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok((begun.elapsed(), stages))
}
