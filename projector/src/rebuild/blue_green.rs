//! A second set of read tables, filled beside the live one, that takes its place.

use std::time::{Duration, Instant};

use daybook_store::Log;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::catch_up::{CatchUp, PLANS, Towards, Transactions, checkpoints_of};
use super::compare::{Comparison, Report};
use super::part::{self, ByHand};
use super::reached::{Reached, is_empty, missing};
use super::set::Made;
use super::state::{Recorder, alone};
use super::swap::{Hands, Swap};
use super::{BEFORE, Memory, NEXT, OnProgress, RebuildError, Scope, drift};
use crate::twin::{self, Twin};
use crate::worker::ownership;

/// How a rebuild goes about it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its id.
    pub id: Uuid,
    /// Which build this is: what another one filled is never gone on with.
    pub build: String,
    /// Which projections are made again.
    pub scope: Scope,
    /// How much it holds in memory.
    pub memory: Memory,
    /// The most events that it folds a second while it fills; `None`: as many as it can.
    pub throttle: Option<u32>,
    /// Takes its place even where rows differ from the live ones.
    pub force: bool,
    /// How many differing rows of each table are shown.
    pub examples: i64,
    /// How long it waits for others to let go of the tables, and how long it goes on following what it
    /// comes no nearer to.
    pub patience: Duration,
}

impl Options {
    /// The defaults for a rebuild of this id by this build.
    #[must_use]
    pub fn new(id: Uuid, build: &str) -> Self {
        Self {
            id,
            build: build.to_owned(),
            scope: Scope::all(),
            memory: Memory::default(),
            throttle: None,
            force: false,
            examples: 20,
            patience: Duration::from_secs(600),
        }
    }

    /// Whether others are to notice little of it.
    pub(super) fn is_gentle(&self) -> bool {
        self.throttle.is_some()
    }

    /// How it follows the live tables.
    fn transactions(&self) -> Transactions {
        if self.is_gentle() { Transactions::Gentle } else { Transactions::Own }
    }

    /// How many connections fill, and make indexes, at a time.
    pub(super) fn at_once(&self) -> i16 {
        if self.is_gentle() { 1 } else { 2 }
    }

    /// The tables that are filled. What is slow on purpose is steady as well.
    fn twin(&self) -> Twin {
        let twin = Twin::of(NEXT);
        if self.is_gentle() { twin.steady() } else { twin }
    }

    /// What is held in memory. With a throttle little is gathered, since what is written at once is
    /// written as fast as it goes, and the commits of others wait behind it: audit rows of a tenth of
    /// a second, and of each table as many rows as there are events a second.
    pub(super) fn memory(&self) -> Memory {
        let Memory { kept, gathered } = self.memory;
        let Some(rate) = self.throttle else { return self.memory };
        let rate = usize::try_from(rate).unwrap_or(usize::MAX).max(1000);
        Memory { kept: kept.min(rate), gathered: gathered.min(rate / 10) }
    }
}

/// What a rebuild has done.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Rebuilt {
    /// Whether the new tables are the live ones now; else they differ, and wait to be accepted.
    pub live: bool,
    /// Up to which position they are posted.
    pub position: i64,
    /// How many rows were filled in; 0 when it went on with what an earlier run had filled.
    pub rows: usize,
    /// How many rows of projections that were not made again were copied as they were.
    pub copied: usize,
    /// How they compare with the tables that were live, at one checkpoint.
    pub report: Report,
}

/// Makes the read tables again beside the live ones, and lets them take their place. Where nothing was
/// posted yet, there is nothing to compare with. Connections of
/// `migrators` work as the owner (`daybook_migrator`). Interrupted, it leaves the live tables as they
/// were; the next run goes on with what is complete, and clears away what is not.
///
/// # Errors
/// See [`RebuildError`]; an event that cannot be posted fails it.
pub async fn blue_green(
    migrators: &PgPool,
    log: &Log,
    options: &Options,
    tell: OnProgress<'_>,
) -> Result<Rebuilt, RebuildError> {
    let mut guard = migrators.acquire().await?.detach();
    if !alone(&mut guard).await? {
        return Err(RebuildError::Busy);
    }
    let Options { id, build, scope, .. } = options;
    let recorder = Recorder::begin(*id, build, scope, migrators, tell).await?;
    let rebuilding = Rebuilding { migrators, log, options, recorder: &recorder };
    let outcome = rebuilding.run(&mut guard).await;
    let (state, different, message) = match &outcome {
        Ok(rebuilt) if rebuilt.live => ("live", Some(rebuilt.report.different()), None),
        Ok(rebuilt) => ("differs", Some(rebuilt.report.different()), None),
        Err(error) => ("failed", None, Some(error.to_string())),
    };
    let ended = recorder.end(state, different, message).await;
    let let_in = let_others_in(guard).await;
    let rebuilt = outcome?;
    let_in?;
    ended?;
    Ok(rebuilt)
}

/// Goes back to the tables that were live before the last rebuild, at once. They stand where they stood
/// then; what was appended since is posted to them by the workers. Doing it again goes forward again.
/// Gives the position up to which they are posted.
///
/// # Errors
/// See [`RebuildError`].
pub async fn roll_back(
    migrators: &PgPool,
    log: &Log,
    options: &Options,
    tell: OnProgress<'_>,
) -> Result<i64, RebuildError> {
    let mut guard = migrators.acquire().await?.detach();
    if !alone(&mut guard).await? {
        return Err(RebuildError::Busy);
    }
    let coming = Twin::of(BEFORE);
    let reached = match to_go_back_to(&mut guard).await {
        Ok(reached) => reached,
        Err(error) => {
            let_others_in(guard).await?;
            return Err(error);
        }
    };
    let (id, everything) = (options.id, Scope::all());
    let recorder = Recorder::begin(id, &options.build, &everything, migrators, tell).await?;
    let outcome = async {
        let next = Twin::of(NEXT);
        if next.exists(&mut guard).await? {
            next.drop(&mut guard).await?;
        }
        twin::run(&format!("CREATE SCHEMA {NEXT}"), &mut guard).await?;
        let mut filling = migrators.acquire().await?.detach();
        let hands = Hands { holding: &mut guard, filling: &mut filling };
        let begun = Instant::now();
        let held_up = |who| recorder.held_up(who, begun, options.patience);
        let swap = Swap {
            coming,
            log,
            said: (options.id, "rolled back"),
            patience: options.patience,
            held_up: &held_up,
            transactions: Transactions::Own,
            by_hand: None,
        };
        recorder.tell("swapping", 0, seconds(options.patience));
        swap.run(None, &reached, hands).await
    };
    let outcome = outcome.await;
    let ended = match &outcome {
        Ok(_) => recorder.end("rolled back", None, None).await,
        Err(error) => recorder.end("failed", None, Some(error.to_string())).await,
    };
    let let_in = let_others_in(guard).await;
    let position = outcome?;
    let_in?;
    ended?;
    Ok(position)
}

/// Takes away all sets of tables but the live one, after a migration was undone: it was so in the live ones
/// only. The connection works as the owner.
///
/// # Errors
/// When the server refuses, as it does where something was built on them.
pub async fn forget(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let may_be: bool =
        sqlx::query_scalar("SELECT to_regclass('projector.set_checkpoints') IS NOT NULL")
            .fetch_one(&mut *connection)
            .await?;
    if may_be {
        for schema in [NEXT, BEFORE] {
            twin::drop_schema(schema, connection).await?;
        }
    }
    Ok(())
}

/// Where the tables stand that were live before the last rebuild, if one can go back to them.
async fn to_go_back_to(connection: &mut PgConnection) -> Result<Reached, RebuildError> {
    let Some(reached) = checkpoints_of(BEFORE, None, connection).await? else {
        return Err(RebuildError::NoneBefore);
    };
    let migrated: Option<String> =
        sqlx::query_scalar(include_str!("migrated_since.sql")).fetch_optional(connection).await?;
    match migrated {
        Some(migration) => Err(RebuildError::Migrated(migration)),
        None => Ok(reached),
    }
}

/// Gives back the lock that keeps other rebuilds away, now, and not when the server gets to the end of
/// the session.
async fn let_others_in(mut guard: PgConnection) -> Result<(), sqlx::Error> {
    const LET_GO: &str = "SELECT pg_advisory_unlock_all()";
    if twin::run(LET_GO, &mut guard).await.is_err() {
        // What it was in the middle of failed.
        twin::run("ROLLBACK", &mut guard).await?;
        twin::run(LET_GO, &mut guard).await?;
    }
    sqlx::Connection::close(guard).await
}

/// A patience, as it is counted.
fn seconds(patience: Duration) -> i64 {
    i64::try_from(patience.as_secs()).unwrap_or(i64::MAX)
}

pub(super) struct Rebuilding<'a> {
    pub(super) migrators: &'a PgPool,
    pub(super) log: &'a Log,
    pub(super) options: &'a Options,
    pub(super) recorder: &'a Recorder<'a>,
}

impl Rebuilding<'_> {
    async fn run(&self, guard: &mut PgConnection) -> Result<Rebuilt, RebuildError> {
        let twin = self.options.twin();
        let unmoved = twin.unmoved(guard).await?;
        if !unmoved.is_empty() {
            return Err(RebuildError::Unmoved(unmoved));
        }
        ownership::prepare(guard).await?;
        let mut filling = self.migrators.acquire().await?.detach();
        if self.options.is_gentle() {
            twin::run(twin::ALONE, guard).await?;
            twin::run(twin::ALONE, &mut filling).await?;
        }
        let Made { reached, rows, copied } = match self.left_over(&twin, guard).await? {
            Some(reached) => Made { reached, rows: 0, copied: 0 },
            None => self.fill(&twin, guard).await?,
        };
        twin::run(PLANS, &mut filling).await?;
        let mut following = CatchUp::new(NEXT, reached);
        let how = self.options.transactions();
        let how = self.catch_up(Towards::Live, how, &mut following, &mut filling).await?;
        let (report, by_hand) = self.compare(&mut following, &mut filling).await?;
        if let Err(changed) = part::is_as_copied(&self.options.scope, &report) {
            twin.drop(guard).await?;
            return Err(changed);
        }
        if !report.is_same() && !self.options.force {
            let position = report.position;
            return Ok(Rebuilt { live: false, position, rows, copied, report });
        }
        // To the end of the log, as far as that goes before anything is given up for it.
        let how = self.catch_up(Towards::Head, how, &mut following, &mut filling).await?;
        twin::drop_schema(BEFORE, guard).await?;
        twin::run(&format!("CREATE SCHEMA {BEFORE}"), guard).await?;
        let patience = self.options.patience;
        self.recorder.tell("swapping", 0, seconds(patience));
        let begun = Instant::now();
        let held_up = |who| self.recorder.held_up(who, begun, patience);
        let swap = Swap {
            coming: twin.clone(),
            log: self.log,
            said: (self.options.id, "live"),
            patience,
            held_up: &held_up,
            transactions: how,
            by_hand: Some(by_hand),
        };
        let hands = Hands { holding: guard, filling: &mut filling };
        let swapped = swap.run(Some(&mut following), &Reached::new(), hands).await;
        let position = match swapped {
            Err(changed @ RebuildError::ChangedMeanwhile(_)) => {
                twin.drop(guard).await?;
                return Err(changed);
            }
            other => other?,
        };
        self.recorder.tell("swapping", seconds(patience), seconds(patience));
        Ok(Rebuilt { live: true, position, rows, copied, report })
    }

    /// Follows until what is missing is little; gives how it went about it at last.
    async fn catch_up(
        &self,
        towards: Towards,
        how: Transactions,
        following: &mut CatchUp,
        connection: &mut PgConnection,
    ) -> Result<Transactions, RebuildError> {
        let gentle = self.options.is_gentle();
        let tell = |done, missing, how| {
            self.recorder.tell("catching up", done, missing);
            if gentle && how == Transactions::Own {
                let said = "catches up without pauses, since with them it came no nearer";
                self.recorder.remark(Some(said.to_owned()));
            }
        };
        let how = (how, self.options.patience);
        let how = following.close_in(towards, self.log, connection, how, &tell).await?;
        self.recorder.remark(None);
        Ok(how)
    }

    /// Compares under one snapshot: the new tables are brought to where the live ones are in it, in a
    /// transaction that sees both so.
    async fn compare(
        &self,
        following: &mut CatchUp,
        connection: &mut PgConnection,
    ) -> Result<(Report, ByHand<'_>), RebuildError> {
        // Where nothing was live when the new tables were filled, the first workers may be under way.
        let mut waits = true;
        let live = loop {
            twin::run("BEGIN ISOLATION LEVEL REPEATABLE READ", connection).await?;
            let live = ownership::checkpoints(connection).await?;
            if !waits || is_empty(&live) || missing(&live, &following.reached) == 0 {
                break live;
            }
            twin::run("ROLLBACK", connection).await?;
            waits = self.live_have(&following.reached, connection).await?;
        };
        let by_hand = ByHand::now(&self.options.scope, connection).await?;
        if is_empty(&live) {
            twin::run("COMMIT", connection).await?;
            return Ok((Report { position: 0, tables: Vec::new() }, by_hand));
        }
        following.to(&live, self.log, connection, Transactions::Callers, &|_| ()).await?;
        following.keep_checkpoints(None, connection).await?;
        drift::put_back(NEXT, connection).await?;
        twin::run(
            "SET LOCAL work_mem = '64MB'; SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on; \
             SET LOCAL enable_mergejoin = on; SET LOCAL plan_cache_mode = auto",
            connection,
        )
        .await?;
        let gentle = self.options.is_gentle();
        if gentle {
            // Row by row along the keys: nothing is sorted or hashed, and nothing spilled.
            twin::run("SET LOCAL enable_hashjoin = off; SET LOCAL enable_sort = off", connection)
                .await?;
        }
        let position = live.values().map(|lane| lane.position).max().unwrap_or(0);
        let tell = |done, total| self.recorder.tell("comparing", done, total);
        let comparison = Comparison {
            schema: NEXT,
            scope: &Scope::all(),
            examples: self.options.examples,
            gentle,
        };
        let report = comparison.of_all(position, connection, &tell).await?;
        twin::run("COMMIT", connection).await?;
        Ok((report, by_hand))
    }
}
