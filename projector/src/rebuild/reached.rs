//! How far each lane is posted.

use std::collections::BTreeMap;

use daybook_store::Recorded;

use super::RebuildError;
use crate::worker::lanes::Checkpoint;

/// Up to where each lane is, or is to be; a lane without a checkpoint is at its beginning.
pub(crate) type Reached = BTreeMap<i16, Checkpoint>;

/// The place up to which a lane is posted; 0: nothing of it.
pub(crate) fn lane_seq(posted: &Reached, lane: i16) -> i64 {
    posted.get(&lane).map_or(0, |lane| lane.lane_seq)
}

/// Whether this event is posted.
pub(crate) fn has(posted: &Reached, event: &Recorded) -> bool {
    event.lane_seq <= lane_seq(posted, event.lane)
}

/// Whether nothing is.
pub(crate) fn is_empty(posted: &Reached) -> bool {
    posted.values().all(|lane| lane.lane_seq == 0)
}

/// The lanes of which others have more, and how many events.
pub(crate) fn behind(posted: &Reached, others: &Reached) -> BTreeMap<i16, i64> {
    others
        .iter()
        .map(|(lane, others)| (*lane, others.lane_seq - lane_seq(posted, *lane)))
        .filter(|(_, missing)| *missing > 0)
        .collect()
}

/// How many events others have that are not posted.
pub(crate) fn missing(posted: &Reached, others: &Reached) -> i64 {
    behind(posted, others).values().sum()
}

/// Takes down that an event is posted.
pub(crate) fn add(posted: &mut Reached, event: &Recorded) {
    let Recorded { lane, lane_seq, position, .. } = *event;
    posted.insert(lane, Checkpoint { lane_seq, position });
}

/// Says so when something is not posted that is wanted.
///
/// # Errors
/// [`RebuildError::LogTooShort`], since all that the log had was posted.
pub(crate) fn complete(posted: &Reached, wanted: &Reached) -> Result<(), RebuildError> {
    match behind(posted, wanted).into_keys().next() {
        Some(lane) => {
            let (found, posted) = (lane_seq(posted, lane), lane_seq(wanted, lane));
            Err(RebuildError::LogTooShort { lane, found, posted })
        }
        None => Ok(()),
    }
}
