//! How far the read tables are: for whoever wants to read what they wrote, and for operators.

use std::time::{Duration, Instant};

use daybook_store::{Filter, Log, ReadError};
use sqlx::{PgPool, Row};
use tokio::sync::watch;

use crate::catalog::{NAME, VERSION};

/// How often the checkpoints are looked at while someone waits.
const POLL: Duration = Duration::from_millis(10);

/// How often it is looked whether everything before the position is posted, where the lanes alone do not say.
const LOOKS: Duration = Duration::from_millis(500);

/// Knows how far the read tables are.
#[derive(Debug, Clone)]
pub struct Posted {
    pool: PgPool,
    log: Log,
    here: Option<watch::Receiver<i64>>,
}

/// The position waited for was not posted in time.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// It is not posted yet.
    #[error("position {asked} is not posted yet: everything up to {reached} is")]
    TimedOut {
        /// What was waited for.
        asked: i64,
        /// Up to which position everything is posted.
        reached: i64,
    },
    /// The database could not be asked.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// How far the read tables are behind the log.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Lag {
    /// Events that are in the log and not posted.
    pub events: i64,
    /// The age of the oldest of them, in seconds; 0 when there is none.
    pub seconds: f64,
    /// Up to which position everything is posted.
    pub posted_to: i64,
    /// The log's last position.
    pub head: i64,
}

struct LaneState {
    lane: usize,
    lane_seq: i64,
    position: i64,
}

impl Posted {
    /// Asks through `pool`, whose role may read `projector` and `journal`.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { log: Log::new(pool.clone()), pool, here: None }
    }

    /// Knows as well what a worker of this process says of itself, which spares most questions.
    #[must_use]
    pub fn with_worker(mut self, posted: watch::Receiver<i64>) -> Self {
        self.here = Some(posted);
        self
    }

    /// Waits until `position` and everything before it is posted, by whichever worker.
    ///
    /// # Errors
    /// When it is not posted in time (the answer says what is), or the server does not answer.
    pub async fn wait_for(&self, position: i64, timeout: Duration) -> Result<(), WaitError> {
        if self.known() >= position {
            return Ok(());
        }
        let mut looks = Instant::now() + LOOKS;
        let until = Instant::now() + timeout;
        // What the lanes had when we began to wait: later events need not be waited for.
        let head = self.log.head().await?;
        if head.position < position {
            return self.timed_out(position, head.position).await;
        }
        loop {
            let lanes = self.lanes().await?;
            let done = lanes.len() == head.lane_heads.len()
                && lanes.iter().all(|lane| {
                    lane.position >= position
                        || head.lane_heads.get(lane.lane).is_some_and(|last| lane.lane_seq >= *last)
                });
            if done || self.known() >= position {
                return Ok(());
            }
            if Instant::now() >= until {
                return self.timed_out(position, head.position).await;
            }
            // A lane may stand still after the position, and have all that is before it.
            if Instant::now() >= looks {
                if self.posted_to().await? >= position {
                    return Ok(());
                }
                looks = Instant::now() + LOOKS;
            }
            self.pause(until).await;
            if self.known() >= position {
                return Ok(());
            }
        }
    }

    async fn timed_out(&self, asked: i64, head: i64) -> Result<(), WaitError> {
        let reached = self.posted_to().await?.min(head);
        if reached >= asked { Ok(()) } else { Err(WaitError::TimedOut { asked, reached }) }
    }

    fn known(&self) -> i64 {
        self.here.as_ref().map_or(0, |posted| *posted.borrow())
    }

    async fn pause(&self, until: Instant) {
        let poll = POLL.min(until.saturating_duration_since(Instant::now()));
        match self.here.clone() {
            Some(mut posted) => {
                let _ = tokio::time::timeout(poll, posted.changed()).await;
                if posted.has_changed().is_err() {
                    tokio::time::sleep(poll).await;
                }
            }
            None => tokio::time::sleep(poll).await,
        }
    }

    /// Up to which position everything is posted.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn posted_to(&self) -> Result<i64, ReadError> {
        Ok(self.lag().await?.posted_to)
    }

    /// How far behind the read tables are; also told to the metrics.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn lag(&self) -> Result<Lag, ReadError> {
        // Checkpoints first: a lane posted up to a later head is not behind.
        let lanes = self.lanes().await?;
        let head = self.log.head().await?;
        let heads = &head.lane_heads;
        let behind = |lane: &&LaneState| heads.get(lane.lane).is_some_and(|h| lane.lane_seq < *h);
        let mut late: Vec<i16> =
            lanes.iter().filter(behind).filter_map(|lane| i16::try_from(lane.lane).ok()).collect();
        let mut from = lanes.iter().filter(behind).map(|lane| lane.position).min();
        if lanes.is_empty() && head.position > 0 {
            late = (0..daybook_store::LANES).collect();
            from = Some(0);
        }
        let posted: i64 = lanes.iter().map(|lane| lane.lane_seq).sum();
        let mut lag = Lag {
            events: (heads.iter().sum::<i64>() - posted).max(0),
            seconds: 0.0,
            posted_to: head.position,
            head: head.position,
        };
        if let Some(after) = from {
            let (first, seconds) = self.oldest(after, late, &lanes).await?;
            lag.posted_to = first - 1;
            lag.seconds = seconds;
        }
        metrics::gauge!("daybook_projector_lag_events").set(lag.events as f64);
        metrics::gauge!("daybook_projector_lag_seconds").set(lag.seconds);
        Ok(lag)
    }

    /// The first event that is not posted, of lanes that are late: its position and its age.
    async fn oldest(
        &self,
        mut after: i64,
        late: Vec<i16>,
        lanes: &[LaneState],
    ) -> Result<(i64, f64), ReadError> {
        let filter = Filter { lanes: Some(late), ..Filter::default() };
        let posted = |lane: i16| {
            let number = usize::try_from(lane).unwrap_or(usize::MAX);
            lanes.iter().find(|state| state.lane == number).map_or(0, |state| state.lane_seq)
        };
        loop {
            let page = self.log.page(after, &filter, 200).await?;
            let found = page.events.iter().find(|event| event.lane_seq > posted(event.lane));
            if let Some(event) = found {
                let seconds: f64 = sqlx::query_scalar(
                    "SELECT GREATEST(0, extract(epoch FROM clock_timestamp() - $1))::float8",
                )
                .bind(event.recorded_at)
                .fetch_one(&self.pool)
                .await?;
                return Ok((event.position, seconds));
            }
            if page.scanned_to <= after {
                return Ok((after + 1, 0.0));
            }
            after = page.scanned_to;
        }
    }

    async fn lanes(&self) -> Result<Vec<LaneState>, ReadError> {
        let rows = sqlx::query(
            "SELECT lane, lane_seq, position FROM projector.checkpoints WHERE name = $1 AND version = $2",
        )
        .bind(NAME)
        .bind(VERSION)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let lane: i16 = row.try_get(0)?;
                Ok(LaneState {
                    lane: usize::try_from(lane).unwrap_or(usize::MAX),
                    lane_seq: row.try_get(1)?,
                    position: row.try_get(2)?,
                })
            })
            .collect()
    }
}
