//! Events that are folded together: read, their rows announced, projected one after the other.

use daybook_domain::message::DecodeError;
use daybook_store::Recorded;

use crate::catalog::{Event, Rows, Touched};
use crate::platform::audit_log::{AuditLogRow, Trail};
use crate::rows::Fault;

/// The event that went wrong, and how.
#[derive(Debug)]
pub(crate) struct At<E> {
    /// Which of those that were given.
    pub(crate) index: usize,
    pub(crate) error: E,
}

impl<E> At<E> {
    /// Where that event is in the log; `events` are those that were given.
    pub(crate) fn position(&self, events: &[Recorded]) -> i64 {
        events.get(self.index).map_or(0, |event| event.position)
    }
}

/// Reads events, and names the rows that they touch: those have to be at hand before any is projected.
///
/// # Errors
/// One that this build does not know.
pub(crate) fn read(recorded: &[Recorded]) -> Result<(Vec<Event>, Touched), At<DecodeError>> {
    let mut touched = Touched::default();
    let mut events = Vec::with_capacity(recorded.len());
    for (index, recorded) in recorded.iter().enumerate() {
        let event = Event::decode(recorded).map_err(|error| At { index, error })?;
        event.touches(recorded, &mut touched);
        events.push(event);
    }
    Ok((events, touched))
}

/// Projects events that were [`read`], and adds what each of them changes to the trail.
///
/// # Errors
/// One that does not fit the rows.
pub(crate) fn project(
    events: &[Event],
    recorded: &[Recorded],
    rows: &mut Rows,
    audit: &mut Vec<AuditLogRow>,
) -> Result<(), At<Fault>> {
    for (index, (event, recorded)) in events.iter().zip(recorded).enumerate() {
        event
            .project(recorded, rows)
            .and_then(|()| rows.record(&mut Trail::of(recorded, audit)))
            .map_err(|error| At { index, error })?;
    }
    Ok(())
}
