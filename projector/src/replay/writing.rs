//! The thread that writes: lines, digest, output and state.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use daybook_store::Recorded;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;

use super::claim::Claim;
use super::kept::{self, Kept};
use super::sheets::{Layout, Sheets};
use super::sink::Sink;
use super::text::{Lines, Text};
use super::{Destination, Format, RENEWED, Replay, ReplayError, line};
use crate::digest::Digest;

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Message {
    /// Events, and up to where everything wanted has been given with them.
    Piece {
        /// By position.
        events: Vec<Recorded>,
        /// Up to here.
        reached: i64,
    },
    /// That was all. A writer that is not told so was interrupted.
    End,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// What was asked for.
    pub order: Value,
    /// The log's epoch.
    pub epoch: i64,
    /// After this position.
    pub after_position: i64,
    /// Up to and including this one.
    pub up_to_position: i64,
    /// How many events were written, of each type.
    pub types: BTreeMap<String, u64>,
    /// And in all.
    pub events: u64,
    /// The bytes of the output.
    pub bytes: u64,
    /// SHA-256 over the canonical lines, whatever the form: of an NDJSON file, what `sha256sum` says.
    pub digest: String,
    /// How many of the events were written by runs before this one.
    pub resumed_with: u64,
    /// How long this run took, in seconds.
    pub seconds: f64,
}

impl Summary {
    pub(super) fn took(mut self, time: Duration) -> Self {
        self.seconds = time.as_secs_f64();
        self
    }
}

/// An output under way.
pub(super) struct Writing {
    sink: Box<dyn Sink>,
    digest: Digest,
    state: Kept,
    /// Where the state is kept; `None` for standard output.
    path: Option<PathBuf>,
    /// Whether others read along.
    read_along: bool,
    renewed: Instant,
    resumed_with: u64,
    /// The bytes of all lines, those of runs before this one included.
    lines: u64,
    line: Vec<u8>,
    /// The output is this writer's as long as it writes, also when nobody waits for it any more.
    _claim: Option<Claim>,
}

impl Writing {
    /// Writes the first state before anything else, and opens the output.
    pub(super) fn begin(
        replay: &Replay,
        ready: Option<Box<dyn Sink>>,
        claim: Option<Claim>,
    ) -> Result<Self, ReplayError> {
        let path = replay.destination.path().cloned();
        let state = replay.kept.clone().unwrap_or_else(|| Kept {
            order: replay.described(),
            epoch: replay.epoch,
            after: replay.after,
            up_to: replay.up_to,
            reached: replay.after,
            bytes: 0,
            types: BTreeMap::new(),
            digest: Digest::default().put_aside(),
            mark: 0,
        });
        let digest = Digest::taken_up(&state.digest).ok_or_else(|| {
            ReplayError::InTheWay(
                "the state of the unfinished replay is damaged; --anew begins again".to_owned(),
            )
        })?;
        if let Some(path) = &path {
            state.save(path)?;
        }
        Ok(Self {
            sink: match ready {
                Some(sink) => sink,
                None => open(replay.order.format, path.as_deref(), (state.bytes, &digest))?,
            },
            digest,
            resumed_with: state.types.values().sum(),
            lines: state.bytes,
            state,
            path,
            // What comes at the pace at which it happened is looked at as it comes.
            read_along: !matches!(replay.destination, Destination::Path { .. })
                || replay.order.speed.is_some(),
            renewed: Instant::now(),
            line: Vec::with_capacity(4096),
            _claim: claim,
        })
    }

    /// Writes what comes until it is told that it was all; `None`: it was interrupted, and has kept
    /// how far it was.
    pub(super) fn run(
        mut self,
        mut pieces: mpsc::Receiver<Message>,
    ) -> Result<Option<Summary>, ReplayError> {
        while let Some(message) = pieces.blocking_recv() {
            match message {
                Message::Piece { events, reached } => self.piece(&events, reached)?,
                Message::End => return self.end().map(Some),
            }
        }
        if self.sink.rests(None) {
            self.keep()?;
        }
        Ok(None)
    }

    fn piece(&mut self, events: &[Recorded], reached: i64) -> Result<(), ReplayError> {
        for event in events {
            if self.path.is_some() && self.sink.rests(Some(event)) {
                self.state.reached = event.position - 1;
                self.keep()?;
            }
            self.line.clear();
            line::write(event, &mut self.line)?;
            self.digest.take(&self.line);
            self.lines += self.line.len() as u64;
            self.sink.take(event, &self.line)?;
            match self.state.types.get_mut(&event.event_type) {
                Some(count) => *count += 1,
                None => {
                    self.state.types.insert(event.event_type.clone(), 1);
                }
            }
        }
        self.state.reached = reached;
        if self.read_along {
            self.sink.show()?;
        }
        if self.renewed.elapsed() >= RENEWED && self.sink.rests(None) {
            self.keep()?;
        }
        Ok(())
    }

    /// Makes what is written last, and then says so.
    fn keep(&mut self) -> Result<(), ReplayError> {
        let Some(path) = &self.path else { return Ok(()) };
        self.state.bytes = self.sink.settle()?.unwrap_or(self.lines);
        self.state.mark = self.sink.mark();
        self.state.digest = self.digest.put_aside();
        self.state.save(path)?;
        self.renewed = Instant::now();
        Ok(())
    }

    fn end(mut self) -> Result<Summary, ReplayError> {
        let bytes = self.sink.end()?.unwrap_or(self.lines);
        if let Some(path) = &self.path {
            kept::remove(&kept::place(path))?;
        }
        let Kept { order, epoch, after, up_to, types, .. } = self.state;
        Ok(Summary {
            order,
            epoch,
            after_position: after,
            up_to_position: up_to,
            events: types.values().sum(),
            types,
            bytes,
            digest: self.digest.hex(),
            resumed_with: self.resumed_with,
            seconds: 0.0,
        })
    }
}

/// The output, of which so many bytes count, with the digest of the lines that were written.
fn open(
    format: Format,
    path: Option<&std::path::Path>,
    (kept, digest): (u64, &Digest),
) -> Result<Box<dyn Sink>, ReplayError> {
    let lines = |lines| match path {
        None => Ok(Box::new(Text::stdout(lines)) as Box<dyn Sink>),
        Some(path) => Ok(Box::new(Text::file(lines, path, (kept, digest))?) as Box<dyn Sink>),
    };
    let sheets = |layout| match path {
        None => Err(ReplayError::InTheWay("Parquet is for files: name one".to_owned())),
        Some(path) => Ok(Box::new(Sheets::begin(layout, path, kept)?) as Box<dyn Sink>),
    };
    match format {
        Format::Ndjson => lines(Lines::Ndjson),
        Format::Csv => lines(Lines::Csv),
        Format::Parquet => sheets(Layout::One),
        Format::ParquetByType => sheets(Layout::ByType),
        Format::ParquetByMonth => sheets(Layout::ByMonth),
        Format::Records | Format::Tables | Format::Events => {
            Err(ReplayError::InTheWay("this form is not for files".to_owned()))
        }
    }
}
