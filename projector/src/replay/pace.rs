//! As fast as it happened, or so many times as fast.

use chrono::{DateTime, Utc};
use daybook_store::Recorded;
use tokio::time::{Duration, Instant, sleep_until};

/// Events this close together go together.
const TOGETHER: Duration = Duration::from_millis(5);

/// Gives events out when they are due.
#[derive(Debug)]
pub(super) struct Pace {
    speed: Option<f64>,
    first: Option<(DateTime<Utc>, Instant)>,
}

impl Pace {
    pub(super) fn new(speed: Option<f64>) -> Self {
        Self { speed, first: None }
    }

    /// Waits until the first of `events` is due, and takes it and those due with it away from the
    /// beginning; `None`: all that are left are due at once.
    pub(super) async fn due(&mut self, events: &mut Vec<Recorded>) -> Option<Vec<Recorded>> {
        let speed = self.speed?;
        let first = events.first()?;
        let (from, begun) = *self.first.get_or_insert((first.recorded_at, Instant::now()));
        let at = |event: &Recorded| {
            let passed = (event.recorded_at - from).to_std().unwrap_or_default();
            begun + passed.div_f64(speed)
        };
        sleep_until(at(first)).await;
        let now = Instant::now() + TOGETHER;
        let due = events.partition_point(|event| at(event) <= now);
        if due == events.len() {
            return None;
        }
        let rest = events.split_off(due);
        Some(std::mem::replace(events, rest))
    }
}
