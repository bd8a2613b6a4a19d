//! A batch as the rows that `journal.append` takes. Everything that does not depend on the
//! log's head is computed here, before the order is locked.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::prepared::Prepared;
use super::rows::{
    ClaimRow, EventRow, GuardRow, HoldRow, InnerRow, ReferenceRow, RequestRow, StreamRow,
};
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
    pub(super) streams: Vec<StreamRow<'a>>,
    pub(super) guards: Vec<GuardRow>,
    pub(super) references: Vec<ReferenceRow>,
    pub(super) claims: Vec<ClaimRow<'a>>,
    pub(super) inner: Vec<InnerRow>,
    /// Streams that close, and the requests that close them.
    pub(super) close: Vec<(Uuid, usize)>,
    pub(super) holds: Vec<HoldRow>,
    pub(super) events: Vec<EventRow<'a>>,
    pub(super) lanes: Vec<(i16, i32)>,
}

/// What is only needed while a batch is flattened.
#[derive(Debug)]
struct Building<'a> {
    batch: Batch<'a>,
    /// Where each written stream stands, and the event that made its row exist last.
    stream_rows: HashMap<Uuid, (usize, i32)>,
    reference_rows: HashMap<(Uuid, bool), i32>,
    holds: HashMap<(Uuid, Uuid), Option<Option<DateTime<Utc>>>>,
    lane_events: Vec<i32>,
    /// A list an event.
    dependencies: Vec<Vec<Dependency>>,
    /// Claims with the event that released each last.
    released: Vec<(usize, i32)>,
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
            stream_rows: HashMap::new(),
            reference_rows: HashMap::new(),
            holds: HashMap::new(),
            lane_events: vec![0; usize::from(LANES.unsigned_abs())],
            dependencies: Vec::new(),
            released: Vec::new(),
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
            if let Some(event) = plan.released_by {
                self.released.push((self.batch.claims.len(), first_event + small(event)));
            }
            self.batch.claims.push(ClaimRow {
                scope: key.scope,
                key: &key.key,
                asker: plan.asker,
                holder: plan.holder,
                released: None,
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
            command: request.command,
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
            self.dependencies.push(Vec::new());
            self.depend(number, prepared, stream, event, global);
            self.depend_on_claims(prepared, global, first_event, first_claim);
            let offset = &mut self.lane_events[usize::from(lane.unsigned_abs())];
            *offset += 1;
            let offset = *offset;
            self.stream(number, write, event, (global, lane, offset));
            self.batch.events.push(EventRow {
                stream,
                version: version + 1 + i64::from(small(n)),
                lane,
                lane_offset: offset,
                event,
                prepared,
                dependencies: None,
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
                self.depends(dependency);
            }
        }
    }

    /// The event under way depends on this.
    fn depends(&mut self, dependency: Dependency) {
        if let Some(last) = self.dependencies.last_mut() {
            last.push(dependency);
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
        let own = prepared.write_to(other).filter(|write| !write.events.is_empty());
        let Some(own) = own else {
            return Some(Dependency::Reference(self.reference(other, strong, number)));
        };
        if own.expected_version == 0 {
            return self.stream_rows.get(&other).map(|(_, made)| Dependency::Inner(*made));
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
                self.depends(Dependency::Claim(first_claim + small(n) + 1));
            }
            for (taker, release) in &plan.handed_on {
                if first_event + small(*taker) == global {
                    self.depends(Dependency::Inner(first_event + small(*release)));
                }
            }
        }
    }

    /// Notes what the event does to its stream: its number in the batch, its lane, its number there.
    fn stream(
        &mut self,
        number: usize,
        write: &'a StreamWrite,
        event: &NewEvent,
        (global, lane, offset): (i32, i16, i32),
    ) {
        let begins = write.expected_version == 0;
        let next = self.batch.streams.len();
        let (row, made) = self.stream_rows.entry(write.stream_id).or_insert((next, global));
        if *row == next {
            self.batch.streams.push(StreamRow {
                stream: write.stream_id,
                kind: write.kind,
                lane,
                expected: write.expected_version,
                version: write.expected_version,
                first: global,
                last: global,
                made: begins.then_some(offset),
                closed: None,
                opened: false,
                request: number,
            });
        }
        let row = &mut self.batch.streams[*row];
        row.version += 1;
        row.last = global;
        match event.life {
            Life::Goes => {}
            Life::Opens => {
                *made = global;
                row.made = Some(offset);
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
        for (claim, event) in std::mem::take(&mut self.released) {
            let InnerRow { lane, lane_offset, .. } = self.inner(event);
            self.batch.claims[claim].released = Some((lane, lane_offset));
        }
        let references = small(self.batch.references.len());
        let claims = small(self.batch.claims.len());
        for (n, dependencies) in std::mem::take(&mut self.dependencies).into_iter().enumerate() {
            if dependencies.is_empty() {
                continue;
            }
            let mut numbers = Vec::with_capacity(dependencies.len());
            for dependency in dependencies {
                numbers.push(match dependency {
                    Dependency::Reference(row) => row,
                    Dependency::Claim(row) => references + row,
                    Dependency::Inner(event) => {
                        let inner = self.inner(event);
                        self.batch.inner.push(inner);
                        references + claims + small(self.batch.inner.len())
                    }
                });
            }
            self.batch.events[n].dependencies = Some(numbers);
        }
        for ((target, holder), hold) in self.holds {
            let (expires, taken) = (hold.flatten(), hold.is_some());
            self.batch.holds.push(HoldRow { target, holder, expires, taken });
        }
        self.batch.lanes =
            (0..LANES).zip(self.lane_events).filter(|(_, events)| *events > 0).collect();
        self.batch
    }

    /// The batch's event of this number, as others of the batch depend on it.
    fn inner(&self, event: i32) -> InnerRow {
        let row = &self.batch.events[usize::try_from(event - 1).unwrap_or(0)];
        InnerRow { event, lane: row.lane, lane_offset: row.lane_offset }
    }
}
