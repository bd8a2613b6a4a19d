//! A request as the appender sees it: checked, and its effects folded, before it waits.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::json;
use crate::error::AppendError;
use crate::request::{AppendRequest, ClaimKey, HoldTaken, Life, StreamWrite};

/// Up to how many streams a request looks its own up by going through them: most write one or two,
/// and few ten thousand.
const FEW: usize = 16;

/// A request that may wait in the queue.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) request: AppendRequest,
    /// Where each written stream stands, in a request that writes more than a few.
    places: Option<HashMap<Uuid, usize>>,
    /// Every stream that the request touches, and how; a stream stands here once.
    pub(super) touches: Vec<(Uuid, Touch)>,
    /// Every business key that it takes or gives back.
    pub(super) claims: Vec<(ClaimKey, ClaimPlan)>,
    /// Holds as they are after the request: taken (with their end), or ended.
    pub(super) holds: Vec<((Uuid, Uuid), Option<HoldTaken>)>,
    /// How many events it has.
    pub(super) events: usize,
}

/// How a request touches a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Touch {
    /// Appends to it.
    pub(super) writes: bool,
    /// Begins it.
    pub(super) creates: bool,
    /// Opens, closes or reopens it.
    pub(super) life: bool,
    /// Read it.
    pub(super) guards: bool,
    /// Refers to it, holds it or lets go of it.
    pub(super) refers: bool,
    /// Needs it to exist, open or not: the actor's.
    pub(super) needs: bool,
}

impl Touch {
    /// Both touches together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            writes: self.writes || other.writes,
            creates: self.creates || other.creates,
            life: self.life || other.life,
            guards: self.guards || other.guards,
            refers: self.refers || other.refers,
            needs: self.needs || other.needs,
        }
    }

    /// Whether two requests that touch a stream like this may not be checked against the same
    /// past. Two writes are left to the caller: a chain of them is fine.
    pub(super) fn conflicts(self, other: Self) -> bool {
        let one_way = |a: Self, b: Self| {
            (a.writes && b.guards) || (a.life && b.refers) || (a.creates && b.needs)
        };
        one_way(self, other) || one_way(other, self)
    }
}

/// What a request does to a business key. Events are numbered within the request, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClaimPlan {
    /// The only stream that may have the key before.
    pub(super) asker: Uuid,
    /// The stream that has it afterwards.
    pub(super) holder: Option<Uuid>,
    /// The event that takes it from the log's past.
    pub(super) taken_by: Option<usize>,
    /// The event that released it last.
    pub(super) released_by: Option<usize>,
    /// Taken again within the request: the event that takes, and the release it follows.
    pub(super) handed_on: Vec<(usize, usize)>,
}

impl Prepared {
    /// Checks what can be checked without the log, and folds the effects.
    pub(super) fn new(request: AppendRequest) -> Result<Self, AppendError> {
        let places = places(&request);
        check(&request, places.as_ref())?;
        let claims = fold_claims(&request)?;
        let holds = fold_holds(&request)?;
        let touches = touches(&request);
        let events = request.writes.iter().map(|write| write.events.len()).sum();
        Ok(Self { request, places, touches, claims, holds, events })
    }

    /// What it writes to a stream.
    pub(super) fn write_to(&self, stream: Uuid) -> Option<&StreamWrite> {
        let place = place_of(&self.request, self.places.as_ref(), stream)?;
        self.request.writes.get(place)
    }

    /// Whether a state that it was decided on never became durable.
    pub(super) fn is_broken(&self) -> bool {
        self.request.chains.iter().any(crate::request::Chain::is_broken)
    }

    /// Tells whoever decided on this request's outcome to decide again.
    pub(super) fn break_chains(&self) {
        for chain in &self.request.chains {
            chain.break_it();
        }
    }
}

/// The last place of each stream, where there are more than a few.
fn places(request: &AppendRequest) -> Option<HashMap<Uuid, usize>> {
    let writes = &request.writes;
    let place = |(n, write): (usize, &StreamWrite)| (write.stream_id, n);
    (writes.len() > FEW).then(|| writes.iter().enumerate().map(place).collect())
}

/// The last place of a stream.
fn place_of(
    request: &AppendRequest,
    places: Option<&HashMap<Uuid, usize>>,
    stream: Uuid,
) -> Option<usize> {
    match places {
        Some(places) => places.get(&stream).copied(),
        None => request.writes.iter().rposition(|write| write.stream_id == stream),
    }
}

fn check(
    request: &AppendRequest,
    places: Option<&HashMap<Uuid, usize>>,
) -> Result<(), AppendError> {
    let refuse = |reason: &str| Err(AppendError::Data(reason.to_owned()));
    for (n, write) in request.writes.iter().enumerate() {
        if place_of(request, places, write.stream_id) != Some(n) {
            return refuse("a stream stands twice in one request");
        }
        if write.expected_version < 0 {
            return refuse("a version below 0 was expected");
        }
        let later = |stream: &Uuid| {
            place_of(request, places, *stream)
                .is_some_and(|place| place > n && request.writes[place].expected_version == 0)
        };
        for event in &write.events {
            if event.references.iter().any(later) {
                return refuse("an event refers to a stream that only begins after it");
            }
            json::check(&event.data).map_err(|reason| AppendError::Data(reason.to_owned()))?;
            if event.claims.iter().chain(&event.releases).any(|claim| claim.key.contains('\0')) {
                return refuse("a business key contains the character U+0000");
            }
        }
    }
    let metadata = &request.metadata;
    if [&metadata.user_agent, &metadata.traceparent]
        .into_iter()
        .flatten()
        .any(|text| text.contains('\0'))
    {
        return refuse("the metadata contains the character U+0000");
    }
    Ok(())
}

fn fold_claims(request: &AppendRequest) -> Result<Vec<(ClaimKey, ClaimPlan)>, AppendError> {
    let mut plans: BTreeMap<ClaimKey, ClaimPlan> = BTreeMap::new();
    let streams = request
        .writes
        .iter()
        .flat_map(|write| write.events.iter().map(move |event| (write.stream_id, event)));
    for (n, (stream, event)) in streams.enumerate() {
        for key in &event.releases {
            let plan = plans.entry(key.clone()).or_insert_with(|| ClaimPlan::new(stream));
            if plan.holder.is_none_or(|holder| holder == stream) {
                plan.holder = None;
                plan.released_by = Some(n);
            }
        }
        for key in &event.claims {
            let Some(plan) = plans.get_mut(key) else {
                let mut plan = ClaimPlan::new(stream);
                plan.taken_by = Some(n);
                plans.insert(key.clone(), plan);
                continue;
            };
            match (plan.holder, plan.released_by) {
                (Some(holder), _) if holder != stream => {
                    return Err(AppendError::Claimed {
                        scope: key.scope.to_owned(),
                        key: key.key.clone(),
                        holder,
                    });
                }
                (None, Some(release)) => plan.handed_on.push((n, release)),
                (Some(_) | None, _) => {}
            }
            plan.holder = Some(stream);
        }
    }
    Ok(plans.into_iter().collect())
}

impl ClaimPlan {
    fn new(asker: Uuid) -> Self {
        Self {
            asker,
            holder: Some(asker),
            taken_by: None,
            released_by: None,
            handed_on: Vec::new(),
        }
    }
}

type Holds = Vec<((Uuid, Uuid), Option<HoldTaken>)>;

fn fold_holds(request: &AppendRequest) -> Result<Holds, AppendError> {
    let mut holds = BTreeMap::new();
    for write in &request.writes {
        for event in &write.events {
            for target in &event.unholds {
                holds.insert((*target, write.stream_id), None);
            }
            for hold in &event.holds {
                holds.insert((hold.target, write.stream_id), Some(hold.clone()));
            }
        }
    }
    let closes =
        |event: &crate::request::NewEvent| matches!(event.life, Life::Closes | Life::Removes);
    for write in request.writes.iter().filter(|write| write.events.iter().any(closes)) {
        let stream = write.stream_id;
        let holders: Vec<Uuid> = holds
            .range((stream, Uuid::nil())..=(stream, Uuid::max()))
            .filter(|(_, hold)| hold.is_some())
            .map(|((_, holder), _)| *holder)
            .take(10)
            .collect();
        if !holders.is_empty() {
            return Err(AppendError::Held { stream, holders });
        }
    }
    Ok(holds.into_iter().collect())
}

fn touches(request: &AppendRequest) -> Vec<(Uuid, Touch)> {
    let mut touches: Vec<(Uuid, Touch)> = Vec::with_capacity(request.writes.len() + 1);
    let mut places = (request.writes.len() > FEW).then(HashMap::new);
    let mut touch = |stream: Uuid, how: Touch| {
        let next = touches.len();
        let place = match &mut places {
            Some(places) => *places.entry(stream).or_insert(next),
            None => touches.iter().position(|(other, _)| *other == stream).unwrap_or(next),
        };
        match touches.get_mut(place) {
            Some((_, all)) => *all = all.and(how),
            None => touches.push((stream, how)),
        }
    };
    let none = Touch::default();
    for write in &request.writes {
        if write.events.is_empty() {
            touch(write.stream_id, Touch { guards: true, ..none });
            continue;
        }
        let creates = write.expected_version == 0;
        let life = creates || write.events.iter().any(|event| event.life != Life::Goes);
        touch(write.stream_id, Touch { writes: true, creates, life, ..none });
        for event in &write.events {
            let held = event.holds.iter().map(|hold| &hold.target);
            for other in event.references.iter().chain(held).chain(&event.unholds) {
                touch(*other, Touch { refers: true, ..none });
            }
        }
    }
    for guard in &request.guards {
        touch(guard.stream_id, Touch { guards: true, ..none });
    }
    touch(request.metadata.actor_id, Touch { needs: true, ..none });
    touches
}
