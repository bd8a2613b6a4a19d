//! Makes the second set of read tables: fills it, from the log and, where only some projections are made
//! again, from the live tables; and gives it all that the live ones have.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use daybook_store::{LANES, Recorded};
use sqlx::PgConnection;

use super::blue_green::Rebuilding;
use super::catch_up::{CatchUp, Towards};
use super::fill::{Filled, Filling, Pace, Shares};
use super::reached::{Reached, complete, has, is_empty};
use super::{NEXT, RebuildError, drift, part};
use crate::twin::{self, Twin};
use crate::worker::ownership;

/// A complete set, and what was written for it.
pub(super) struct Made {
    pub(super) reached: Reached,
    /// Rows that were folded from the log.
    pub(super) rows: usize,
    /// Rows that were copied as they were.
    pub(super) copied: usize,
}

impl Rebuilding<'_> {
    /// Under which name what is filled is known to be of this build, and of these projections.
    pub(super) fn build(&self) -> String {
        self.options.scope.of_build(&self.options.build)
    }

    /// Fills new tables up to where the live ones are, and makes them complete.
    pub(super) async fn fill(
        &self,
        twin: &Twin,
        guard: &mut PgConnection,
    ) -> Result<Made, RebuildError> {
        let scope = &self.options.scope;
        twin.make_tables(guard).await?;
        let (posted, copied) = if scope.is_all() {
            (self.everything(guard).await?, 0)
        } else {
            let tell = |done, total| self.recorder.tell("copying", done, total);
            part::take_over(scope, twin, guard, &tell).await?
        };
        twin.make_keys(guard).await?;
        let filled = self.fold(twin, &posted, guard).await?;
        // What was copied is posted as far as the live tables were, whatever is folded beside it.
        let mut reached = if scope.is_all() {
            complete(&filled.reached, &posted)?;
            filled.reached
        } else {
            posted
        };
        self.recorder.rows(filled.rows + copied);
        drift::put_back(NEXT, guard).await?;
        self.complete(twin, guard).await?;
        // Every lane has a checkpoint, those without an event too: from here on the set is complete.
        for lane in 0..LANES {
            reached.entry(lane).or_default();
        }
        let following = CatchUp::new(NEXT, reached);
        following.keep_checkpoints(Some(&self.build()), guard).await?;
        Ok(Made { reached: following.reached, rows: filled.rows, copied })
    }

    /// Up to where everything is made again: as far as the live tables are, so that one can compare.
    async fn everything(&self, connection: &mut PgConnection) -> Result<Reached, RebuildError> {
        let posted = ownership::checkpoints(connection).await?;
        if !is_empty(&posted) {
            return Ok(posted);
        }
        // Nothing is live that one could compare with: straight to the end of the log.
        Towards::Head.now(self.log, connection).await
    }

    /// Folds the log up to there.
    async fn fold(
        &self,
        twin: &Twin,
        posted: &Reached,
        connection: &mut PgConnection,
    ) -> Result<Filled, RebuildError> {
        let up_to = posted.values().map(|lane| lane.position).max().unwrap_or(0);
        let total = match &self.options.scope {
            all if all.is_all() => posted.values().map(|lane| lane.lane_seq).sum(),
            some => part::events(some, up_to, connection).await?,
        };
        let wanted = posted.clone();
        let wanted = move |event: &Recorded| has(&wanted, event);
        let filling = Filling {
            memory: self.options.memory(),
            partitions_in: Some(twin.schema.clone()),
            own_transactions: true,
            without_audit: false,
            kinds: self.options.scope.kinds(),
        };
        let remote = self.recorder.remote();
        let tell = move |done, more| remote("filling", done, total + more);
        let pace = Pace::new(self.options.throttle);
        // What was copied cannot go further than the live tables were then.
        let follows = self.options.is_gentle() && self.options.scope.is_all();
        let shares = Shares { of: self.options.at_once(), filling, pace, follows };
        let filled = shares.fill(twin, self.migrators, (self.log, up_to), wanted, tell);
        self.recorder.while_doing(filled).await
    }

    /// Makes indexes, foreign keys and rights of tables that are filled.
    async fn complete(
        &self,
        twin: &Twin,
        connection: &mut PgConnection,
    ) -> Result<(), RebuildError> {
        let at_once = usize::try_from(self.options.at_once()).unwrap_or(1);
        let made = Arc::new(AtomicI64::new(0));
        let mut looking = self.migrators.acquire().await?.detach();
        let (remote, furthest) = (self.recorder.remote(), Arc::clone(&made));
        let making = twin.make_indexes(at_once, self.migrators, move |done, total| {
            furthest.store(done, Ordering::SeqCst);
            remote("indexing", done, total);
        });
        let looks = async {
            loop {
                tokio::time::sleep(Duration::from_millis(500)).await;
                // It is for people: a look that fails is one that says nothing new.
                if let Ok(under_way) = twin::being_indexed(NEXT, &mut looking).await {
                    self.recorder.further(made.load(Ordering::SeqCst) + under_way);
                }
            }
        };
        let making = async {
            tokio::select! {
                made = making => made,
                () = looks => Ok(()),
            }
        };
        self.recorder.while_doing(making).await?;
        let linking = |done, total| self.recorder.tell("linking", done, total);
        twin.make_foreign_keys(connection, &linking).await?;
        let analyzing = |done, total| self.recorder.tell("analyzing", done, total);
        twin.analyze(connection, &analyzing).await?;
        Ok(twin.make_rights(connection).await?)
    }
}
