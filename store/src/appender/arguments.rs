//! A batch as the arrays that `journal.append` takes. Everything that does not depend on the
//! log's head is computed here, before the order is locked.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::types::ipnetwork::IpNetwork;
use uuid::Uuid;

use super::prepared::Prepared;
use super::rows::{ClaimRow, EventRow, GuardRow, JsonText, ReferenceRow, RequestRow, StreamRow};
use crate::lane::{LANES, lane_of};
use crate::request::{Life, NewEvent, StreamWrite};

/// What an event depends on, before the numbers of all references are known.
#[derive(Debug, Clone, Copy)]
enum Dependency {
    Reference(i32),
    Claim(i32),
    Inner(i32),
}

/// A batch, flattened.
#[derive(Debug, Default)]
pub(super) struct Batch<'a> {
    pub(super) prepared: Vec<&'a Prepared>,
    pub(super) requests: Vec<RequestRow>,
    pub(super) new: Vec<StreamRow<'a>>,
    pub(super) old: Vec<StreamRow<'a>>,
    pub(super) guards: Vec<GuardRow>,
    pub(super) references: Vec<ReferenceRow>,
    pub(super) claims: Vec<ClaimRow<'a>>,
    pub(super) inner: Vec<i32>,
    /// Streams that close, and the requests that close them.
    pub(super) close: Vec<(Uuid, usize)>,
    pub(super) holds: Vec<(Uuid, Uuid, Option<DateTime<Utc>>)>,
    pub(super) unholds: Vec<(Uuid, Uuid)>,
    pub(super) events: Vec<EventRow<'a>>,
    pub(super) dependencies: Vec<i32>,
    pub(super) lanes: Vec<(i16, i32)>,
}

/// What is only needed while a batch is flattened.
#[derive(Debug)]
struct Building<'a> {
    batch: Batch<'a>,
    streams: Vec<StreamRow<'a>>,
    stream_rows: HashMap<Uuid, usize>,
    reference_rows: HashMap<(Uuid, bool), i32>,
    holds: HashMap<(Uuid, Uuid), Option<Option<DateTime<Utc>>>>,
    lane_events: Vec<i32>,
    dependencies: Vec<Dependency>,
}

/// A count that came from a bounded batch.
fn small(n: usize) -> i32 {
    i32::try_from(n).expect("a batch is bounded far below 2^31")
}

impl<'a> Batch<'a> {
    /// Flattens the requests in their order.
    pub(super) fn new(requests: impl Iterator<Item = &'a Prepared>) -> Self {
        let mut building = Building {
            batch: Self::default(),
            streams: Vec::new(),
            stream_rows: HashMap::new(),
            reference_rows: HashMap::new(),
            holds: HashMap::new(),
            lane_events: vec![0; usize::from(LANES.unsigned_abs())],
            dependencies: Vec::new(),
        };
        for (number, prepared) in requests.enumerate() {
            building.request(number, prepared);
        }
        building.finish()
    }
}

impl<'a> Building<'a> {
    fn request(&mut self, number: usize, prepared: &'a Prepared) {
        let request = &prepared.request;
        let first_event = small(self.batch.events.len()) + 1;
        self.batch.prepared.push(prepared);
        for guard in &request.guards {
            let (stream, version) = (guard.stream_id, guard.version);
            self.batch.guards.push(GuardRow { stream, version, request: number, own: false });
        }
        let actor = request.metadata.actor_id;
        if !request.writes.iter().any(|write| write.stream_id == actor && !write.events.is_empty())
        {
            self.reference(actor, false, number);
        }
        let first_claim = small(self.batch.claims.len());
        for (key, plan) in &prepared.claims {
            self.batch.claims.push(ClaimRow {
                scope: key.scope,
                key: &key.key,
                asker: plan.asker,
                holder: plan.holder,
                released: plan.released_by.map(|event| first_event + small(event)),
                request: number,
            });
        }
        for write in &request.writes {
            self.write(number, prepared, write, first_event, first_claim);
        }
        for ((target, holder), hold) in &prepared.holds {
            self.holds.insert((*target, *holder), hold.as_ref().map(|hold| hold.expires_at));
        }
        let subject = request.subject();
        let version = subject
            .map_or(0, |write| write.expected_version + i64::from(small(write.events.len())));
        self.batch.requests.push(RequestRow {
            stream: subject.map_or(Uuid::nil(), |write| write.stream_id),
            version,
            created: subject
                .is_some_and(|write| write.expected_version == 0 && !write.events.is_empty()),
            last: small(self.batch.events.len()),
            events: small(prepared.events),
        });
    }

    fn write(
        &mut self,
        number: usize,
        prepared: &'a Prepared,
        write: &'a StreamWrite,
        first_event: i32,
        first_claim: i32,
    ) {
        let (stream, version) = (write.stream_id, write.expected_version);
        if write.events.is_empty() {
            self.batch.guards.push(GuardRow { stream, version, request: number, own: true });
            return;
        }
        let lane = lane_of(stream);
        for (n, event) in write.events.iter().enumerate() {
            let global = small(self.batch.events.len()) + 1;
            let from = small(self.dependencies.len()) + 1;
            self.depend(number, prepared, stream, event, global);
            self.depend_on_claims(prepared, global, first_event, first_claim);
            self.stream(number, write, lane, event, global);
            let offset = &mut self.lane_events[usize::from(lane.unsigned_abs())];
            *offset += 1;
            self.batch.events.push(EventRow {
                stream,
                version: version + 1 + i64::from(small(n)),
                lane,
                lane_offset: *offset,
                event,
                request: number,
                dependency_from: from,
                dependency_to: small(self.dependencies.len()),
            });
        }
    }

    /// Writes down that the event refers to its actor and to what it names.
    fn depend(
        &mut self,
        number: usize,
        prepared: &'a Prepared,
        stream: Uuid,
        event: &NewEvent,
        global: i32,
    ) {
        for hold in &event.holds {
            self.refer(number, prepared, hold.target, true);
        }
        let actor = prepared.request.metadata.actor_id;
        for (other, strong) in
            std::iter::once((actor, false)).chain(event.references.iter().map(|to| (*to, true)))
        {
            let found = self.refer(number, prepared, other, strong);
            // What is in the same lane is before it anyway.
            if let Some(dependency) = found
                && lane_of(other) != lane_of(stream)
                && (strong || !event.references.contains(&other))
                && !matches!(dependency, Dependency::Inner(event) if event >= global)
            {
                self.dependencies.push(dependency);
            }
        }
    }

    /// The stream must exist; `strong`: and be open. `None`: it is this batch's own doing.
    fn refer(
        &mut self,
        number: usize,
        prepared: &Prepared,
        other: Uuid,
        strong: bool,
    ) -> Option<Dependency> {
        let own = prepared
            .request
            .writes
            .iter()
            .find(|write| write.stream_id == other && !write.events.is_empty());
        let Some(own) = own else {
            return Some(Dependency::Reference(self.reference(other, strong, number)));
        };
        if own.expected_version == 0 {
            let made = self.stream_rows.get(&other).and_then(|row| self.streams[*row].made)?;
            return Some(Dependency::Inner(made));
        }
        let reopened =
            own.events.iter().any(|event| matches!(event.life, Life::Opens | Life::Reopens));
        Some(Dependency::Reference(self.reference(other, strong && !reopened, number)))
    }

    fn reference(&mut self, stream: Uuid, open: bool, request: usize) -> i32 {
        if let Some(row) = self.reference_rows.get(&(stream, open)) {
            let reference = &mut self.batch.references[usize::try_from(*row - 1).unwrap_or(0)];
            if reference.requests.last() != Some(&request) {
                reference.requests.push(request);
            }
            return *row;
        }
        self.batch.references.push(ReferenceRow { stream, open, requests: vec![request] });
        let row = small(self.batch.references.len());
        self.reference_rows.insert((stream, open), row);
        row
    }

    fn depend_on_claims(
        &mut self,
        prepared: &Prepared,
        global: i32,
        first_event: i32,
        first_claim: i32,
    ) {
        for (n, (_, plan)) in prepared.claims.iter().enumerate() {
            if plan.taken_by.is_some_and(|event| first_event + small(event) == global) {
                self.dependencies.push(Dependency::Claim(first_claim + small(n) + 1));
            }
            for (taker, release) in &plan.handed_on {
                if first_event + small(*taker) == global {
                    self.dependencies.push(Dependency::Inner(first_event + small(*release)));
                }
            }
        }
    }

    fn stream(
        &mut self,
        number: usize,
        write: &'a StreamWrite,
        lane: i16,
        event: &NewEvent,
        global: i32,
    ) {
        let next = self.streams.len();
        let row = *self.stream_rows.entry(write.stream_id).or_insert(next);
        if row == next {
            self.streams.push(StreamRow {
                stream: write.stream_id,
                kind: write.kind,
                lane,
                expected: write.expected_version,
                version: write.expected_version,
                first: global,
                last: global,
                made: (write.expected_version == 0).then_some(global),
                closed: None,
                opened: false,
                request: number,
            });
        }
        let row = &mut self.streams[row];
        row.version += 1;
        row.last = global;
        match event.life {
            Life::Goes => {}
            Life::Opens => {
                row.made = Some(global);
                (row.closed, row.opened) = (None, true);
            }
            Life::Reopens => (row.closed, row.opened) = (None, true),
            Life::Closes | Life::Removes => {
                (row.closed, row.opened) = (Some(global), false);
                self.batch.close.push((write.stream_id, number));
            }
        }
    }

    fn finish(mut self) -> Batch<'a> {
        let references = small(self.batch.references.len());
        let claims = small(self.batch.claims.len());
        for dependency in self.dependencies {
            let number = match dependency {
                Dependency::Reference(row) => row,
                Dependency::Claim(row) => references + row,
                Dependency::Inner(event) => {
                    self.batch.inner.push(event);
                    references + claims + small(self.batch.inner.len())
                }
            };
            self.batch.dependencies.push(number);
        }
        (self.batch.new, self.batch.old) =
            self.streams.into_iter().partition(|row| row.expected == 0);
        for ((target, holder), hold) in self.holds {
            match hold {
                Some(expires) => self.batch.holds.push((target, holder, expires)),
                None => self.batch.unholds.push((target, holder)),
            }
        }
        self.batch.lanes =
            (0..LANES).zip(self.lane_events).filter(|(_, events)| *events > 0).collect();
        self.batch
    }
}

impl<'a> Batch<'a> {
    /// The column `of` every event.
    pub(super) fn of_events<T>(&self, of: impl Fn(&EventRow<'a>) -> T) -> Vec<T> {
        self.events.iter().map(of).collect()
    }

    /// The column `of` every event's request.
    pub(super) fn of_requests<T>(&self, of: impl Fn(&'a Prepared) -> T) -> Vec<T> {
        self.events.iter().map(|event| of(self.prepared[event.request])).collect()
    }

    /// The events' data.
    pub(super) fn data(&self) -> Vec<JsonText<'a>> {
        self.events.iter().map(|row| JsonText(&row.event.data)).collect()
    }

    /// The events' client addresses.
    pub(super) fn addresses(&self) -> Vec<Option<IpNetwork>> {
        self.of_requests(|prepared| prepared.request.metadata.ip_address.map(IpNetwork::from))
    }
}
