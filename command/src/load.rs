//! Loading a stream: its snapshot, if it has one of this shape, and the events since.

use daybook_domain::aggregate::Aggregate;
use daybook_domain::message::EventMessage;
use daybook_store::{Log, ReadError};
use uuid::Uuid;

use crate::error::CommandError;

/// A stream's state, folded.
pub struct Loaded<A> {
    /// The state.
    pub state: A,
    /// How many events it includes; 0: the stream does not exist.
    pub version: i64,
    /// How many events were read to get here.
    pub events_read: i64,
}

/// Names the layout of a stored state: another build's state of another layout is not read.
#[must_use]
pub fn shape<A: Aggregate>() -> String {
    format!("{}@{}", A::KIND, env!("CARGO_PKG_VERSION"))
}

/// Loads and folds a stream.
///
/// # Errors
/// The log cannot be read, an event cannot be understood, or the stream is of another kind.
pub async fn stream<A: Aggregate>(log: &Log, stream: Uuid) -> Result<Loaded<A>, CommandError> {
    let mut loaded = Loaded { state: A::default(), version: 0, events_read: 0 };
    let events = log.stream(stream, 0, None).await?;
    if events.first().is_some_and(|event| event.kind() != A::KIND) {
        return Err(CommandError::OtherKind { stream, expected: A::KIND });
    }
    for recorded in &events {
        let event = A::Event::decode(
            &recorded.event_type,
            recorded.schema_version,
            recorded.data.get(),
        )
        .map_err(|error| ReadError::Corrupt {
            place: format!("position {}", recorded.position),
            reason: error.to_string(),
        })?;
        loaded.state.apply(&event);
        loaded.version = recorded.version;
        loaded.events_read += 1;
    }
    Ok(loaded)
}
