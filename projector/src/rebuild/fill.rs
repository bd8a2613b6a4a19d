//! Fills empty tables from the log by COPY.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use daybook_store::{Log, Recorded, Share};
use futures::{StreamExt, pin_mut};
use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

use super::reached::{self, Reached, has, lane_seq};
use super::{Memory, RebuildError};
use crate::catalog::{Month, Rows, Tables, month_of};
use crate::platform::audit_log::AuditLogRow;
use crate::together;
use crate::twin::{self, Twin};
use crate::worker::ownership;
use crate::write;

/// How empty tables are filled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filling {
    /// How much is held in memory.
    pub(crate) memory: Memory,
    /// The schema in which partitions are made as rows need them; `None` for tables without.
    pub(crate) partitions_in: Option<String>,
    /// Whether every write is a transaction of its own, so that no snapshot lasts; else the caller's
    /// transaction holds them all.
    pub(crate) own_transactions: bool,
    /// Leaves `audit_logs` alone.
    pub(crate) without_audit: bool,
    /// Only what happened to streams of these kinds; `None`: everything.
    pub(crate) kinds: Option<Vec<&'static str>>,
}

/// Fills empty tables.
pub(crate) struct Fill<'a> {
    tables: &'a Tables,
    connection: &'a mut PgConnection,
    filling: Filling,
    months: BTreeSet<Month>,
    rows: Rows,
    audit: Vec<AuditLogRow>,
    reached: Reached,
    /// Where the first event is, by lane, that was seen and not wanted yet.
    left: BTreeMap<i16, i64>,
    written: usize,
}

/// Which events are folded at one go.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// After this position.
    after: i64,
    /// Up to and including this one.
    up_to: i64,
    /// Of these lanes.
    share: Share,
}

/// What a fill has done.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    /// The rows written.
    pub(crate) rows: usize,
    /// Up to where each lane was folded.
    pub(crate) reached: Reached,
}

/// How fast events may be folded, by all who share it.
#[derive(Debug)]
pub(crate) struct Pace {
    per_second: Option<u32>,
    done: AtomicI64,
    /// How many came to be folded since it began.
    more: AtomicI64,
    /// When all that was folded so far may have been.
    due: Mutex<Instant>,
}

/// How many events may be missing where there is no pace.
const LITTLE: i64 = 10_000;
/// Of how many seconds, where there is one.
const LITTLE_FOR: i64 = 5;

/// How much of a delay is made good again. More would be a burst, which is what a pace is against.
const MADE_GOOD: Duration = Duration::from_secs(1);

impl Pace {
    /// At most so many events a second; `None`: as fast as it goes.
    pub(crate) fn new(per_second: Option<u32>) -> Self {
        let [done, more] = [0, 0].map(AtomicI64::new);
        Self { per_second, done, more, due: Mutex::new(Instant::now()) }
    }

    /// How many events are folded without a pause: those of a twentieth of a second, so that nobody
    /// who works beside waits for long.
    fn at_once(&self) -> usize {
        let rate = self.per_second.map(|rate| usize::try_from(rate).unwrap_or(usize::MAX));
        rate.map_or(usize::MAX, |rate| (rate / 20).max(1))
    }

    /// How many events may be missing for it to be enough: those of some seconds.
    fn little(&self) -> i64 {
        self.per_second.map_or(LITTLE, |rate| i64::from(rate) * LITTLE_FOR)
    }

    /// Takes down that `events` were folded, and waits until that many may have been. Gives how many were
    /// in all, and how many more there are than when it began.
    pub(crate) async fn keep(&self, events: usize) -> (i64, i64) {
        let folded = i64::try_from(events).unwrap_or(i64::MAX);
        let done = self.done.fetch_add(folded, Ordering::SeqCst) + folded;
        self.wait(events).await;
        (done, self.more.load(Ordering::SeqCst))
    }

    /// Waits for as long as so many events take.
    async fn wait(&self, events: usize) {
        if let Some(rate) = self.per_second {
            let takes = Duration::from_secs_f64(events as f64 / f64::from(rate.max(1)));
            let until = {
                let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
                let now = Instant::now();
                *due = now.checked_sub(MADE_GOOD).map_or(*due, |least| least.max(*due)) + takes;
                *due
            };
            tokio::time::sleep_until(until.into()).await;
        }
    }
}

/// Several connections fill at once, each with its share of the lanes: each row is written from one
/// stream only, and each stream is in one lane.
pub(crate) struct Shares {
    pub(crate) of: i16,
    pub(crate) filling: Filling,
    pub(crate) pace: Pace,
    /// Whether it goes on to where the live tables are by then, until little is missing: filling is cheaper
    /// for everybody than catching up, whose tables have all their indexes.
    pub(crate) follows: bool,
}

impl Shares {
    /// Fills the tables of `twin` with everything up to a position that `wanted` accepts.
    pub(crate) async fn fill(
        self,
        twin: &Twin,
        migrators: &PgPool,
        (log, up_to): (&Log, i64),
        wanted: impl Fn(&Recorded) -> bool + Clone + Send + Sync + 'static,
        tell: impl Fn(i64, i64) + Clone + Send + Sync + 'static,
    ) -> Result<Filled, RebuildError> {
        let share = usize::try_from(self.of).unwrap_or(1).max(1);
        let Memory { kept, gathered } = self.filling.memory;
        let memory = Memory { kept: (kept / share).max(1), gathered: (gathered / share).max(1) };
        let filling = Filling { memory, ..self.filling };
        let pace = Arc::new(self.pace);
        // However this ends, with an error of one of them or because nobody waits any more, all end.
        let stop = CancellationToken::new();
        let _ends = stop.clone().drop_guard();
        let mut tasks = tokio::task::JoinSet::new();
        for this in 0..self.of {
            let (log, pool, twin) = (log.clone(), migrators.clone(), twin.clone());
            let (wanted, tell, pace) = (wanted.clone(), tell.clone(), Arc::clone(&pace));
            let filling = filling.clone();
            let (of, follows, stop) = (self.of, self.follows, stop.clone());
            let runtime = tokio::runtime::Handle::current();
            // Folding is work for a thread of its own.
            tasks.spawn_blocking(move || {
                let work = async {
                    let mut connection = pool.acquire().await?.detach();
                    twin::run("SET synchronous_commit = off", &mut connection).await?;
                    let tables = twin.statements();
                    let mut fill = Fill::new(&tables, &mut connection, filling);
                    let stretch = Stretch { after: 0, up_to, share: Share { this, of } };
                    fill.stretch(&log, stretch, wanted, &pace, &tell).await?;
                    if follows {
                        fill.follow(&log, stretch, &pool, &pace, &tell).await?;
                    }
                    fill.end().await
                };
                runtime.block_on(async {
                    tokio::select! {
                        filled = work => filled,
                        () = stop.cancelled() => {
                            Err(sqlx::Error::Protocol("filling was stopped".to_owned()).into())
                        }
                    }
                })
            });
        }
        let mut all = Filled::default();
        while let Some(filled) = twin::joined(&mut tasks).await? {
            all.rows += filled.rows;
            all.reached.extend(filled.reached);
        }
        Ok(all)
    }
}

impl<'a> Fill<'a> {
    pub(crate) fn new(
        tables: &'a Tables,
        connection: &'a mut PgConnection,
        filling: Filling,
    ) -> Self {
        Self {
            tables,
            connection,
            filling,
            months: BTreeSet::new(),
            rows: Rows::of_empty_tables(),
            audit: Vec::new(),
            reached: Reached::new(),
            left: BTreeMap::new(),
            written: 0,
        }
    }

    /// Folds everything up to `up_to` of the lanes of `share`, of each lane only as far as `wanted`
    /// accepts.
    pub(crate) async fn run(
        mut self,
        log: &Log,
        (up_to, share): (i64, Share),
        wanted: impl Fn(&Recorded) -> bool,
        pace: &Pace,
        progress: impl Fn(i64),
    ) -> Result<Filled, RebuildError> {
        let stretch = Stretch { after: 0, up_to, share };
        self.stretch(log, stretch, wanted, pace, &|done, _| progress(done)).await?;
        self.end().await
    }

    async fn stretch(
        &mut self,
        log: &Log,
        Stretch { after, up_to, share }: Stretch,
        wanted: impl Fn(&Recorded) -> bool,
        pace: &Pace,
        progress: &impl Fn(i64, i64),
    ) -> Result<(), RebuildError> {
        let pages = log.copy_share(after, up_to, share, self.filling.kinds.as_deref());
        pin_mut!(pages);
        while let Some(page) = pages.next().await {
            let mut page = page?;
            let read = page.len();
            page.retain(|event| {
                let is_new = !has(&self.reached, event);
                let is_wanted = is_new && wanted(event);
                if is_new && !is_wanted {
                    self.left.entry(event.lane).or_insert(event.position);
                }
                is_wanted
            });
            for part in page.chunks(pace.at_once()) {
                self.page(part).await?;
                let (done, more) = pace.keep(part.len()).await;
                progress(done, more);
            }
            // Those that are not wanted were read.
            pace.wait(read - page.len()).await;
        }
        Ok(())
    }

    /// Goes on after a stretch to where the live tables are by then, as long as that brings it nearer to
    /// them and more than little is missing.
    async fn follow(
        &mut self,
        log: &Log,
        Stretch { mut up_to, share, .. }: Stretch,
        pool: &PgPool,
        pace: &Pace,
        progress: &impl Fn(i64, i64),
    ) -> Result<(), RebuildError> {
        let mut before = i64::MAX;
        loop {
            let live = ownership::checkpoints(&mut *pool.acquire().await?).await?;
            let mut behind = reached::behind(&self.reached, &live);
            behind.retain(|lane, _| share.has(*lane));
            let missing = behind.values().sum();
            if missing <= pace.little() || missing > before / 10 * 9 {
                return Ok(());
            }
            before = missing;
            pace.more.fetch_add(missing, Ordering::SeqCst);
            // What a lane had beyond the live tables, the last time, is before the end of that stretch.
            let first = behind.keys().filter_map(|lane| self.left.remove(lane)).min();
            let after = first.map_or(up_to, |first| up_to.min(first - 1));
            up_to = live.values().map(|lane| lane.position).fold(up_to, i64::max);
            let stretch = Stretch { after, up_to, share };
            self.stretch(log, stretch, |event| has(&live, event), pace, progress).await?;
        }
    }

    /// Writes what is left.
    async fn end(mut self) -> Result<Filled, RebuildError> {
        self.write(0).await?;
        Ok(Filled { rows: self.written, reached: self.reached })
    }

    async fn page(&mut self, page: &[Recorded]) -> Result<(), RebuildError> {
        for event in page {
            let Recorded { lane, lane_seq: posted, .. } = *event;
            let found = lane_seq(&self.reached, lane);
            // Of some kinds only there are holes.
            if self.filling.kinds.is_none() && posted != found + 1 {
                return Err(RebuildError::LogTooShort { lane, found, posted });
            }
            reached::add(&mut self.reached, event);
        }
        let (events, touched) = together::read(page).map_err(RebuildError::decode(page))?;
        self.rows.load(touched, self.tables, self.connection).await?;
        together::project(&events, page, &mut self.rows, &mut self.audit)
            .map_err(RebuildError::fault(page))?;
        if self.audit.len() >= self.filling.memory.gathered {
            self.write(self.filling.memory.kept).await?;
        }
        Ok(())
    }

    /// Writes what is settled and all but `keep` rows a table of the rest.
    async fn write(&mut self, keep: usize) -> Result<(), RebuildError> {
        let mut audit = std::mem::take(&mut self.audit);
        if self.filling.without_audit {
            audit.clear();
        }
        if let Some(schema) = &self.filling.partitions_in {
            let mut months = BTreeSet::new();
            self.rows.months(&mut months);
            months.extend(audit.iter().map(|row| month_of::<AuditLogRow>(row.created_at)));
            for month in months {
                if self.months.insert(month) {
                    make_partition(schema, month, &mut *self.connection).await?;
                }
            }
        }
        if self.filling.own_transactions {
            sqlx::raw_sql("BEGIN").execute(&mut *self.connection).await?;
        }
        self.written += self.rows.spill(keep, self.tables, self.connection).await?;
        if !audit.is_empty() {
            self.written += write::copy(&self.tables.audit_logs, &audit, self.connection).await?;
        }
        if self.filling.own_transactions {
            sqlx::raw_sql("COMMIT").execute(&mut *self.connection).await?;
        }
        Ok(())
    }
}

/// Makes one partition of a table in a schema of the owner's if it is not there.
pub(crate) async fn make_partition(
    schema: &str,
    (table, month): Month,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT projector.make_partitions_in($1, $2, $3, $3)")
        .bind(schema)
        .bind(table)
        .bind(month.and_time(chrono::NaiveTime::MIN).and_utc())
        .execute(connection)
        .await?;
    Ok(())
}
