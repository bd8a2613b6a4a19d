//! Topic against log, one event of the log after the other.

use std::collections::HashMap;

use super::seen::{Lane, Lanes, Seen};
use super::{Difference, Kind, Partition};
use crate::kafka::Record;
use crate::recorded::Recorded;

pub(super) struct Comparison {
    lanes: Vec<Compared>,
    /// What the log has up to here must be in the topic.
    up_to: i64,
    examples: usize,
}

struct Compared {
    lane: Lane,
    /// The first record that says it is at this place, as an index.
    at: HashMap<i64, usize>,
    /// Whether the log has what the record says, by index.
    known: Vec<bool>,
    /// The first place that must be there.
    from: i64,
    /// The last place that was found, or must be and is not.
    last_found: i64,
    first_missing: Option<i64>,
    report: Partition,
}

impl Comparison {
    /// `said`: for partitions that are empty because their records were old, what was in them.
    pub(super) fn new(lanes: Lanes, up_to: i64, said: &[i64], examples: usize) -> Self {
        let lanes = (0..).zip(lanes.0).map(|(partition, lane)| {
            let said = usize::try_from(partition).ok().and_then(|n| said.get(n)).copied();
            Compared::new(partition, lane, said.unwrap_or(0))
        });
        Self { lanes: lanes.collect(), up_to, examples }
    }

    /// The lowest position of the log that has to be looked at.
    pub(super) fn first_position(&self) -> i64 {
        let first = |lane: &Compared| {
            let kept = lane.lane.seen.iter().map(|seen| seen.position).min();
            if lane.from <= 1 { 1 } else { kept.unwrap_or(1) }
        };
        self.lanes.iter().map(first).min().unwrap_or(1).max(1)
    }

    /// Looks for an event of the log, which come in order.
    pub(super) fn take(&mut self, event: &Recorded, epoch: i64) {
        let Some(lane) = usize::try_from(event.lane).ok().and_then(|n| self.lanes.get_mut(n))
        else {
            return;
        };
        match lane.at.get(&event.lane_seq).copied() {
            Some(index) => {
                let seen = lane.lane.seen[index];
                lane.known[index] = true;
                lane.last_found = event.lane_seq;
                // Data that is no JSON was never published.
                let same = Record::of(event, epoch).is_ok_and(|own| own.digest() == seen.digest);
                if !same {
                    lane.differs(&seen, self.examples);
                }
            }
            None if event.lane_seq >= lane.from && event.position <= self.up_to => {
                lane.misses(event, self.examples);
            }
            // Before what is kept, or later than what had to be there.
            None => {}
        }
    }

    /// What was found, once the log has been gone through.
    pub(super) fn finish(self) -> Vec<Partition> {
        let examples = self.examples;
        self.lanes.into_iter().map(|lane| lane.finish(examples)).collect()
    }
}

impl Compared {
    fn new(partition: i32, lane: Lane, said: i64) -> Self {
        let mut at = HashMap::with_capacity(lane.seen.len());
        for (index, seen) in lane.seen.iter().enumerate() {
            at.entry(seen.lane_seq).or_insert(index);
        }
        let from = match lane.seen.first() {
            // Nothing was taken away from the beginning.
            _ if lane.first == 0 => 1,
            Some(first) => first.lane_seq,
            None => said + 1,
        };
        let report = Partition {
            partition,
            first_offset: lane.first,
            end_offset: lane.end,
            records: (lane.seen.len() + lane.unreadable.len()) as u64,
            ..Partition::default()
        };
        let known = vec![false; lane.seen.len()];
        Self { lane, at, known, from, last_found: 0, first_missing: None, report }
    }

    fn misses(&mut self, event: &Recorded, examples: usize) {
        self.report.missing += 1;
        self.first_missing.get_or_insert(event.lane_seq);
        self.note(examples, || Difference {
            kind: Kind::Missing,
            offset: None,
            lane_seq: Some(event.lane_seq),
            position: Some(event.position),
            reason: None,
        });
    }

    fn differs(&mut self, seen: &Seen, examples: usize) {
        self.report.differing += 1;
        self.note(examples, || of(Kind::Differing, seen));
    }

    fn note(&mut self, examples: usize, difference: impl FnOnce() -> Difference) {
        if self.report.differences.len() < examples {
            self.report.differences.push(difference());
        }
    }

    fn finish(mut self, examples: usize) -> Partition {
        let mut highest = 0;
        for index in 0..self.lane.seen.len() {
            let seen = self.lane.seen[index];
            let first = self.at.get(&seen.lane_seq).copied().unwrap_or(index);
            let kind = if !self.known[first] {
                self.report.foreign += 1;
                Kind::Foreign
            } else if first != index {
                // Again, or something else at a place that was taken.
                if self.lane.seen[first].digest == seen.digest {
                    self.report.duplicated += 1;
                    Kind::Duplicated
                } else {
                    self.report.differing += 1;
                    Kind::Differing
                }
            } else if seen.lane_seq < highest {
                self.report.reordered += 1;
                Kind::Reordered
            } else {
                highest = seen.lane_seq;
                continue;
            };
            self.note(examples, || of(kind, &seen));
        }
        for (offset, foreign) in std::mem::take(&mut self.lane.unreadable) {
            self.report.foreign += 1;
            self.note(examples, || Difference {
                kind: Kind::Foreign,
                offset: Some(offset),
                lane_seq: None,
                position: None,
                reason: Some(foreign.to_string()),
            });
        }
        let Partition { duplicated, reordered, foreign, differing, .. } = self.report;
        let inside = self.first_missing.is_some_and(|missing| missing < self.last_found);
        self.report.broken = duplicated + reordered + foreign + differing > 0 || inside;
        self.report
    }
}

fn of(kind: Kind, seen: &Seen) -> Difference {
    Difference {
        kind,
        offset: Some(seen.offset),
        lane_seq: Some(seen.lane_seq),
        position: Some(seen.position),
        reason: None,
    }
}

#[cfg(test)]
mod tests;
