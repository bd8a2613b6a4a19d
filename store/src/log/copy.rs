//! The log by COPY: the fastest way through a long stretch of it.

use bytes::{Buf, BytesMut};
use futures::{Stream, StreamExt};
use sqlx::PgPool;
use tokio::sync::mpsc;

use super::Log;
use super::binary::{self, Tuple};
use crate::error::ReadError;
use crate::recorded::Recorded;

/// Positions in one COPY, each a transaction of its own, so that no snapshot lasts.
const STRETCH: i64 = 20_000;
/// Events handed over at once, about.
const HANDED_OVER: usize = 1000;

/// Bytes that come from the server before they are handed on, about.
const GATHERED: usize = 128 * 1024;
/// How often that, at most, waits to be read.
const WAITING: usize = 4;

type Gathered = Result<BytesMut, sqlx::Error>;

/// Which lanes a reader by COPY wants: of every `of` lanes the one numbered `this`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// From 0.
    pub this: i16,
    /// How many share the lanes; 1: all lanes are this one's.
    pub of: i16,
}

impl Share {
    /// All lanes.
    pub const ALL: Self = Self { this: 0, of: 1 };

    /// Whether this lane is one of them.
    #[must_use]
    pub const fn has(self, lane: i16) -> bool {
        lane % self.of == self.this
    }
}

/// Where a reader by COPY is.
struct Copying {
    log: Log,
    after: i64,
    up_to: i64,
    share: Share,
    kinds: Option<Vec<&'static str>>,
    rows: Option<mpsc::Receiver<Gathered>>,
    buffer: BytesMut,
    begun: bool,
}

impl Log {
    /// All events after `after`, up to and including `up_to`, by position, in bounded pages, each
    /// a transaction of its own. It ends at the head without waiting.
    pub fn copy(
        &self,
        after: i64,
        up_to: i64,
    ) -> impl Stream<Item = Result<Vec<Recorded>, ReadError>> + Send + use<> {
        self.copy_share(after, up_to, Share::ALL, None)
    }

    /// The same of some lanes only, so that several readers share a log; and, where `kinds` are given, of
    /// streams of these kinds only.
    pub fn copy_share(
        &self,
        after: i64,
        up_to: i64,
        share: Share,
        kinds: Option<&[&'static str]>,
    ) -> impl Stream<Item = Result<Vec<Recorded>, ReadError>> + Send + use<> {
        let copying = Copying {
            log: self.clone(),
            after,
            up_to,
            share,
            kinds: kinds.map(<[_]>::to_vec),
            rows: None,
            buffer: BytesMut::new(),
            begun: false,
        };
        futures::stream::try_unfold(copying, async |mut copying| {
            let events = copying.next().await?;
            Ok((!events.is_empty()).then_some((events, copying)))
        })
        .boxed()
    }
}

impl Copying {
    /// The next events; none at the end.
    async fn next(&mut self) -> Result<Vec<Recorded>, ReadError> {
        let mut events = Vec::with_capacity(HANDED_OVER);
        while events.len() < HANDED_OVER {
            let Some(rows) = &mut self.rows else {
                if self.after >= self.up_to || !self.begin().await? {
                    break;
                }
                continue;
            };
            match rows.recv().await {
                Some(bytes) => {
                    self.buffer.extend_from_slice(&bytes?);
                    self.take(&mut events)?;
                }
                None => self.rows = None,
            }
        }
        Ok(events)
    }

    /// Begins the next stretch; `false` past the head.
    async fn begin(&mut self) -> Result<bool, ReadError> {
        let head = self.log.last_position().await?;
        let end = self.up_to.min(head).min(self.after.saturating_add(STRETCH));
        if end <= self.after {
            return Ok(false);
        }
        // COPY takes no parameters; these are numbers, and names of this build's own.
        let kinds = self.kinds.as_ref().map_or_else(
            || "true".to_owned(),
            |kinds| {
                let names = kinds.join("', '");
                format!("substring(event_type FROM '^[^.]*\\.[^.]*') IN ('{names}')")
            },
        );
        let statement = include_str!("copy.sql")
            .replace("$1", &self.after.to_string())
            .replace("$2", &end.to_string())
            .replace("$3", &self.share.of.max(1).to_string())
            .replace("$4", &self.share.this.to_string())
            .replace("$5", &kinds);
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(copy_out(self.log.pool().clone(), statement, sender));
        self.rows = Some(receiver);
        self.after = end;
        self.buffer.clear();
        self.begun = false;
        Ok(true)
    }

    /// Takes what is complete out of the buffer.
    fn take(&mut self, events: &mut Vec<Recorded>) -> Result<(), ReadError> {
        if !self.begun {
            let Some(length) = binary::header(&self.buffer)? else { return Ok(()) };
            self.buffer.advance(length);
            self.begun = true;
        }
        loop {
            match binary::tuple(&self.buffer)? {
                Tuple::Row(length, event) => {
                    self.buffer.advance(length);
                    events.push(*event);
                }
                Tuple::Incomplete | Tuple::End => return Ok(()),
            }
        }
    }
}

/// Hands on what one COPY gives. A reader who goes away before its end leaves a connection that still
/// has rows to give: they are read to the end here, or the next one who uses it would get them.
async fn copy_out(pool: PgPool, statement: String, sender: mpsc::Sender<Gathered>) {
    let copied = async {
        let mut connection = pool.acquire().await?;
        let mut rows = connection.copy_out_raw(&statement).await?;
        let mut gathered = BytesMut::with_capacity(GATHERED + 4096);
        while let Some(bytes) = rows.next().await {
            gathered.extend_from_slice(&bytes?);
            if gathered.len() >= GATHERED {
                let full =
                    std::mem::replace(&mut gathered, BytesMut::with_capacity(GATHERED + 4096));
                let _ = sender.send(Ok(full)).await;
            }
        }
        let _ = sender.send(Ok(gathered)).await;
        Ok(())
    };
    if let Err(error) = copied.await {
        let _ = sender.send(Err(error)).await;
    }
}
