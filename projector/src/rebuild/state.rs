//! What is known of rebuilds: a row each, for people, kept up while one runs.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, PgPool};
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::{OnProgress, Progress, Scope, Unit};

/// How many rebuilds are shown.
const NEWEST: usize = 50;

/// How often the row is written.
const EVERY: Duration = Duration::from_millis(500);

/// A rebuild as people see it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, sqlx::FromRow)]
pub struct Rebuild {
    /// Its id.
    pub id: Uuid,
    /// The build that ran it.
    pub build: String,
    /// The projections that are made again; `None`: all of them.
    pub projections: Option<Vec<String>>,
    /// `copying`, `filling`, `indexing`, `linking`, `analyzing`, `catching up`, `comparing`, `swapping`; at
    /// its end `live`, `differs`, `failed`, `interrupted`, `rolled back`.
    pub state: String,
    /// What the stage counts: `events`; `bytes` of the tables that it works on; `seconds` of its patience.
    /// Of one that was filled and came to an end: the `events` that it was filled with.
    pub unit: String,
    /// How many of these are done.
    pub events_done: i64,
    /// All of them.
    pub events_total: i64,
    /// The stage's rate, or that of filling.
    pub events_per_second: f64,
    /// How long the stage still takes, at that rate.
    pub seconds_left: Option<f64>,
    /// Rows written.
    pub rows_written: i64,
    /// Rows that differed from the live tables'.
    pub rows_different: Option<i64>,
    /// Up to which position the tables were posted when they took their place.
    pub position: Option<i64>,
    /// What went wrong, or who holds it up.
    pub message: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it last said something: one that is under way does so every second.
    pub updated_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Whether its tables are the live ones now.
    #[sqlx(default)]
    pub live_now: bool,
}

/// The newest rebuilds, newest first.
///
/// # Errors
/// When the server does not answer.
pub async fn rebuilds(executor: impl PgExecutor<'_>) -> Result<Vec<Rebuild>, sqlx::Error> {
    let mut rebuilds: Vec<Rebuild> =
        sqlx::query_as("SELECT * FROM projector.rebuilds ORDER BY started_at DESC, id")
            .fetch_all(executor)
            .await?;
    let live = live_now(&rebuilds);
    rebuilds.truncate(NEWEST);
    for rebuild in &mut rebuilds {
        rebuild.live_now = Some(rebuild.id) == live;
    }
    Ok(rebuilds)
}

/// The rebuild whose tables are the live ones; `None`: those that were there before any.
fn live_now(rebuilds: &[Rebuild]) -> Option<Uuid> {
    let mut ended: Vec<&Rebuild> =
        rebuilds.iter().filter(|rebuild| rebuild.ended_at.is_some()).collect();
    ended.sort_by_key(|rebuild| rebuild.ended_at);
    let (mut live, mut before) = (None, None);
    for rebuild in ended {
        if rebuild.state == "live" {
            (live, before) = (Some(rebuild.id), live);
        } else if rebuild.state == "rolled back" {
            (live, before) = (before, live);
        }
    }
    live
}

/// What a rebuild's stages count.
pub(super) fn progress(stage: &'static str, done: i64, total: i64) -> Progress {
    let unit = match stage {
        FILLING | "catching up" => Unit::Events,
        "swapping" => Unit::Seconds,
        _ => Unit::Bytes,
    };
    Progress { stage, done, total, unit }
}

/// What is being done, shared with the task that writes it down.
#[derive(Debug, Clone)]
struct Now {
    progress: Progress,
    stage_began: Instant,
    /// The events that it was filled with, and how many a second.
    filled: Option<(i64, f64)>,
    rows: i64,
    message: Option<String>,
}

impl Now {
    /// The stage under way, its last one left behind.
    fn is_at(&mut self, progress: Progress) {
        if self.progress.stage != progress.stage {
            if self.progress.stage == FILLING {
                self.filled = Some((self.progress.done, self.rate()));
            }
            self.stage_began = Instant::now();
        }
        self.progress = progress;
    }

    /// How many a second.
    fn rate(&self) -> f64 {
        self.progress.done as f64 / self.stage_began.elapsed().as_secs_f64().max(0.001)
    }
}

/// The stage in which events are folded into empty tables.
const FILLING: &str = "filling";

/// Keeps the row of the rebuild that is under way.
pub(super) struct Recorder<'a> {
    id: Uuid,
    pool: PgPool,
    now: Arc<Mutex<Now>>,
    writing: AbortHandle,
    tell: OnProgress<'a>,
}

impl<'a> Recorder<'a> {
    /// Begins a row; rows of rebuilds that were killed end.
    pub(super) async fn begin(
        id: Uuid,
        build: &str,
        scope: &Scope,
        pool: &PgPool,
        tell: OnProgress<'a>,
    ) -> Result<Self, sqlx::Error> {
        sqlx::query(
            "UPDATE projector.rebuilds SET state = 'interrupted', ended_at = clock_timestamp() WHERE ended_at IS NULL",
        )
        .execute(pool)
        .await?;
        sqlx::query(
            "INSERT INTO projector.rebuilds (id, build, state, projections) VALUES ($1, $2, 'filling', $3)",
        )
        .bind(id)
        .bind(build)
        .bind(scope.kinds())
        .execute(pool)
        .await?;
        let now = Arc::new(Mutex::new(Now {
            progress: progress(FILLING, 0, 0),
            stage_began: Instant::now(),
            filled: None,
            rows: 0,
            message: None,
        }));
        let (shared, through) = (Arc::clone(&now), pool.clone());
        let writing = tokio::spawn(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                // What is written here is for people; a failure shows as a row that stands still.
                let _ = write(id, &shared, &through).await;
            }
        });
        Ok(Self { id, pool: pool.clone(), now, writing: writing.abort_handle(), tell })
    }

    /// Something was done.
    pub(super) fn tell(&self, stage: &'static str, done: i64, total: i64) {
        let progress = progress(stage, done, total);
        if let Ok(mut now) = self.now.lock() {
            now.is_at(progress);
        }
        (self.tell)(progress);
    }

    /// A way to tell from other tasks; the terminal hears of it at the next turn here.
    pub(super) fn remote(&self) -> impl Fn(&'static str, i64, i64) + Clone + Send + Sync + 'static {
        let now = Arc::clone(&self.now);
        move |stage, done, total| {
            if let Ok(mut now) = now.lock() {
                // Of several tasks the one that is less far may be the one that tells last.
                let known = if now.progress.stage == stage { now.progress.done } else { 0 };
                now.is_at(progress(stage, done.max(known), total));
            }
        }
    }

    /// Lets the terminal hear what other tasks told, until `work` ends.
    pub(super) async fn while_doing<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(Duration::from_millis(100)) => {
                    let progress = self.now.lock().map(|now| now.progress);
                    if let Ok(progress) = progress {
                        (self.tell)(progress);
                    }
                }
            }
        }
    }

    pub(super) fn rows(&self, rows: usize) {
        if let Ok(mut now) = self.now.lock() {
            now.rows += i64::try_from(rows).unwrap_or(0);
        }
    }

    /// What is to be known of how it goes; `None`: nothing any more.
    pub(super) fn remark(&self, message: Option<String>) {
        if let Ok(mut now) = self.now.lock() {
            now.message = message;
        }
    }

    /// Who holds the swap up, `None`: nobody any more; and how much of its patience is gone.
    pub(super) fn held_up(&self, who: Option<String>, since: Instant, patience: Duration) {
        let [gone, all] = [since.elapsed(), patience].map(|time| time.as_secs().cast_signed());
        self.tell("swapping", gone.min(all), all);
        self.remark(who);
    }

    /// The stage under way has come this far, if that is further than was known.
    pub(super) fn further(&self, done: i64) {
        if let Ok(mut now) = self.now.lock() {
            now.progress.done = done.min(now.progress.total).max(now.progress.done);
        }
    }

    /// Ends the row, unless the swap already did.
    pub(super) async fn end(
        self,
        state: &str,
        different: Option<i64>,
        message: Option<String>,
    ) -> Result<(), sqlx::Error> {
        self.writing.abort();
        write(self.id, &self.now, &self.pool).await?;
        let filled = self.now.lock().ok().and_then(|now| now.filled);
        let (events, rate) = filled.unzip();
        sqlx::query(
            "UPDATE projector.rebuilds SET state = $2, rows_different = COALESCE($3, rows_different), message = $4,
                 events_done = COALESCE($5, events_done), events_total = COALESCE($5, events_total),
                 events_per_second = COALESCE($6, events_per_second), unit = CASE WHEN $5 IS NULL THEN unit ELSE 'events' END,
                 ended_at = clock_timestamp(), updated_at = clock_timestamp(), seconds_left = NULL
             WHERE id = $1 AND (ended_at IS NULL OR state = $2)",
        )
        .bind(self.id)
        .bind(state)
        .bind(different)
        .bind(message)
        .bind(events)
        .bind(rate)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

impl Drop for Recorder<'_> {
    fn drop(&mut self) {
        self.writing.abort();
    }
}

async fn write(id: Uuid, now: &Mutex<Now>, pool: &PgPool) -> Result<(), sqlx::Error> {
    let Ok(now) = now.lock().map(|now| now.clone()) else { return Ok(()) };
    let rate = now.rate();
    let Now { progress, rows, message, .. } = now;
    let left = (rate > 0.0).then(|| (progress.total - progress.done).max(0) as f64 / rate);
    sqlx::query(
        "UPDATE projector.rebuilds SET state = $2, events_done = $3, events_total = $4, events_per_second = $5,
             seconds_left = $6, rows_written = $7, message = $8, unit = $9, updated_at = clock_timestamp()
         WHERE id = $1 AND ended_at IS NULL",
    )
    .bind(id)
    .bind(progress.stage)
    .bind(progress.done)
    .bind(progress.total)
    .bind(rate)
    .bind(left)
    .bind(rows)
    .bind(message)
    .bind(progress.unit.name())
    .execute(pool)
    .await?;
    Ok(())
}

/// Makes sure that no rebuild runs beside the caller, for as long as the connection lives; `false`: one
/// does, or somebody else keeps them away. A migration does so too: tables made before it would take
/// the place of those that it changed.
///
/// # Errors
/// When the server does not answer.
pub async fn alone(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended('daybook.rebuild', 0))")
        .fetch_one(connection)
        .await
}
