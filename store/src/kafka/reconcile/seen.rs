//! What the topic has, in few bytes a record.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

use rdkafka::message::{BorrowedMessage, Headers, Message};

use super::ReconcileError;
use crate::kafka::reader::{Bounds, Reader};
use crate::kafka::{Arrived, Connection, Foreign, Record};
use crate::lane::LANES;

/// How long transactions are waited for.
const SETTLES_WITHIN: Duration = Duration::from_secs(5);

/// Headers that say in which life of the log a record was published: a later one has the same event.
const OF_AN_EPOCH: [&str; 2] = ["ce_source", "ce_logepoch"];

/// A record that claims to be an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) offset: i64,
    pub(super) lane_seq: i64,
    pub(super) position: i64,
    /// Of all that it says.
    pub(super) digest: u64,
}

/// A partition's records.
#[derive(Debug, Clone, Default)]
pub(super) struct Lane {
    pub(super) first: i64,
    pub(super) end: i64,
    /// In the order of their offsets.
    pub(super) seen: Vec<Seen>,
    /// Those that are no events at all.
    pub(super) unreadable: Vec<(i64, Foreign)>,
}

/// All partitions.
#[derive(Debug, Clone)]
pub(super) struct Lanes(pub(super) Vec<Lane>);

impl Lanes {
    /// Reads the topic from its beginning to its end. Blocks.
    pub(super) fn read(connection: &Connection, topic: &str) -> Result<Self, ReconcileError> {
        let there = Reader::new(connection, topic, true)?.ends()?;
        let reader = Reader::new(connection, topic, false)?;
        let bounds = settled(&reader, &there)?;
        let mut lanes: Vec<Lane> = bounds
            .first
            .iter()
            .zip(&bounds.end)
            .map(|(first, end)| Lane { first: *first, end: *end, ..Lane::default() })
            .collect();
        let from = (0..i32::from(LANES))
            .zip(&bounds.first)
            .zip(&bounds.end)
            .filter(|((_, first), end)| first < end)
            .map(|((lane, first), _)| (lane, *first))
            .collect();
        reader.read(&from, |message| {
            let lane = usize::try_from(message.partition()).ok().and_then(|n| lanes.get_mut(n));
            if let Some(lane) = lane {
                lane.take(message);
            }
        })?;
        Ok(Self(lanes))
    }
}

/// Where the partitions begin and end, once all that was there is committed: the marks of a transaction
/// are written after its commit was answered. One that somebody leaves open is not waited for.
fn settled(reader: &Reader, there: &[i64]) -> Result<Bounds, ReconcileError> {
    let begun = Instant::now();
    loop {
        let bounds = reader.bounds()?;
        let open = bounds.end.iter().zip(there).any(|(end, there)| end < there);
        if !open || begun.elapsed() > SETTLES_WITHIN {
            return Ok(bounds);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Lane {
    fn take(&mut self, message: &BorrowedMessage<'_>) {
        match Arrived::of(message) {
            Ok(Arrived { event, .. }) => self.seen.push(Seen {
                offset: message.offset(),
                lane_seq: event.lane_seq,
                position: event.position,
                digest: digest(
                    message.key(),
                    message.payload(),
                    message.timestamp().to_millis(),
                    message.headers(),
                ),
            }),
            Err(foreign) => self.unreadable.push((message.offset(), foreign)),
        }
    }
}

impl Record {
    /// The digest of the record that an event must have.
    pub(super) fn digest(&self) -> u64 {
        digest(
            Some(self.key.as_bytes()),
            Some(self.value.get().as_bytes()),
            Some(self.timestamp),
            Some(&self.headers),
        )
    }
}

/// Of all that a record says but for the log's epoch.
fn digest<H: Headers>(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    timestamp: Option<i64>,
    headers: Option<&H>,
) -> u64 {
    // The same in every process: its keys are fixed.
    let mut hasher = DefaultHasher::new();
    (key, value, timestamp).hash(&mut hasher);
    for header in headers.into_iter().flat_map(Headers::iter) {
        if !OF_AN_EPOCH.contains(&header.key) {
            (header.key, header.value).hash(&mut hasher);
        }
    }
    hasher.finish()
}
