//! The audit trail against the log, folded a second time: the same rows, among those that a filter wants,
//! or which are not.

use daybook_store::{Log, Recorded, Share};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgPool, Row};

use super::check::{complete, make_scratch};
use super::fill::{Fill, Filling, Pace};
use super::{Memory, OnProgress, Progress, RebuildError, drift};
use crate::audit::AuditFilter;
use crate::catalog::{TABLES, Tables};
use crate::table::SCRATCH;
use crate::worker::ownership;

/// What a comparison of the trail with the log found.
#[derive(Debug, Clone, Serialize)]
pub struct Reconciled {
    /// Up to where the trail is posted, in the lane that is furthest.
    pub position: i64,
    /// Events that were folded; changes by hand beside them have none.
    pub events: u64,
    /// One entry for each action and table.
    pub counted: Vec<ReconciledCount>,
    /// The first rows that are not the same in both.
    pub examples: Vec<ReconciledRow>,
}

/// How many rows of one action and table there are on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReconciledCount {
    /// The action.
    pub action: String,
    /// The table.
    pub table: Option<String>,
    /// Rows in the trail.
    pub trail: i64,
    /// Rows that the log, and the journal of changes by hand, say there are.
    pub log: i64,
    /// Rows that are not the same in both.
    pub different: i64,
}

/// A row that is not the same in both.
#[derive(Debug, Clone, Serialize)]
pub struct ReconciledRow {
    /// Its id.
    pub id: i64,
    /// What is wrong with it.
    pub what: String,
    /// As the trail has it.
    pub trail: Option<Value>,
    /// As it should be.
    pub log: Option<Value>,
}

impl Reconciled {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.counted.iter().all(|counted| counted.different == 0)
    }

    /// How many rows the trail has.
    #[must_use]
    pub fn trail(&self) -> i64 {
        self.counted.iter().map(|counted| counted.trail).sum()
    }
}

/// Folds the log into temporary tables and compares its audit rows with the trail, under one snapshot;
/// workers go on meanwhile. Leaves nothing behind. The pool's role is `daybook_projector`, or the owner.
///
/// # Errors
/// See [`RebuildError`].
pub async fn reconcile(
    pool: &PgPool,
    log: &Log,
    memory: Memory,
    filter: &AuditFilter,
    progress: OnProgress<'_>,
) -> Result<Reconciled, RebuildError> {
    let mut transaction = pool
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL work_mem = '64MB'")
        .await?;
    let posted = ownership::checkpoints(&mut transaction).await?;
    for table in TABLES {
        make_scratch(table, &mut transaction).await?;
    }
    let position = posted.values().map(|checkpoint| checkpoint.position).max().unwrap_or(0);
    let tables = Tables::of(SCRATCH);
    let events = std::sync::atomic::AtomicU64::new(0);
    let wanted = |event: &Recorded| {
        let is = posted.get(&event.lane).is_some_and(|lane| event.lane_seq <= lane.lane_seq);
        events.fetch_add(u64::from(is), std::sync::atomic::Ordering::Relaxed);
        is
    };
    let filling = Filling { memory, ..Filling::default() };
    let tell = |done| progress(Progress { stage: "folding", done, total: position });
    let filled = Fill::new(&tables, &mut transaction, filling)
        .run(log, (position, Share::ALL), wanted, &Pace::new(None), tell)
        .await?;
    complete(&posted, &filled.reached)?;
    drift::put_back(SCRATCH, &mut transaction).await?;
    let events = events.into_inner();
    let mut found = Reconciled { position, events, counted: Vec::new(), examples: Vec::new() };
    let count = filter.bind(sqlx::query(include_str!("reconcile_count.sql")));
    for row in count.fetch_all(&mut *transaction).await? {
        found.counted.push(ReconciledCount {
            action: row.try_get(0)?,
            table: row.try_get(1)?,
            trail: row.try_get(2)?,
            log: row.try_get(3)?,
            different: row.try_get(4)?,
        });
    }
    if !found.is_same() {
        let examples = filter.bind(sqlx::query(include_str!("reconcile_examples.sql")));
        for row in examples.fetch_all(&mut *transaction).await? {
            found.examples.push(ReconciledRow {
                id: row.try_get(0)?,
                what: row.try_get(1)?,
                trail: row.try_get(2)?,
                log: row.try_get(3)?,
            });
        }
    }
    transaction.rollback().await?;
    Ok(found)
}
