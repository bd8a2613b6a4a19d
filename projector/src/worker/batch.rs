//! Which events are posted together: the next ones of all lanes, by position, each after what it
//! depends on.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use daybook_store::Recorded;

use super::lanes::{Lanes, Standing};

/// How much data the events of a batch carry, at most; one that carries more goes alone.
const MOST_BYTES: usize = 4 << 20;

/// Events that are posted in one transaction, by position.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) events: Vec<Recorded>,
}

/// How the batch moves one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) lane: i16,
    pub(crate) from_seq: i64,
    pub(crate) lane_seq: i64,
    pub(crate) position: i64,
}

impl Batch {
    /// Takes the next events out of the lanes, at most `limit`. A lane whose next event depends on
    /// one that is neither posted nor in the batch stops, and it alone; so does one at its parked event.
    pub(crate) fn compose(lanes: &mut Lanes, limit: usize) -> Self {
        for lane in lanes.own.values_mut() {
            if matches!(lane.standing, Standing::Waits(_)) {
                lane.standing = Standing::Flows;
            }
        }
        let mut next: BinaryHeap<Reverse<(i64, i16)>> = lanes
            .own
            .iter()
            .filter(|(_, lane)| lane.standing == Standing::Flows)
            .filter_map(|(number, lane)| {
                lane.pending.front().map(|event| Reverse((event.position, *number)))
            })
            .collect();
        let mut in_batch = BTreeMap::new();
        let mut events = Vec::new();
        let mut bytes = 0;
        while events.len() < limit && bytes < MOST_BYTES {
            let Some(Reverse((_, number))) = next.pop() else { break };
            let front = lanes.own.get(&number).and_then(|lane| lane.pending.front());
            let front_seq = front.map(|event| event.lane_seq);
            let unmet = front.and_then(|event| {
                event.after.iter().find(|needed| !lanes.is_met(needed, &in_batch)).copied()
            });
            let Some(lane) = lanes.own.get_mut(&number) else { continue };
            if lane.parked_at.is_some() && lane.parked_at == front_seq {
                lane.standing = Standing::Parked;
                continue;
            }
            if let Some(dependency) = unmet {
                lane.standing = Standing::Waits(dependency);
                continue;
            }
            let Some(event) = lane.pending.pop_front() else { continue };
            in_batch.insert(number, event.lane_seq);
            bytes += event.data.get().len();
            if let Some(following) = lane.pending.front() {
                next.push(Reverse((following.position, number)));
            }
            events.push(event);
        }
        Self { events }
    }

    /// How the batch moves its lanes.
    pub(crate) fn moves(&self) -> Vec<Move> {
        let mut moves: BTreeMap<i16, Move> = BTreeMap::new();
        for event in &self.events {
            let Recorded { lane, lane_seq, position, .. } = *event;
            moves
                .entry(lane)
                .and_modify(|moved| (moved.lane_seq, moved.position) = (lane_seq, position))
                .or_insert(Move { lane, from_seq: lane_seq - 1, lane_seq, position });
        }
        moves.into_values().collect()
    }

    /// Puts the events back where they came from.
    pub(crate) fn undo(self, lanes: &mut Lanes) {
        for event in self.events.into_iter().rev() {
            if let Some(lane) = lanes.own.get_mut(&event.lane) {
                lane.pending.push_front(event);
            }
        }
    }
}
