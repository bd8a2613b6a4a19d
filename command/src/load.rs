//! Loading a stream: its snapshot, if it has one of this shape, and the events since.

use daybook_domain::aggregate::Aggregate;
use daybook_domain::message::EventMessage;
use daybook_store::{Fact, Log, ReadError};
use uuid::Uuid;

use crate::error::CommandError;

/// A stream's state, folded.
pub struct Loaded<A> {
    /// The state.
    pub state: A,
    /// How many events it includes; 0: the stream does not exist.
    pub version: i64,
    /// How many events were read to get here; those in a snapshot were not.
    pub events_read: i64,
}

/// Names the layout of a stored state: another build's state of another layout is not read.
#[must_use]
pub fn shape<A: Aggregate>() -> String {
    format!("{}@{}", A::KIND, env!("CARGO_PKG_VERSION"))
}

/// How many events are read at a time, and after how many a snapshot is worth having.
pub const PAGE: i64 = 256;

/// Loads and folds a stream, in pages. Only a stream longer than a page is
/// looked up among the snapshots, so that short ones cost one query.
///
/// # Errors
/// The log cannot be read, an event cannot be understood, or the stream is of another kind.
pub async fn stream<A: Aggregate>(log: &Log, stream: Uuid) -> Result<Loaded<A>, CommandError> {
    let mut loaded = Loaded { state: A::default(), version: 0, events_read: 0 };
    loop {
        let facts = log.facts(stream, loaded.version, loaded.version + PAGE).await?;
        let first_page = loaded.version == 0;
        let full = i64::try_from(facts.len()).is_ok_and(|count| count == PAGE);
        if first_page
            && full
            && let Some(snapshot) = snapshot::<A>(log, stream).await?
        {
            loaded = snapshot;
            continue;
        }
        for fact in facts.iter() {
            let fact = fact?;
            if kind_of(fact.event_type) != A::KIND {
                return Err(CommandError::OtherKind { stream, expected: A::KIND });
            }
            loaded.state.apply(&decode::<A>(&fact)?);
            loaded.version = fact.version;
            loaded.events_read += 1;
        }
        if !full {
            return Ok(loaded);
        }
    }
}

async fn snapshot<A: Aggregate>(
    log: &Log,
    stream: Uuid,
) -> Result<Option<Loaded<A>>, CommandError> {
    let Some(found) = log.load_snapshot(stream, &shape::<A>()).await? else { return Ok(None) };
    match serde_json::from_str(found.state.get()) {
        Ok(state) => Ok(Some(Loaded { state, version: found.version, events_read: 0 })),
        Err(error) => {
            // A shortcut that leads nowhere is not taken; the events say the same.
            tracing::warn!(%stream, %error, "a snapshot cannot be read and is passed over");
            Ok(None)
        }
    }
}

/// `context.aggregate` of an event's type.
fn kind_of(event_type: &str) -> &str {
    event_type.rsplit_once('.').map_or(event_type, |(kind, _)| kind)
}

fn decode<A: Aggregate>(fact: &Fact<'_>) -> Result<A::Event, ReadError> {
    A::Event::decode(fact.event_type, fact.schema_version, fact.data).map_err(|error| {
        ReadError::Corrupt {
            place: format!("position {}", fact.position),
            reason: error.to_string(),
        }
    })
}
