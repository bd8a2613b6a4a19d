//! What an earlier run left, and the live tables that may be behind it.

use std::time::{Duration, Instant};

use sqlx::PgConnection;

use super::blue_green::Rebuilding;
use super::catch_up::checkpoints_of;
use super::reached::{Reached, is_empty, missing};
use super::{NEXT, RebuildError};
use crate::twin::Twin;
use crate::worker::ownership;

/// How long live tables may stand still that are waited for.
const STAND_STILL: Duration = Duration::from_secs(10);

impl Rebuilding<'_> {
    /// What an earlier run left: a complete set of this very build is gone on with, all else goes.
    pub(super) async fn left_over(
        &self,
        twin: &Twin,
        connection: &mut PgConnection,
    ) -> Result<Option<Reached>, RebuildError> {
        if !twin.exists(connection).await? {
            return Ok(None);
        }
        if let Some(reached) = checkpoints_of(NEXT, Some(&self.build()), connection).await?
            && self.live_have(&reached, connection).await?
        {
            return Ok(Some(reached));
        }
        twin.drop(connection).await?;
        Ok(None)
    }

    /// Waits until the live tables have all that the new ones have, which may have been caught up beyond
    /// them, for as long as they come nearer; `false`: they came no nearer. Where nothing is live, nothing is
    /// waited for.
    pub(super) async fn live_have(
        &self,
        reached: &Reached,
        connection: &mut PgConnection,
    ) -> Result<bool, RebuildError> {
        let (mut least, mut since) = (i64::MAX, Instant::now());
        let have = loop {
            let live = ownership::checkpoints(connection).await?;
            let missing = missing(&live, reached);
            if is_empty(&live) || missing == 0 {
                break true;
            }
            if missing < least {
                (least, since) = (missing, Instant::now());
            } else if since.elapsed() >= STAND_STILL {
                break false;
            }
            let said =
                format!("waits until the live tables have {missing} events that the new have");
            self.recorder.remark(Some(said));
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        self.recorder.remark(None);
        Ok(have)
    }
}
