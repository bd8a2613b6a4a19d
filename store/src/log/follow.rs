//! The head as it moves.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Log;

/// A live subscription to the head. It lasts as long as one clone of it does, or one receiver: whoever
/// goes by the head need not know where it comes from.
#[derive(Debug, Clone)]
pub struct Follow {
    head: Arc<watch::Sender<i64>>,
}

impl Follow {
    pub(super) fn start(log: Log, every: Duration) -> Self {
        let head = Arc::new(watch::channel(0).0);
        let announced = Arc::clone(&head);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(every.max(Duration::from_millis(1)));
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while is_wanted(&announced) {
                ticks.tick().await;
                match log.last_position().await {
                    Ok(position) => raise(&announced, position),
                    Err(error) => tracing::debug!(%error, "the head could not be read"),
                }
            }
        });
        Self { head }
    }

    /// The last position known; 0 before the first answer. It only grows.
    #[must_use]
    pub fn head(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    /// Says that the log has come as far as `position`, which somebody in this process knows
    /// already, such as its appender.
    pub fn nudge(&self, position: i64) {
        raise(&self.head, position);
    }
}

/// Whether somebody else keeps the head, or listens to it.
fn is_wanted(head: &Arc<watch::Sender<i64>>) -> bool {
    Arc::strong_count(head) > 1 || !head.is_closed()
}

fn raise(head: &watch::Sender<i64>, position: i64) {
    head.send_if_modified(|known| {
        let moves = position > *known;
        *known = position.max(*known);
        moves
    });
}

impl Log {
    /// The last position alone.
    pub(super) async fn last_position(&self) -> Result<i64, crate::error::ReadError> {
        let position =
            sqlx::query_scalar("SELECT position FROM journal.batches ORDER BY batch DESC LIMIT 1")
                .fetch_one(self.pool())
                .await?;
        Ok(position)
    }
}
