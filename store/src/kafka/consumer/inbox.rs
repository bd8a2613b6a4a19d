//! What the consumer's thread and the worker share.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::Message;
use tokio::sync::Notify;

use crate::kafka::record::{Arrived, lane_seq_of};
use crate::lane::LANES;

/// Events of one lane at hand before its partition is paused, and below which it goes on.
const MOST_OF_A_LANE: usize = 1_024;
const FEW_OF_A_LANE: usize = 128;
/// The same for all lanes together: in events, and in bytes of data.
const MOST_EVENTS: usize = 16_384;
const MOST_BYTES: usize = 64 << 20;

/// Of foreign records the first is told, and then one of so many: somebody may have sent millions.
const TELL_EVERY: u64 = 1_000;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) topic: String,
    inbox: Mutex<Inbox>,
    changed: Notify,
    stopped: AtomicBool,
}

#[derive(Debug, Default)]
struct Inbox {
    lanes: BTreeMap<i16, Queue>,
    /// Grows with each assignment.
    serial: u64,
    events: usize,
    bytes: usize,
    foreign: u64,
}

/// What came of one lane.
#[derive(Debug, Default)]
struct Queue {
    serial: u64,
    waiting: VecDeque<Arrived>,
    /// Records up to this place in the lane are known to the taker.
    known: i64,
    posted: i64,
    /// Places in the lane, and the offsets after them: what to commit once they are posted.
    offsets: VecDeque<(i64, i64)>,
    commit: Option<i64>,
    paused: bool,
}

/// Which partitions are to be paused, and which to go on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tending {
    pub(super) pause: Vec<i16>,
    pub(super) resume: Vec<i16>,
}

impl Shared {
    pub(super) fn new(topic: String) -> Self {
        Self {
            topic,
            inbox: Mutex::default(),
            changed: Notify::new(),
            stopped: AtomicBool::new(false),
        }
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        // Nothing that is done under the lock leaves it half done.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(super) fn assigned(&self) -> BTreeMap<i16, u64> {
        self.inbox().lanes.iter().map(|(lane, queue)| (*lane, queue.serial)).collect()
    }

    pub(super) fn assign(&self, lanes: impl IntoIterator<Item = i16>) {
        let mut inbox = self.inbox();
        for lane in lanes.into_iter().filter(|lane| (0..LANES).contains(lane)) {
            inbox.forget(lane);
            inbox.serial += 1;
            let serial = inbox.serial;
            inbox.lanes.insert(lane, Queue { serial, ..Queue::default() });
        }
        drop(inbox);
        self.changed.notify_one();
    }

    pub(super) fn revoke(&self, lanes: impl IntoIterator<Item = i16>) {
        let mut inbox = self.inbox();
        for lane in lanes {
            inbox.forget(lane);
        }
        drop(inbox);
        self.changed.notify_one();
    }

    pub(super) fn revoke_all(&self) {
        self.revoke(0..LANES);
    }

    /// Takes in a record. What is not one of ours is counted, told and skipped.
    pub(super) fn arrive<M: Message>(&self, message: &M) {
        let Ok(lane) = i16::try_from(message.partition()) else { return };
        let next = message.offset() + 1;
        if let Some(lane_seq) = lane_seq_of(message) {
            let mut inbox = self.inbox();
            let Some(queue) = inbox.lanes.get_mut(&lane) else { return };
            if lane_seq <= queue.known {
                queue.mark(lane_seq, next);
                return;
            }
        }
        match Arrived::of(message) {
            Ok(arrived) => {
                let mut inbox = self.inbox();
                let size = size(&arrived);
                let Some(queue) = inbox.lanes.get_mut(&lane) else { return };
                queue.mark(arrived.event.lane_seq, next);
                queue.waiting.push_back(arrived);
                inbox.events += 1;
                inbox.bytes += size;
                drop(inbox);
                metrics::counter!("daybook_kafka_records_total").increment(1);
                self.changed.notify_one();
            }
            Err(reason) => {
                metrics::counter!("daybook_kafka_foreign_records_total").increment(1);
                let mut inbox = self.inbox();
                inbox.foreign += 1;
                let foreign = inbox.foreign;
                drop(inbox);
                if foreign % TELL_EVERY == 1 {
                    tracing::error!(
                        topic = self.topic, partition = message.partition(),
                        offset = message.offset(), %reason, foreign,
                        "a record in the topic of events is not ours, or broken: it is skipped. \
                         `daybook reconcile` shows them all; nobody but the relay may write there"
                    );
                }
            }
        }
    }

    pub(super) fn take(&self, limit: usize, room: impl Fn(i16) -> usize) -> Vec<Arrived> {
        let mut inbox = self.inbox();
        let mut left: BTreeMap<i16, usize> =
            inbox.lanes.keys().map(|lane| (*lane, room(*lane))).collect();
        let front = |inbox: &Inbox, lane: i16| {
            let first = inbox.lanes.get(&lane)?.waiting.front()?;
            Some(Reverse((first.event.position, lane)))
        };
        let mut next: BinaryHeap<Reverse<(i64, i16)>> =
            left.keys().filter_map(|lane| front(&inbox, *lane)).collect();
        let mut taken = Vec::new();
        while taken.len() < limit {
            let Some(Reverse((_, lane))) = next.pop() else { break };
            let Some(room) = left.get_mut(&lane).filter(|room| **room > 0) else { continue };
            *room -= 1;
            let arrived = inbox.lanes.get_mut(&lane).and_then(|queue| queue.waiting.pop_front());
            let Some(arrived) = arrived else { continue };
            inbox.events -= 1;
            inbox.bytes -= size(&arrived);
            taken.push(arrived);
            next.extend(front(&inbox, lane));
        }
        taken
    }

    pub(super) fn has_some_of(&self, lane: i16) -> bool {
        self.inbox().lanes.get(&lane).is_some_and(|queue| !queue.waiting.is_empty())
    }

    pub(super) fn reached(&self, lane: i16, known: i64, posted: i64) {
        let mut inbox = self.inbox();
        let Some(queue) = inbox.lanes.get_mut(&lane) else { return };
        (queue.known, queue.posted) = (known, posted);
        while let Some((_, next)) = queue.offsets.front().filter(|(seq, _)| *seq <= posted) {
            queue.commit = Some(*next);
            queue.offsets.pop_front();
        }
    }

    /// The offsets to commit: of these lanes, or of all. Each is given once.
    pub(super) fn to_commit(&self, only: Option<&[i16]>) -> Vec<(i16, i64)> {
        let mut inbox = self.inbox();
        inbox
            .lanes
            .iter_mut()
            .filter(|(lane, _)| only.is_none_or(|only| only.contains(lane)))
            .filter_map(|(lane, queue)| queue.commit.take().map(|offset| (*lane, offset)))
            .collect()
    }

    /// What is to be paused or to go on, given what is at hand; it is taken as done.
    pub(super) fn tend(&self) -> Tending {
        let mut inbox = self.inbox();
        let full = inbox.events >= MOST_EVENTS || inbox.bytes >= MOST_BYTES;
        let calm = inbox.events <= MOST_EVENTS / 2 && inbox.bytes <= MOST_BYTES / 2;
        let mut tending = Tending::default();
        for (lane, queue) in &mut inbox.lanes {
            let waiting = queue.waiting.len();
            if !queue.paused && (full || waiting >= MOST_OF_A_LANE) {
                queue.paused = true;
                tending.pause.push(*lane);
            } else if queue.paused && calm && waiting <= FEW_OF_A_LANE {
                queue.paused = false;
                tending.resume.push(*lane);
            }
        }
        tending
    }
}

impl Queue {
    /// Remembers what to commit once a place in the lane is posted. A record that is before others
    /// in its lane and after them in the topic stands for them: they are not in order, and nothing
    /// may wait for a place that there is not.
    fn mark(&mut self, lane_seq: i64, next: i64) {
        while self.offsets.back().is_some_and(|(seq, _)| *seq >= lane_seq) {
            self.offsets.pop_back();
        }
        self.offsets.push_back((lane_seq, next));
    }
}

impl Inbox {
    fn forget(&mut self, lane: i16) {
        if let Some(queue) = self.lanes.remove(&lane) {
            self.events -= queue.waiting.len();
            self.bytes -= queue.waiting.iter().map(size).sum::<usize>();
        }
    }
}

fn size(arrived: &Arrived) -> usize {
    arrived.event.data.get().len()
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};
    use rdkafka::Timestamp;
    use rdkafka::message::OwnedMessage;
    use serde_json::value::RawValue;
    use uuid::Uuid;

    use super::*;
    use crate::kafka::Record;
    use crate::recorded::Recorded;
    use crate::request::Metadata;

    fn message(lane: i16, lane_seq: i64, position: i64) -> OwnedMessage {
        let event = Recorded {
            position,
            recorded_at: Utc.timestamp_opt(1_780_000_000, 0).unwrap(),
            occurred_at: None,
            lane,
            lane_seq,
            stream_id: Uuid::from_u128(1),
            version: lane_seq,
            event_type: "a.b.c".to_owned(),
            schema_version: 1,
            data: RawValue::from_string("{}".to_owned()).unwrap(),
            command_id: Uuid::from_u128(2),
            metadata: Metadata::default(),
            after: Vec::new(),
        };
        let record = Record::of(&event, 1).unwrap();
        let value = Some(record.value.get().as_bytes().to_vec());
        let time = Timestamp::CreateTime(record.timestamp);
        OwnedMessage::new(
            value,
            None,
            "t".to_owned(),
            time,
            record.partition,
            lane_seq * 2,
            Some(record.headers),
        )
    }

    fn positions(taken: &[Arrived]) -> Vec<i64> {
        taken.iter().map(|arrived| arrived.event.position).collect()
    }

    #[test]
    fn events_are_taken_by_position_as_far_as_there_is_room() {
        let shared = Shared::new("t".to_owned());
        shared.assign([1, 2]);
        for (lane, seq, position) in [(1, 1, 2), (1, 2, 5), (1, 3, 6), (2, 1, 3), (2, 2, 4)] {
            shared.arrive(&message(lane, seq, position));
        }
        assert_eq!(positions(&shared.take(3, |_| 10)), [2, 3, 4]);
        assert_eq!(positions(&shared.take(9, |lane| usize::from(lane == 1))), [5]);
        assert!(shared.has_some_of(1) && !shared.has_some_of(2));
        shared.revoke([1]);
        assert!(shared.take(9, |_| 10).is_empty());
        assert_eq!(shared.inbox().events, 0);
    }

    #[test]
    fn what_is_not_assigned_or_known_already_is_dropped() {
        let shared = Shared::new("t".to_owned());
        shared.arrive(&message(1, 1, 1));
        shared.assign([1]);
        shared.reached(1, 2, 2);
        for seq in 1..=3 {
            shared.arrive(&message(1, seq, seq));
        }
        assert_eq!(positions(&shared.take(9, |_| 10)), [3]);
    }

    #[test]
    fn offsets_are_committed_once_and_after_posting() {
        let shared = Shared::new("t".to_owned());
        shared.assign([1, 2]);
        for seq in 1..=3 {
            shared.arrive(&message(1, seq, seq));
        }
        let _ = shared.take(9, |_| 10);
        assert!(shared.to_commit(None).is_empty());
        shared.reached(1, 3, 2);
        assert!(shared.to_commit(Some(&[2])).is_empty());
        assert_eq!(shared.to_commit(None), [(1, 5)]);
        assert!(shared.to_commit(None).is_empty());
    }

    #[test]
    fn a_record_far_ahead_holds_no_offset_back() {
        let shared = Shared::new("t".to_owned());
        shared.assign([1]);
        for seq in [1, 1_000, 2, 2, 3] {
            shared.arrive(&message(1, seq, seq));
        }
        shared.reached(1, 3, 3);
        assert_eq!(shared.to_commit(None), [(1, 7)]);
        assert!(shared.inbox().lanes[&1].offsets.is_empty());
    }

    #[test]
    fn a_lane_that_nobody_takes_from_is_paused_alone() {
        let shared = Shared::new("t".to_owned());
        shared.assign([1, 2]);
        shared.arrive(&message(2, 1, 1));
        for seq in 1..=1_024 {
            shared.arrive(&message(1, seq, seq + 1));
        }
        assert_eq!(shared.tend(), Tending { pause: vec![1], resume: vec![] });
        assert_eq!(shared.tend(), Tending::default());
        let _ = shared.take(1_000, |_| 1_000);
        assert_eq!(shared.tend(), Tending { pause: vec![], resume: vec![1] });
    }

    #[test]
    fn each_assignment_has_a_number_of_its_own() {
        let shared = Shared::new("t".to_owned());
        shared.assign([1, 2]);
        let first = shared.assigned();
        shared.revoke([1]);
        shared.assign([1]);
        let then = shared.assigned();
        assert_eq!(first.get(&2), then.get(&2));
        assert_ne!(first.get(&1), then.get(&1));
    }
}
