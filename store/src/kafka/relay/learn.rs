//! What a topic has: asked of the topic, and held against the log.

use std::collections::BTreeMap;

use rdkafka::Message;

use super::RelayError;
use super::lease::Said;
use crate::kafka::reader::{Bounds, Reader};
use crate::kafka::{Arrived, Connection};
use crate::log::{Head, Log};
use crate::recorded::Recorded;

/// How many offsets before its end a partition is searched first. Half of them may be marks of
/// transactions, which are no records.
const SEARCHED_FIRST: i64 = 16;
/// By how much the search widens where nothing of ours was found.
const WIDENED: i64 = 16;

/// The ends of a topic's partitions.
#[derive(Debug)]
pub(super) struct Ends {
    /// Where each partition begins and ends.
    bounds: Bounds,
    /// The last record of ours, of each lane that has one.
    last: BTreeMap<i32, Recorded>,
}

/// How far a topic is, and from where the log has to be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Learnt {
    /// All that the topic lacks has a higher position.
    pub(super) position: i64,
    /// The last place of each lane that the topic has.
    pub(super) lane_seqs: Vec<i64>,
    /// The offset after the last record, by lane.
    pub(super) ends: Vec<i64>,
}

/// Searches each partition backwards for the last record of ours. Blocks. Whoever asks has begun to
/// produce under the relay's name, so nothing of another relay can still arrive.
pub(super) fn ends(connection: &Connection, topic: &str) -> Result<Ends, RelayError> {
    let reader = Reader::new(connection, topic, false)?;
    let there = Reader::new(connection, topic, true)?.ends()?;
    let bounds = reader.bounds()?;
    for (lane, (committed, there)) in (0..).zip(bounds.end.iter().zip(&there)) {
        if committed < there {
            return Err(RelayError::OpenTransaction { lane });
        }
    }
    let mut last: BTreeMap<i32, Recorded> = BTreeMap::new();
    let mut back = SEARCHED_FIRST;
    let lanes = (0..).zip(bounds.first.iter().zip(&bounds.end));
    let mut searched: BTreeMap<i32, i64> = lanes
        .filter(|(_, (first, end))| first < end)
        .map(|(lane, (first, end))| (lane, *first.max(&(end - back))))
        .collect();
    while !searched.is_empty() {
        reader.read(&searched, |message| {
            // What is not ours is `reconcile`'s to name; here it is passed over.
            let Ok(Arrived { event, .. }) = Arrived::of(message) else { return };
            let known = last.get(&message.partition()).map_or(0, |known| known.lane_seq);
            if event.lane_seq > known {
                last.insert(message.partition(), event);
            }
        })?;
        back = back.saturating_mul(WIDENED);
        let place = |lane: i32| usize::try_from(lane).unwrap_or(0);
        searched = searched
            .into_iter()
            .filter(|(lane, from)| !last.contains_key(lane) && *from > bounds.first[place(*lane)])
            .map(|(lane, _)| {
                let (first, end) = (bounds.first[place(lane)], bounds.end[place(lane)]);
                (lane, first.max(end.saturating_sub(back)))
            })
            .collect();
    }
    Ok(Ends { bounds, last })
}

/// Holds what the partitions end with against the log, and works out where to go on.
pub(super) async fn learn(
    log: &Log,
    head: &Head,
    ends: Ends,
    said: &Said,
) -> Result<Learnt, RelayError> {
    let positions: Vec<i64> = ends.last.values().map(|event| event.position).collect();
    let in_log: BTreeMap<i64, Recorded> =
        log.at(&positions).await?.into_iter().map(|event| (event.position, event)).collect();
    for (lane, event) in &ends.last {
        if !in_log.get(&event.position).is_some_and(|ours| is_the_same(ours, event)) {
            return Err(RelayError::NotInTheLog { lane: *lane, position: event.position });
        }
    }
    Ok(put_together(head, &ends, said))
}

/// The last place of each lane that a topic has. Blocks.
pub(crate) fn ends_of(
    connection: &Connection,
    topic: &str,
) -> Result<BTreeMap<i32, i64>, RelayError> {
    let last = ends(connection, topic)?.last;
    Ok(last.into_iter().map(|(lane, event)| (lane, event.lane_seq)).collect())
}

/// How many events the topic lacks until each lane has come as far as `wanted`.
pub(crate) async fn missing(
    log: &Log,
    connection: &Connection,
    wanted: &[i64],
) -> Result<i64, RelayError> {
    let (asked, topic) = (connection.clone(), connection.naming.events());
    let ends = tokio::task::spawn_blocking(move || ends(&asked, &topic)).await??;
    let head = log.head().await?;
    let said = Said::of(log.pool(), &connection.naming.events()).await?;
    let learnt = learn(log, &head, ends, &said).await?;
    Ok(wanted.iter().zip(&learnt.lane_seqs).map(|(wanted, has)| (wanted - has).max(0)).sum())
}

/// Whether two are one event: by its places, its time, and who asked for it.
fn is_the_same(one: &Recorded, other: &Recorded) -> bool {
    (one.position, one.recorded_at, one.lane, one.lane_seq)
        == (other.position, other.recorded_at, other.lane, other.lane_seq)
        && (one.stream_id, one.version, one.command_id)
            == (other.stream_id, other.version, other.command_id)
        && (&one.event_type, one.schema_version) == (&other.event_type, other.schema_version)
}

fn put_together(head: &Head, ends: &Ends, said: &Said) -> Learnt {
    let mut lane_seqs = Vec::with_capacity(head.lane_heads.len());
    let mut position = head.position;
    for (index, lane_head) in head.lane_heads.iter().enumerate() {
        let lane = i32::try_from(index).unwrap_or(-1);
        let said_seq = said.lane_seqs.get(index).copied().unwrap_or(0).min(*lane_head);
        let (lane_seq, seen) = match ends.last.get(&lane) {
            Some(event) => (event.lane_seq, event.position),
            // Emptied, because its records were old: what was said is all that is known.
            None if ends.bounds.first[index] > 0 => (said_seq, 0),
            None => (0, 0),
        };
        if lane_seq < *lane_head {
            // As far as somebody said that the topic was, it is, if the lane still has what it had then.
            let from = if lane_seq >= said_seq { seen.max(said.position) } else { seen };
            position = position.min(from);
        }
        lane_seqs.push(lane_seq);
    }
    Learnt { position, lane_seqs, ends: ends.bounds.end.clone() }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::value::RawValue;
    use uuid::Uuid;

    use super::*;
    use crate::request::Metadata;

    fn event(lane: i16, lane_seq: i64, position: i64) -> Recorded {
        Recorded {
            position,
            recorded_at: DateTime::UNIX_EPOCH,
            occurred_at: None,
            lane,
            lane_seq,
            stream_id: Uuid::nil(),
            version: 1,
            event_type: "a.b.c".to_owned(),
            schema_version: 1,
            data: RawValue::from_string("{}".to_owned()).unwrap(),
            command_id: Uuid::nil(),
            metadata: Metadata::default(),
            after: Vec::new(),
        }
    }

    /// The log: lane 0 has positions 1, 3 and 9; lane 1 has 2 and 4 to 8.
    fn head() -> Head {
        let mut lane_heads = vec![0; 64];
        lane_heads[..2].copy_from_slice(&[3, 6]);
        Head { position: 9, recorded_at: None, epoch: 1, lane_heads }
    }

    fn ends(last: &[Recorded], first: [i64; 2]) -> Ends {
        let mut bounds = Bounds { first: vec![0; 64], end: vec![20; 64] };
        bounds.first[..2].copy_from_slice(&first);
        let last = last.iter().map(|event| (i32::from(event.lane), event.clone())).collect();
        Ends { bounds, last }
    }

    fn said(position: i64, lane_0: i64, lane_1: i64) -> Said {
        let mut lane_seqs = vec![0; 64];
        lane_seqs[..2].copy_from_slice(&[lane_0, lane_1]);
        Said { position, lane_seqs }
    }

    fn learnt(ends: &Ends, said: &Said) -> (i64, i64, i64) {
        let learnt = put_together(&head(), ends, said);
        (learnt.position, learnt.lane_seqs[0], learnt.lane_seqs[1])
    }

    #[test]
    fn a_topic_that_is_complete_is_followed_from_the_head() {
        let all = ends(&[event(0, 3, 9), event(1, 6, 8)], [0, 0]);
        assert_eq!(learnt(&all, &said(0, 0, 0)), (9, 3, 6));
    }

    #[test]
    fn an_empty_topic_is_filled_from_the_beginning_whatever_was_said() {
        assert_eq!(learnt(&ends(&[], [0, 0]), &said(9, 3, 6)), (0, 0, 0));
    }

    #[test]
    fn an_emptied_partition_goes_by_what_was_said() {
        assert_eq!(learnt(&ends(&[], [7, 7]), &said(9, 3, 6)), (9, 3, 6));
        assert_eq!(learnt(&ends(&[], [7, 7]), &said(4, 2, 2)), (4, 2, 2));
    }

    #[test]
    fn what_arrived_after_somebody_last_said_is_not_sent_again() {
        let some = ends(&[event(0, 2, 3), event(1, 4, 6)], [0, 0]);
        // Lane 0's next is at 9 and lane 1's at 7: everything up to 4 need not be read.
        assert_eq!(learnt(&some, &said(4, 2, 2)), (4, 2, 4));
        assert_eq!(learnt(&some, &said(0, 0, 0)), (3, 2, 4));
    }

    #[test]
    fn a_lane_that_lost_what_it_had_is_filled_from_what_is_left() {
        let some = ends(&[event(0, 1, 1), event(1, 6, 8)], [0, 0]);
        assert_eq!(learnt(&some, &said(9, 3, 6)), (1, 1, 6));
    }
}
