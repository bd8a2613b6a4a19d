//! The log as it is read on and on: as lines up to the head, or live.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::response::Response;
use daybook_http::StillValid;
use daybook_store::records::Reading;
use daybook_store::{Filter, Head, ReadError, Recorded};
use futures::{Stream, stream};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Reads, answer};
use crate::queries::cloud_event;

/// How many events are read at a time; what a slow client keeps in memory.
const PAGE: i64 = 500;
/// How often a quiet live subscription shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How often it is asked whether the caller's key still works.
const VALIDITY: Duration = Duration::from_secs(2);
/// How long a question to a log that does not answer is put off.
const PAUSE: Duration = Duration::from_millis(250);

/// A reading of the log that goes on.
pub(super) struct Tail {
    reads: Arc<Reads>,
    filter: Filter,
    after: i64,
    head: Head,
    moves: watch::Receiver<i64>,
    valid: Option<StillValid>,
    checked: Instant,
    told: Instant,
    /// Written down: it is said there when it is over, and how many events left.
    reading: Option<Reading>,
    handed_out: i64,
}

/// Why lines end before the head.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("its end cannot be written down: {0}")]
    Unrecorded(#[from] sqlx::Error),
    #[error("the key in use is no longer valid")]
    Revoked,
    #[error("the service stops")]
    Stopping,
}

impl Tail {
    /// Starts after a position, in a log whose head is known.
    pub(super) fn new(
        reads: Arc<Reads>,
        filter: Filter,
        after: i64,
        head: Head,
        valid: Option<Extension<StillValid>>,
    ) -> Self {
        let moves = reads.follow.head();
        let (checked, told) = (Instant::now(), Instant::now());
        let valid = valid.map(|Extension(valid)| valid);
        let (reading, handed_out) = (None, 0);
        Self { reads, filter, after, head, moves, valid, checked, told, reading, handed_out }
    }

    /// One event a line, up to the head as it was when reading began. Breaks off, rather than ends,
    /// when it cannot be finished: a client that sees the end has seen everything.
    pub(super) fn lines(mut self, reading: Option<Reading>) -> Response {
        let position = self.head.position;
        self.filter.up_to_position = Some(position);
        self.reading = reading;
        let pages = stream::try_unfold(self, |mut tail| async move {
            let lines = tail.next_lines().await.inspect_err(|error| {
                tracing::warn!(%error, "a reading of the log broke off");
            })?;
            if lines.is_none()
                && let Some(reading) = tail.reading.take()
            {
                reading.end(&tail.reads.pool, tail.handed_out, None).await?;
            }
            Ok::<_, Broken>(lines.map(|lines| (lines, tail)))
        });
        answer::streaming("application/x-ndjson", Body::from_stream(pages), position)
    }

    async fn next_lines(&mut self) -> Result<Option<Bytes>, Broken> {
        while self.after < self.head.position {
            if self.reads.cancel.is_cancelled() {
                return Err(Broken::Stopping);
            }
            if !self.still_valid().await {
                return Err(Broken::Revoked);
            }
            let page = self.reads.log.page(self.after, &self.filter, PAGE).await?;
            if page.scanned_to <= self.after {
                return Ok(None);
            }
            self.after = page.scanned_to;
            if page.events.is_empty() {
                continue;
            }
            self.handed_out += i64::try_from(page.events.len()).unwrap_or(0);
            let mut lines = String::with_capacity(page.events.len() * 768);
            for event in &page.events {
                lines.push_str(cloud_event::json(event, self.head.epoch)?.get());
                lines.push('\n');
            }
            return Ok(Some(lines.into()));
        }
        Ok(None)
    }

    /// Server-sent events: `id:` is the position. Ends when the service stops, when the key no longer
    /// works, and when the log cannot be read for long; clients come back with `Last-Event-ID`.
    pub(super) fn live(self) -> Response {
        let position = self.head.position;
        answer::streaming("text/event-stream", Body::from_stream(self.blocks()), position)
    }

    fn blocks(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
        let hello = Bytes::from_static(b"retry: 1000\n\n");
        let first = stream::once(async move { Ok(hello) });
        let rest = stream::unfold(self, |mut tail| async move {
            tail.next_blocks().await.map(|blocks| (Ok(blocks), tail))
        });
        futures::StreamExt::chain(first, rest)
    }

    async fn next_blocks(&mut self) -> Option<Bytes> {
        let mut failures = 0;
        loop {
            if self.reads.cancel.is_cancelled() || !self.still_valid().await {
                return None;
            }
            // Before the page: what moves while it is read is then seen as moved.
            self.moves.borrow_and_update();
            match self.reads.log.page(self.after, &self.filter, PAGE).await {
                Ok(page) if page.scanned_to > self.after => {
                    self.after = page.scanned_to;
                    if !page.events.is_empty() {
                        self.told = Instant::now();
                        return blocks(&page.events, self.head.epoch);
                    }
                }
                Ok(_) => {
                    failures = 0;
                    if let Some(alive) = self.rest().await {
                        return Some(alive);
                    }
                }
                Err(error) => {
                    failures += 1;
                    tracing::warn!(%error, "a live subscription cannot read the log");
                    if failures > 20 {
                        return None;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Waits at the head for something to happen; gives what shows a quiet subscription to be alive.
    /// Its id, without data, moves the client's `Last-Event-ID` past what it did not want.
    async fn rest(&mut self) -> Option<Bytes> {
        let alive_at = self.told + KEEP_ALIVE;
        let until = alive_at.min(self.checked + VALIDITY);
        let cancel = self.reads.cancel.clone();
        tokio::select! {
            () = cancel.cancelled() => {}
            moved = self.moves.changed() => {
                if moved.is_err() {
                    tokio::time::sleep(PAUSE).await;
                }
            }
            () = tokio::time::sleep_until(until) => {}
        }
        (Instant::now() >= alive_at).then(|| {
            self.told = Instant::now();
            Bytes::from(format!(": alive\nid: {}\n\n", self.after))
        })
    }

    async fn still_valid(&mut self) -> bool {
        if self.checked.elapsed() < VALIDITY {
            return true;
        }
        self.checked = Instant::now();
        match &self.valid {
            Some(valid) => valid.ask().await,
            None => true,
        }
    }
}

/// Events as blocks; `None`, which ends the subscription, for data that is no JSON.
fn blocks(events: &[Recorded], epoch: i64) -> Option<Bytes> {
    let mut out = String::with_capacity(events.len() * 768);
    for event in events {
        let json = cloud_event::json(event, epoch)
            .inspect_err(|error| tracing::error!(%error, position = event.position, "no JSON"))
            .ok()?;
        let block = [
            "id: ",
            &event.position.to_string(),
            "\nevent: ",
            &event.event_type,
            "\ndata: ",
            json.get(),
            "\n\n",
        ];
        out.extend(block);
    }
    Some(out.into())
}
