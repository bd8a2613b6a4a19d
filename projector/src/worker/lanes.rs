//! The lanes that a worker owns, as it knows them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use daybook_store::{Dependency, LANES, Recorded};

/// How many unposted events of a stopped lane are kept at hand; more are read again later.
pub(crate) const KEPT_WHILE_STOPPED: usize = 256;

/// How far a lane is posted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) lane_seq: i64,
    pub(crate) position: i64,
}

/// What keeps a lane from being posted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    #[default]
    Flows,
    /// Its next event waits for another lane's.
    Waits(Dependency),
    /// Its next event could not be posted.
    Parked,
}

/// A lane of this worker's.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// Grows each time the lane changes hands.
    pub(crate) epoch: i64,
    /// How far it is posted.
    pub(crate) posted: Checkpoint,
    /// Read and not posted, by `lane_seq`, without gaps from `posted`.
    pub(crate) pending: VecDeque<Recorded>,
    pub(crate) standing: Standing,
    /// The event that could not be posted; what comes before it still is.
    pub(crate) parked_at: Option<i64>,
    /// The place of the event that `projector.parked` has of it, if it has one.
    pub(crate) parked_row: Option<i64>,
    /// The place that the log lacks, once that was said.
    pub(crate) hole: Option<i64>,
    /// Where to read on from, where the lane is behind what the worker reads for all of them.
    pub(crate) behind: Option<i64>,
    /// Up to where it reads by itself, where that is known: what Kafka did not bring.
    pub(crate) fill_to: Option<i64>,
    /// Where it stood while the log had more of it, and since when.
    pub(crate) stalled: Option<(i64, Instant)>,
}

impl Lane {
    /// The place in the lane up to which it was read.
    pub(crate) fn read_to(&self) -> Checkpoint {
        self.pending.back().map_or(self.posted, |event| Checkpoint {
            lane_seq: event.lane_seq,
            position: event.position,
        })
    }

    /// How many events it has room for, where they can wait elsewhere.
    pub(crate) fn room(&self, limit: usize) -> usize {
        let most = match self.standing {
            Standing::Flows => limit,
            Standing::Waits(_) | Standing::Parked => limit.min(KEPT_WHILE_STOPPED),
        };
        if self.behind.is_some() { 0 } else { most.saturating_sub(self.pending.len()) }
    }

    /// Takes in an event that Kafka brought: what was there already is dropped. What is not the next
    /// one, or not `whole`, makes the lane read by itself up to there, and never beyond the log's
    /// `head`: a record may say what it likes.
    pub(crate) fn take_brought(&mut self, event: Recorded, whole: bool, head: i64) {
        let read = self.read_to();
        if event.lane_seq <= read.lane_seq {
            return;
        }
        if self.behind.is_none() && whole && event.lane_seq == read.lane_seq + 1 {
            self.pending.push_back(event);
        } else {
            self.fill(event.position.min(head));
        }
    }

    /// Makes the lane read by itself up to `position`.
    pub(crate) fn fill(&mut self, position: i64) {
        let read = self.read_to();
        self.behind.get_or_insert(read.position);
        self.fill_to = Some(self.fill_to.unwrap_or(0).max(position));
    }

    /// Takes in an event that was read: what was there already is dropped, and a hole, or more than
    /// a stopped lane keeps, makes the lane read on by itself from where it is. `by_itself`: it did;
    /// then the hole is in the log, and the lane stays where it is rather than skip.
    pub(crate) fn take(&mut self, event: Recorded, by_itself: bool) {
        let read = self.read_to();
        if event.lane_seq <= read.lane_seq {
            return;
        }
        let full = self.standing != Standing::Flows && self.pending.len() >= KEPT_WHILE_STOPPED;
        if full || event.lane_seq != read.lane_seq + 1 {
            let missing = read.lane_seq + 1;
            if by_itself && !full && self.hole != Some(missing) {
                self.hole = Some(missing);
                metrics::counter!("daybook_projector_holes_total").increment(1);
                tracing::error!(
                    lane = event.lane,
                    missing,
                    next = event.lane_seq,
                    position = event.position,
                    "the log lacks an event of this lane, which stays where it is: \
                     `daybook doctor --deep` shows the damage"
                );
            }
            self.behind = Some(read.position);
            return;
        }
        self.pending.push_back(event);
    }
}

/// All lanes of this worker, and what it knows of the others.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    pub(crate) own: BTreeMap<i16, Lane>,
    /// The committed checkpoints of lanes that others own, as last seen.
    pub(crate) others: BTreeMap<i16, Checkpoint>,
}

impl Lanes {
    /// Whether every lane is this worker's.
    pub(crate) fn all(&self) -> bool {
        self.own.len() == usize::try_from(LANES).unwrap_or(usize::MAX)
    }

    /// How many events are read and could be posted.
    pub(crate) fn ready(&self) -> usize {
        self.own
            .values()
            .filter(|lane| lane.standing == Standing::Flows)
            .map(|lane| lane.pending.len())
            .sum()
    }

    /// Whether a lane waits for one that another worker owns.
    pub(crate) fn wait_for_others(&self) -> bool {
        self.own.values().any(|lane| match lane.standing {
            Standing::Waits(dependency) => !self.own.contains_key(&dependency.lane),
            Standing::Flows | Standing::Parked => false,
        })
    }

    /// The position up to which everything is posted; `None` unless all lanes are this worker's.
    pub(crate) fn posted_to(&self, read_to: i64) -> Option<i64> {
        if !self.all() {
            return None;
        }
        let lanes = self.own.values().filter_map(|lane| {
            lane.pending.front().map(|event| event.position - 1).or(lane.behind)
        });
        Some(lanes.fold(read_to, i64::min))
    }

    /// Whether the event that a dependency names is posted, or stands in the batch before.
    pub(crate) fn is_met(&self, dependency: &Dependency, in_batch: &BTreeMap<i16, i64>) -> bool {
        let posted = match self.own.get(&dependency.lane) {
            Some(lane) => lane.posted.lane_seq,
            None => self.others.get(&dependency.lane).map_or(0, |checkpoint| checkpoint.lane_seq),
        };
        let reached = in_batch.get(&dependency.lane).copied().unwrap_or(0).max(posted);
        reached >= dependency.lane_seq
    }
}
