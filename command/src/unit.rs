//! A unit of work: some streams held for the moment of one decision.
//!
//! Streams are always locked in the order of their ids, so that two units
//! never wait for each other in a circle. The locks last for loading, deciding
//! and handing over to the appender; nobody waits for the disk under them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use daybook_domain::aggregate::{Aggregate, Effects, Lifecycle};
use daybook_domain::message::EventMessage;
use daybook_store::{
    AppendError, AppendRequest, ClaimKey, CommandKey, Guard, HoldTaken, Life, Metadata, NewEvent,
    Recorded, StreamWrite,
};
use futures::FutureExt;
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use crate::cache::{Settling, Slot};
use crate::engine::Engine;
use crate::error::CommandError;
use crate::load;

/// What a decision rests on that appends nothing, so that no expected version checks it: a refusal,
/// a dry run. It stands only once this is known to be durable and not outdated.
#[derive(Default)]
pub(crate) struct Basis {
    /// The appends, not known to be durable, that the states include.
    pub(crate) unsettled: Vec<Settling>,
    /// The streams, with the versions that were seen.
    pub(crate) seen: Vec<(Uuid, i64)>,
}

/// Streams held for one decision, and what was decided so far.
pub(crate) struct Unit<'e> {
    engine: &'e Engine,
    held: BTreeMap<Uuid, OwnedMutexGuard<Slot>>,
    writes: Vec<StreamWrite>,
    guards: Vec<Guard>,
}

impl<'e> Unit<'e> {
    /// Waits until all these streams are free, and holds them.
    pub(crate) async fn hold(engine: &'e Engine, streams: &[Uuid]) -> Self {
        let mut ids = streams.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut held = BTreeMap::new();
        for id in ids {
            held.insert(id, engine.cache.slot(id).lock_owned().await);
        }
        Self { engine, held, writes: Vec::new(), guards: Vec::new() }
    }

    fn slot(&mut self, stream: Uuid) -> Result<&mut Slot, CommandError> {
        self.held
            .get_mut(&stream)
            .map(|slot| &mut **slot)
            .ok_or_else(|| CommandError::Fault(format!("stream {stream} is not held by its unit")))
    }

    /// Makes sure that the state of a held stream is here: from the cache, else
    /// from its snapshot and its events.
    ///
    /// # Errors
    /// The log cannot be read, or the stream is one of another kind.
    pub(crate) async fn load<A: Aggregate>(&mut self, stream: Uuid) -> Result<&A, CommandError> {
        let engine = self.engine;
        let slot = self.slot(stream)?;
        if slot.state::<A>().is_none() {
            let loaded = load::stream::<A>(&engine.log, stream).await?;
            if loaded.events_read >= load::PAGE {
                engine.save_snapshot(stream, &loaded);
            }
            slot.fill(loaded.state, loaded.version);
        }
        self.state(stream)
    }

    /// The state of a held and loaded stream.
    ///
    /// # Errors
    /// It is not held, or was not loaded; or what it rests on has failed since it was.
    pub(crate) fn state<A: Aggregate>(&self, stream: Uuid) -> Result<&A, CommandError> {
        let slot = self.held.get(&stream);
        if slot.is_some_and(|slot| slot.is_broken()) {
            return Err(AppendError::Moved.into());
        }
        slot.and_then(|slot| slot.state())
            .ok_or_else(|| CommandError::Fault(format!("stream {stream} is not loaded")))
    }

    /// The version of a held stream, decisions on their way included.
    #[must_use]
    pub(crate) fn version(&self, stream: Uuid) -> i64 {
        self.held.get(&stream).map_or(0, |slot| slot.version())
    }

    /// Says that the decision rests on this stream as it is now.
    pub(crate) fn guard(&mut self, stream: Uuid) {
        self.guards.push(Guard { stream_id: stream, version: self.version(stream) });
    }

    /// Writes down what was decided for a stream. The first stream recorded is
    /// the one that the answer speaks of.
    ///
    /// # Errors
    /// An event that JSON cannot carry; the unit is then of no further use.
    pub(crate) fn record<A: Aggregate>(
        &mut self,
        stream: Uuid,
        events: &[A::Event],
        occurred_at: Option<DateTime<Utc>>,
    ) -> Result<(), CommandError> {
        let slot = self.slot(stream)?;
        let expected_version = slot.version();
        let state = slot
            .state_mut::<A>()
            .ok_or_else(|| CommandError::Fault(format!("stream {stream} is not loaded")))?;
        let mut new_events = Vec::with_capacity(events.len());
        for event in events {
            let effects = state.effects(stream, event);
            new_events.push(new_event(event, effects, occurred_at)?);
            state.apply(event);
        }
        slot.advance(i64::try_from(events.len()).unwrap_or(i64::MAX));
        self.writes.push(StreamWrite {
            stream_id: stream,
            kind: A::KIND,
            expected_version,
            events: new_events,
        });
        Ok(())
    }

    /// Gives the events recorded last the bytes, and the version of their shape, with which another log
    /// has them. Where it was not said when something happened, it happened when it was recorded.
    pub(crate) fn keep_as_stored(&mut self, stored: &[Recorded]) {
        let Some(write) = self.writes.last_mut() else { return };
        for (event, stored) in write.events.iter_mut().zip(stored) {
            event.schema_version = stored.schema_version;
            event.occurred_at = Some(stored.happened_at());
            stored.data.get().clone_into(&mut event.data);
        }
    }

    /// Writes down what happens to a stream that is neither held nor loaded, decided on this
    /// version of it: for many streams at once, about which all is known that the event needs. Its
    /// effects follow from the event alone.
    ///
    /// # Errors
    /// An event that JSON cannot carry; the unit is then of no further use.
    pub(crate) fn record_unseen<A: Aggregate>(
        &mut self,
        stream: Uuid,
        version: i64,
        event: &A::Event,
        occurred_at: Option<DateTime<Utc>>,
    ) -> Result<(), CommandError> {
        let effects = A::default().effects(stream, event);
        self.writes.push(StreamWrite {
            stream_id: stream,
            kind: A::KIND,
            expected_version: version,
            events: vec![new_event(event, effects, occurred_at)?],
        });
        Ok(())
    }

    /// What a decision on these states rests on.
    #[must_use]
    pub(crate) fn basis(&self) -> Basis {
        Basis {
            unsettled: self.held.values().filter_map(|slot| slot.unsettled()).collect(),
            seen: self.held.iter().map(|(stream, slot)| (*stream, slot.version())).collect(),
        }
    }

    /// The types of the events recorded so far, in the order in which they will stand in the log.
    #[must_use]
    pub(crate) fn event_types(&self) -> Vec<String> {
        let events = self.writes.iter().flat_map(|write| &write.events);
        events.map(|event| event.event_type.to_owned()).collect()
    }

    /// Hands everything over to the appender and lets the streams go.
    ///
    /// # Errors
    /// The queue is full; then nothing was decided.
    pub(crate) fn submit(
        mut self,
        command: CommandKey,
        metadata: Metadata,
    ) -> Result<Settling, CommandError> {
        let request = AppendRequest {
            command,
            metadata,
            writes: std::mem::take(&mut self.writes),
            guards: std::mem::take(&mut self.guards),
            chains: self.held.values().map(|slot| slot.chain()).collect(),
        };
        match self.engine.appender.enqueue(request) {
            Ok(pending) => {
                let settling = pending.boxed().shared();
                for slot in self.held.values_mut() {
                    slot.settle_with(settling.clone());
                }
                Ok(settling)
            }
            Err(error) => {
                self.abandon();
                Err(error.into())
            }
        }
    }

    /// Forgets the states, which may include what was not handed over.
    pub(crate) fn abandon(mut self) {
        for slot in self.held.values_mut() {
            slot.forget();
        }
    }
}

/// An event as the log takes it.
///
/// # Errors
/// A value that JSON cannot carry.
pub(crate) fn new_event<E: EventMessage>(
    event: &E,
    effects: Effects,
    occurred_at: Option<DateTime<Utc>>,
) -> Result<NewEvent, CommandError> {
    let keys = |claims: Vec<daybook_domain::aggregate::Claim>| {
        claims.into_iter().map(|claim| ClaimKey { scope: claim.scope, key: claim.key }).collect()
    };
    Ok(NewEvent {
        event_type: event.name(),
        schema_version: event.version(),
        data: event.encode().map_err(|error| CommandError::Fault(error.to_string()))?,
        occurred_at,
        life: match effects.lifecycle {
            Lifecycle::Goes => Life::Goes,
            Lifecycle::Opens => Life::Opens,
            Lifecycle::Closes => Life::Closes,
            Lifecycle::Reopens => Life::Reopens,
            Lifecycle::Removes => Life::Removes,
        },
        claims: keys(effects.claims),
        releases: keys(effects.releases),
        references: effects.references,
        holds: effects
            .holds
            .into_iter()
            .map(|hold| HoldTaken { target: hold.target, expires_at: hold.expires_at })
            .collect(),
        unholds: effects.unholds,
    })
}
