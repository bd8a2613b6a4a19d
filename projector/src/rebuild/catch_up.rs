//! Posts what came since to a set of read tables that is not the live one: the same statements as
//! live posting, by position, in batches. A batch that is a transaction of its own moves the set's
//! checkpoints with its rows.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::{Duration, Instant};

use daybook_store::{Filter, Log, Recorded};
use sqlx::PgConnection;

use super::RebuildError;
use super::fill::make_partition;
use super::reached::{self, Reached, complete, has, lane_seq, missing};
use crate::catalog::{Month, Rows, Tables, month_of};
use crate::platform::audit_log::AuditLogRow;
use crate::together;
use crate::worker::lanes::Checkpoint;
use crate::worker::ownership;
use crate::write;

/// Events of one batch.
const BATCH: i64 = 1000;

/// The same where others are to notice little of it.
const SMALL_BATCH: i64 = 100;

/// Plans that use the keys' indexes, however small the tables were when they were made.
pub(crate) const PLANS: &str = "SET synchronous_commit = off; SET enable_seqscan = off; \
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; \
    SET plan_cache_mode = force_generic_plan";

/// A set of read tables that follows the log.
pub(crate) struct CatchUp {
    schema: String,
    tables: Tables,
    /// Whether it keeps `audit_logs`.
    audit: bool,
    months: HashSet<Month>,
    pub(crate) reached: Reached,
    /// Up to where every lane is posted, those too whose last event is far before it.
    through: i64,
}

/// How little may be missing for a set to count as caught up.
const LITTLE: i64 = 1000;

/// How often in a row a set that catches up as fast as it can may come no nearer before its patience
/// counts.
const NO_NEARER: u32 = 5;

/// Whether batches are transactions of their own, or part of the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transactions {
    /// Each batch commits, with the set's checkpoints.
    Own,
    /// The same in small batches, with a pause after each for as long as it took: others notice
    /// little of it.
    Gentle,
    /// The caller commits.
    Callers,
}

impl CatchUp {
    pub(crate) fn new(schema: &str, reached: Reached) -> Self {
        Self {
            schema: schema.to_owned(),
            tables: Tables::of(schema),
            audit: true,
            months: HashSet::new(),
            reached,
            through: 0,
        }
    }

    /// The same of a set without `audit_logs`.
    pub(crate) fn without_audit(mut self) -> Self {
        self.audit = false;
        self
    }

    /// Whether this event is posted already.
    pub(crate) fn has(&self, event: &Recorded) -> bool {
        has(&self.reached, event)
    }

    fn lane_seq(&self, lane: i16) -> i64 {
        lane_seq(&self.reached, lane)
    }

    /// Posts every lane up to where `target` has it; lanes that are further already stay. A lane that
    /// is to go up to `i64::MAX` goes as far as its target's position. Gives the number of events posted.
    pub(crate) async fn to(
        &mut self,
        target: &Reached,
        log: &Log,
        connection: &mut PgConnection,
        transactions: Transactions,
        tell: &(dyn Fn(i64) + Send + Sync),
    ) -> Result<i64, RebuildError> {
        let behind: Vec<i16> = reached::behind(&self.reached, target).into_keys().collect();
        let position = |lane: &i16| self.reached.get(lane).map_or(0, |reached| reached.position);
        let Some(after) = behind.iter().map(position).min() else { return Ok(0) };
        let mut after = after.max(self.through);
        let last = behind.iter().filter_map(|lane| target.get(lane)).map(|to| to.position).max();
        let last = last.unwrap_or(0);
        let filter =
            Filter { lanes: Some(behind), up_to_position: Some(last), ..Filter::default() };
        let mut count = 0;
        let gentle = transactions == Transactions::Gentle;
        let batch = if gentle { SMALL_BATCH } else { BATCH };
        while after < last {
            let begun = Instant::now();
            let page = log.page(after, &filter, batch).await?;
            let mut events = Vec::with_capacity(page.events.len());
            let mut next: BTreeMap<i16, i64> = BTreeMap::new();
            for event in page.events {
                let reached = next.entry(event.lane).or_insert_with(|| self.lane_seq(event.lane));
                let wanted = target.get(&event.lane).map_or(0, |target| target.lane_seq);
                if event.lane_seq <= *reached || event.lane_seq > wanted {
                    continue;
                }
                if event.lane_seq != *reached + 1 {
                    let (lane, found) = (event.lane, *reached);
                    return Err(RebuildError::LogTooShort { lane, found, posted: event.lane_seq });
                }
                *reached = event.lane_seq;
                events.push(event);
            }
            if !events.is_empty() {
                self.post(&events, connection, transactions).await?;
                count += i64::try_from(events.len()).unwrap_or(0);
                tell(count);
            }
            if gentle {
                tokio::time::sleep(begun.elapsed()).await;
            }
            if page.scanned_to <= after {
                break;
            }
            after = page.scanned_to;
        }
        let ends = target.iter().filter(|(_, target)| target.lane_seq < i64::MAX);
        complete(&self.reached, &ends.map(|(lane, end)| (*lane, *end)).collect())?;
        Ok(count)
    }

    /// Posts every lane up to where `towards` is now. Gives the number of events posted; `tell` hears how
    /// many of how many are.
    pub(crate) async fn pass(
        &mut self,
        towards: Towards,
        log: &Log,
        connection: &mut PgConnection,
        transactions: Transactions,
        tell: &(dyn Fn(i64, i64) + Send + Sync),
    ) -> Result<i64, RebuildError> {
        let target = towards.now(log, connection).await?;
        let missing = missing(&self.reached, &target);
        tell(0, missing);
        let told = |done: i64| tell(done, missing.max(done));
        let posted = self.to(&target, log, connection, transactions, &told).await?;
        if matches!(towards, Towards::Head) {
            self.through = target.values().map(|lane| lane.position).max().unwrap_or(0);
        }
        Ok(posted)
    }

    /// Follows what goes on moving until little is missing. With pauses it may be slower than what it
    /// follows: when they let it come no nearer, it goes on without. Gives how it went at last, which
    /// `tell` hears too.
    ///
    /// # Errors
    /// [`RebuildError::Outrun`], when it came no nearer for as long as `patience`.
    pub(crate) async fn close_in(
        &mut self,
        towards: Towards,
        log: &Log,
        connection: &mut PgConnection,
        (mut transactions, patience): (Transactions, Duration),
        tell: &(dyn Fn(i64, i64, Transactions) + Send + Sync),
    ) -> Result<Transactions, RebuildError> {
        let (mut least, mut since, mut no_nearer) = (i64::MAX, Instant::now(), 0);
        loop {
            let begun = Instant::now();
            let told = |done, missing| tell(done, missing, transactions);
            let posted = self.pass(towards, log, connection, transactions, &told).await?;
            if posted <= LITTLE {
                return Ok(transactions);
            }
            if posted < least {
                (least, since, no_nearer) = (posted, Instant::now(), 0);
            } else if transactions == Transactions::Gentle {
                (transactions, since) = (Transactions::Own, Instant::now());
            } else {
                no_nearer += 1;
                if no_nearer >= NO_NEARER && since.elapsed() >= patience {
                    let per_second = (posted as f64 / begun.elapsed().as_secs_f64()).round() as i64;
                    return Err(RebuildError::Outrun { posted, per_second });
                }
            }
        }
    }

    /// Posts these events, which come after everything posted before.
    pub(crate) async fn post(
        &mut self,
        events: &[Recorded],
        connection: &mut PgConnection,
        transactions: Transactions,
    ) -> Result<(), RebuildError> {
        let (read, touched) = together::read(events).map_err(RebuildError::decode(events))?;
        let mut rows = Rows::default();
        rows.load(touched, &self.tables, connection).await?;
        let mut audit = Vec::with_capacity(events.len() * 2);
        together::project(&read, events, &mut rows, &mut audit)
            .map_err(RebuildError::fault(events))?;
        if !self.audit {
            audit.clear();
        }
        self.make_partitions(&rows, &audit, connection).await?;
        if transactions != Transactions::Callers {
            sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
        }
        rows.write(&self.tables, connection).await?;
        let audit: Vec<&AuditLogRow> = audit.iter().collect();
        write::insert(&self.tables.audit_logs, &audit, connection).await?;
        let mut reached = self.reached.clone();
        for event in events {
            reached::add(&mut reached, event);
        }
        if transactions != Transactions::Callers {
            self.keep(&reached, None, connection).await?;
            sqlx::raw_sql("COMMIT").execute(&mut *connection).await?;
        }
        // Not before: what is not committed has to be posted again.
        self.reached = reached;
        Ok(())
    }

    /// Writes down how far the set is: where it already says so, or, with a `build`, for the first time.
    pub(crate) async fn keep_checkpoints(
        &self,
        build: Option<&str>,
        connection: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        self.keep(&self.reached, build, connection).await
    }

    async fn keep(
        &self,
        reached: &Reached,
        build: Option<&str>,
        connection: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        let statement = match build {
            Some(_) => {
                "INSERT INTO projector.set_checkpoints (schema_name, build, lane, lane_seq, position)
                 SELECT $1, $5, * FROM unnest($2::smallint[], $3::bigint[], $4::bigint[])"
            }
            None => {
                "UPDATE projector.set_checkpoints c SET lane_seq = r.lane_seq, position = r.position
                 FROM unnest($2::smallint[], $3::bigint[], $4::bigint[]) AS r (lane, lane_seq, position)
                 WHERE c.schema_name = $1 AND c.lane = r.lane AND c.lane_seq < r.lane_seq AND $5::text IS NULL"
            }
        };
        let all = |of: fn(&Checkpoint) -> i64| reached.values().map(of).collect::<Vec<_>>();
        sqlx::query(statement)
            .bind(&self.schema)
            .bind(reached.keys().copied().collect::<Vec<i16>>())
            .bind(all(|reached| reached.lane_seq))
            .bind(all(|reached| reached.position))
            .bind(build)
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn make_partitions(
        &mut self,
        rows: &Rows,
        audit: &[AuditLogRow],
        connection: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        let mut months = BTreeSet::new();
        rows.months(&mut months);
        months.extend(audit.iter().map(|row| month_of::<AuditLogRow>(row.created_at)));
        for month in months {
            if self.months.insert(month) {
                make_partition(&self.schema, month, &mut *connection).await?;
            }
        }
        Ok(())
    }
}

/// What a set of read tables follows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Towards {
    /// The live tables.
    Live,
    /// The end of the log, which is never behind the live tables.
    Head,
}

impl Towards {
    /// Where that is now.
    pub(crate) async fn now(
        self,
        log: &Log,
        connection: &mut PgConnection,
    ) -> Result<Reached, RebuildError> {
        match self {
            Self::Live => Ok(ownership::checkpoints(connection).await?),
            Self::Head => {
                let head = log.head().await?;
                let position = head.position;
                let lanes = (0_i16..).zip(head.lane_heads);
                Ok(lanes
                    .map(|(lane, lane_seq)| (lane, Checkpoint { lane_seq, position }))
                    .collect())
            }
        }
    }
}

/// The checkpoints of a complete set in `schema`, where its projections were those of `build`; of any
/// build where none is given.
pub(crate) async fn checkpoints_of(
    schema: &str,
    build: Option<&str>,
    connection: &mut PgConnection,
) -> Result<Option<Reached>, sqlx::Error> {
    let rows: Vec<(i16, i64, i64)> = sqlx::query_as(
        "SELECT lane, lane_seq, position FROM projector.set_checkpoints
         WHERE schema_name = $1 AND ($2::text IS NULL OR build = $2)",
    )
    .bind(schema)
    .bind(build)
    .fetch_all(connection)
    .await?;
    let reached: Reached = rows
        .into_iter()
        .map(|(lane, lane_seq, position)| (lane, Checkpoint { lane_seq, position }))
        .collect();
    Ok((!reached.is_empty()).then_some(reached))
}
