//! Each kind of difference, and none where there is none.

use chrono::DateTime;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::*;
use crate::kafka::Foreign;
use crate::request::Metadata;

const LANE: i16 = 5;

/// The event of the lane's place `lane_seq`; its position is ten times that.
fn event(lane_seq: i64) -> Recorded {
    Recorded {
        position: lane_seq * 10,
        recorded_at: DateTime::UNIX_EPOCH,
        occurred_at: None,
        lane: LANE,
        lane_seq,
        stream_id: Uuid::nil(),
        version: lane_seq,
        event_type: "a.b.c".to_owned(),
        schema_version: 1,
        data: RawValue::from_string("{}".to_owned()).unwrap(),
        command_id: Uuid::nil(),
        metadata: Metadata::default(),
        after: Vec::new(),
    }
}

/// Records at the offsets 0, 2, 4: between them lie marks of transactions. Published in an earlier
/// life of the log, which is no difference.
fn topic(places: &[i64]) -> Lane {
    let seen = (0..).zip(places).map(|(index, lane_seq)| Seen {
        offset: index * 2,
        lane_seq: *lane_seq,
        position: lane_seq * 10,
        digest: Record::of(&event(*lane_seq), 1).unwrap().digest(),
    });
    Lane { first: 0, end: 100, seen: seen.collect(), unreadable: Vec::new() }
}

/// Against a log that has the places 1 to 5, of which those up to 4 must have arrived.
fn compared(lane: Lane, said: i64) -> Partition {
    let mut lanes = vec![Lane::default(); 64];
    let index = usize::try_from(LANE).unwrap();
    lanes[index] = lane;
    let mut all = [0; 64];
    all[index] = said;
    let mut comparison = Comparison::new(Lanes(lanes), 40, &all, 10);
    (1..=5).for_each(|lane_seq| comparison.take(&event(lane_seq), 2));
    comparison.finish().swap_remove(index)
}

fn kinds(partition: &Partition) -> Vec<(Kind, Option<i64>)> {
    partition.differences.iter().map(|one| (one.kind, one.lane_seq)).collect()
}

#[test]
fn a_topic_that_has_the_log_is_the_same() {
    for places in [&[1, 2, 3, 4][..], &[1, 2, 3, 4, 5]] {
        let partition = compared(topic(places), 0);
        assert!(partition.is_same() && !partition.broken, "{partition:?}");
    }
}

#[test]
fn events_that_are_missing_at_the_end_break_nothing() {
    let partition = compared(topic(&[1, 2]), 0);
    assert_eq!((partition.missing, partition.broken), (2, false), "{partition:?}");
}

#[test]
fn each_kind_of_difference_is_named() {
    let of = |places: &[i64]| kinds(&compared(topic(places), 0));
    assert_eq!(of(&[1, 3, 4]), [(Kind::Missing, Some(2))]);
    assert_eq!(of(&[1, 2, 2, 3, 4, 1]), [(Kind::Duplicated, Some(2)), (Kind::Duplicated, Some(1))]);
    assert_eq!(of(&[1, 3, 2, 4]), [(Kind::Reordered, Some(2))]);
    assert_eq!(of(&[1, 2, 3, 4, 9]), [(Kind::Foreign, Some(9))]);
    let mut lane = topic(&[1, 2, 3, 4]);
    lane.seen[2].digest += 1;
    assert_eq!(kinds(&compared(lane, 0)), [(Kind::Differing, Some(3))]);
    let mut lane = topic(&[1, 2, 3, 4]);
    lane.unreadable.push((7, Foreign::Missing("ce_id")));
    assert_eq!(kinds(&compared(lane, 0)), [(Kind::Foreign, None)]);
    for places in [&[1, 3, 4][..], &[1, 2, 2, 3, 4], &[1, 3, 2, 4], &[1, 2, 3, 4, 9]] {
        assert!(compared(topic(places), 0).broken, "{places:?}");
    }
}

#[test]
fn what_retention_took_away_is_not_missing() {
    let kept = Lane { first: 30, ..topic(&[3, 4]) };
    assert!(compared(kept, 0).is_same());
    let emptied = |said| compared(Lane { first: 100, ..topic(&[]) }, said);
    assert!(emptied(4).is_same());
    assert_eq!(emptied(2).missing, 2);
}
