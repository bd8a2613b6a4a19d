//! The audit trail against the log, folded a second time: the same rows, among those that a filter wants,
//! or which are not.

use daybook_store::Log;
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgPool, Row};

use super::second::Second;
use super::{Memory, OnProgress, Progress, RebuildError, Scope, Unit};
use crate::audit::AuditFilter;

/// A statement over the wanted rows of the trail and of the fold, each pair with what differs.
macro_rules! of_both {
    ($asked:literal) => {
        concat!(
            "WITH trail AS (SELECT a.* FROM public.audit_logs a\n",
            include_str!("../audit/wanted.sql"),
            "), folded AS (SELECT a.* FROM pg_temp.audit_logs a\n",
            include_str!("../audit/wanted.sql"),
            include_str!("reconcile.sql"),
            $asked
        )
    };
}

const COUNT: &str = of_both!(
    "SELECT action, entity_type, count(trail_id), count(log_id), count(*) FILTER (WHERE differs)
     FROM compared GROUP BY action, entity_type ORDER BY action, entity_type"
);
const EXAMPLES: &str = of_both!(
    "SELECT COALESCE(trail_id, log_id),
         CASE WHEN log_id IS NULL THEN 'is not what any event did'
              WHEN trail_id IS NULL THEN 'is missing' ELSE 'is different' END,
         trail_row, log_row
     FROM compared WHERE differs ORDER BY 1 LIMIT 20"
);

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
    let tell =
        |done, total| progress(Progress { stage: "folding", done, total, unit: Unit::Events });
    let folded = Second::fold(pool, (log, &Scope::all()), memory, tell).await?;
    let Second { mut transaction, position, events } = folded;
    let mut found = Reconciled { position, events, counted: Vec::new(), examples: Vec::new() };
    let count = filter.bind(sqlx::query(COUNT));
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
        let examples = filter.bind(sqlx::query(EXAMPLES));
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
