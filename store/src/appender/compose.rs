//! Which waiting requests go together: those that may be checked against the same past.
//!
//! Two requests share a batch only if neither writes, opens or closes a stream that the other
//! guards or refers to, and they share no command id and no business key. Requests to one stream,
//! each decided on what the one before leaves, share one as a chain. Requests to one stream
//! never overtake each other: what touches a batch that is under way waits for its answers, since
//! of two batches either may be the first to have its turn.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

use tokio::sync::oneshot;
use uuid::Uuid;

use super::outstanding::Counted;
use super::prepared::{Prepared, Touch};
use crate::error::AppendError;
use crate::request::{Appended, Chain, ClaimKey};

/// How many requests may be passed over while a batch is composed.
const MAX_PASSED_OVER: usize = 512;

/// A request and who waits for its answer.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) prepared: Prepared,
    pub(super) answer: oneshot::Sender<Result<Appended, AppendError>>,
    /// That it waits.
    pub(super) counted: Counted,
}

impl Waiting {
    /// Answers. Whoever no longer listens learns it by sending the same id again.
    pub(super) fn answer(self, answer: Result<Appended, AppendError>) {
        drop(self.counted);
        drop(self.answer.send(answer));
    }
}

/// What the requests gathered so far touch.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    streams: HashMap<Uuid, (Touch, i64)>,
    commands: HashSet<(Uuid, Uuid)>,
    claims: HashSet<ClaimKey>,
    /// The marks of the chains that they are links of.
    chains: HashSet<usize>,
    /// How many of them go on where another one of them leaves a stream.
    folded: usize,
}

impl Gathered {
    /// How many of them go on where another one of them leaves a stream.
    pub(super) fn folded(&self) -> usize {
        self.folded
    }

    /// Whether `next` may have its turn before these, or after them, or between them.
    pub(super) fn is_apart_from(&self, next: &Prepared) -> bool {
        let chains = &next.request.chains;
        self.admits(next, false) && !chains.iter().any(|chain| self.chains.contains(&chain.mark()))
    }

    /// Whether `next` may join; `folding`: it may go on where a gathered one leaves a stream.
    fn admits(&self, next: &Prepared, folding: bool) -> bool {
        let command = next.request.command;
        if self.commands.contains(&(command.scope, command.id))
            || next.claims.iter().any(|(key, _)| self.claims.contains(key))
        {
            return false;
        }
        next.touches.iter().all(|(stream, touch)| match self.streams.get(stream) {
            None => true,
            Some((gathered, version)) => {
                let chained = !(gathered.writes && touch.writes)
                    || (folding && expected(next, *stream) == Some(*version));
                chained && !gathered.conflicts(*touch)
            }
        })
    }

    pub(super) fn add(&mut self, next: &Prepared) {
        let command = next.request.command;
        self.commands.insert((command.scope, command.id));
        self.claims.extend(next.claims.iter().map(|(key, _)| key.clone()));
        self.chains.extend(next.request.chains.iter().map(Chain::mark));
        for (stream, touch) in &next.touches {
            let leaves = if touch.writes { leaves(next, *stream) } else { None };
            match self.streams.entry(*stream) {
                Entry::Vacant(entry) => {
                    entry.insert((*touch, leaves.unwrap_or(0)));
                }
                Entry::Occupied(mut entry) => {
                    let (gathered, version) = entry.get_mut();
                    self.folded += usize::from(gathered.writes && touch.writes);
                    *gathered = gathered.and(*touch);
                    *version = leaves.unwrap_or(*version);
                }
            }
        }
    }
}

fn expected(request: &Prepared, stream: Uuid) -> Option<i64> {
    Some(request.write_to(stream)?.expected_version)
}

fn leaves(request: &Prepared, stream: Uuid) -> Option<i64> {
    let write = request.write_to(stream)?;
    i64::try_from(write.events.len()).ok().map(|events| write.expected_version + events)
}

/// Takes the next batch out of the queue, oldest first, apart from what is `under_way`; and what
/// it touches. Requests whose chain is broken are answered here. With nothing under way the first
/// request always goes, however large it is.
pub(super) fn compose(
    queue: &mut VecDeque<Waiting>,
    under_way: &[&Gathered],
    max_requests: usize,
    max_events: usize,
) -> (Vec<Waiting>, Gathered) {
    let mut batch: Vec<Waiting> = Vec::with_capacity(queue.len().min(max_requests));
    let mut gathered = Gathered::default();
    let mut passed_over = VecDeque::new();
    let mut passed = Gathered::default();
    let mut events = 0;
    while let Some(next) = queue.pop_front() {
        if next.prepared.is_broken() {
            next.prepared.break_chains();
            next.answer(Err(AppendError::Moved));
            continue;
        }
        let fits = batch.is_empty() || events + next.prepared.events <= max_events;
        if !fits || batch.len() >= max_requests {
            queue.push_front(next);
            break;
        }
        if under_way.iter().all(|batch| batch.is_apart_from(&next.prepared))
            && passed.is_apart_from(&next.prepared)
            && gathered.admits(&next.prepared, true)
        {
            gathered.add(&next.prepared);
            events += next.prepared.events;
            batch.push(next);
        } else {
            passed.add(&next.prepared);
            passed_over.push_back(next);
            if passed_over.len() >= MAX_PASSED_OVER {
                break;
            }
        }
    }
    while let Some(waiting) = passed_over.pop_back() {
        queue.push_front(waiting);
    }
    (batch, gathered)
}
