//! The task: gather, compose, let the batches leave.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, watch};

use super::AppenderOptions;
use super::compose::{Gathered, Waiting, compose};
use super::line::Line;
use super::outstanding::Outstanding;

/// The longest that a batch waits for more requests.
const LONGEST_LINGER: Duration = Duration::from_micros(250);

/// How many batches are under way at a time: one at the log, one before its lock.
const LINES: usize = 2;

/// With fewer events about, all of them share one batch: another one costs another wait for the
/// disk, which is more than what is won while the first is under way.
const ENOUGH_FOR_TWO: usize = 128;

/// How many of those that wait are looked at, to see whether a second batch is worth its while.
const LOOKED_AT: usize = 512;

pub(super) struct Task {
    options: Arc<AppenderOptions>,
    queue: VecDeque<Waiting>,
    /// Lines that carry nothing; what was used last is used next.
    idle: Vec<Line>,
    /// Batches that have left and are not answered.
    under_way: FuturesUnordered<BoxFuture<'static, Returned>>,
    /// What the batches under way touch, each by its number.
    carried: Vec<(u64, Gathered)>,
    /// The number of the last batch.
    number: u64,
    /// How many events of those that wait may leave while something is under way: they share nothing
    /// with it, nor with what has to wait for it and came before them.
    apart: usize,
    /// What those touch that have to wait for what is under way.
    blocked: Gathered,
    outstanding: Outstanding,
    /// How many events are known to be about: those that waited for an answer when the last batch
    /// was committed.
    about: Arc<AtomicUsize>,
    /// Whether the last batch was mostly a chain, which has to stay one.
    chained: bool,
    /// How long the next may wait for as many as are about.
    linger: Duration,
}

/// A line that has answered its batch.
struct Returned {
    line: Line,
    number: u64,
    took: Duration,
}

impl Task {
    pub(super) fn new(
        connect: &PgConnectOptions,
        mut options: AppenderOptions,
        head: &watch::Sender<i64>,
        outstanding: Outstanding,
    ) -> Self {
        // Of a batch that may have nothing nobody would ever hear.
        options.max_batch_requests = options.max_batch_requests.max(1);
        let options = Arc::new(options);
        let line = |_| Line::new(connect, Arc::clone(&options), head.clone());
        Self {
            idle: (0..LINES).map(line).collect(),
            options,
            queue: VecDeque::new(),
            under_way: FuturesUnordered::new(),
            carried: Vec::new(),
            number: 0,
            apart: 0,
            blocked: Gathered::default(),
            outstanding,
            about: Arc::new(AtomicUsize::new(1)),
            chained: false,
            linger: Duration::ZERO,
        }
    }

    /// Works until every sender is gone and the queue is empty.
    pub(super) async fn run(mut self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut open = true;
        loop {
            self.take_in(&mut waiting);
            if self.under_way.is_empty() && !self.queue.is_empty() {
                self.gather(&mut waiting).await;
                self.leave();
            } else if self.second_is_worth_it() {
                self.leave();
            } else {
                let room = self.has_room();
                tokio::select! {
                    biased;
                    Some(returned) = self.under_way.next() => self.returned(returned),
                    next = waiting.recv(), if open && room => match next {
                        Some(next) => {
                            self.took(next);
                        }
                        None => open = false,
                    },
                    else => break,
                }
            }
        }
        for line in self.idle {
            line.close().await;
        }
    }

    fn has_room(&self) -> bool {
        self.queue.len() < self.options.queue.max(1)
    }

    /// Takes in what waits; gives how many events that is.
    fn take_in(&mut self, waiting: &mut mpsc::Receiver<Waiting>) -> usize {
        let mut events = 0;
        while self.has_room()
            && let Ok(next) = waiting.try_recv()
        {
            events += self.took(next);
        }
        events
    }

    fn took(&mut self, next: Waiting) -> usize {
        let events = next.counted.number();
        if self.queue.len() < LOOKED_AT {
            count(&next, &self.carried, &mut self.blocked, &mut self.apart);
        }
        self.queue.push_back(next);
        events
    }

    /// How many events the next batch should have: all that are about, or half of them where the
    /// other half can be under way meanwhile.
    fn target(&self) -> usize {
        let about = self.about.load(Ordering::Relaxed).min(self.options.max_batch_events);
        let share =
            if self.chained || about < ENOUGH_FOR_TWO { about } else { about.div_ceil(LINES) };
        // So many requests are a full batch, which has nothing to wait for.
        share.min(self.options.max_batch_requests)
    }

    /// Whether so much waits that has nothing to do with the batch under way that it need not wait
    /// for it.
    fn second_is_worth_it(&self) -> bool {
        !self.idle.is_empty() && self.apart >= self.target().max(ENOUGH_FOR_TWO / LINES)
    }

    /// Takes in what waits. Who was answered together comes back together, a moment later than the
    /// first of them: a batch that left at once would leave the others for the one after it, and
    /// costs as much for few as for all. So it lingers until as many are here as it should take,
    /// but never long in proportion to what a call takes.
    ///
    /// It looks again and again, since no timer is that fine, and gives way each time: to the other
    /// tasks of this thread, and to the other threads. One of those may have been put behind this one
    /// on the same processor, with the very client in hand that is waited for.
    async fn gather(&mut self, waiting: &mut mpsc::Receiver<Waiting>) {
        let until = Instant::now() + self.linger;
        let target = self.target();
        let mut events: usize = self.queue.iter().map(|next| next.counted.number()).sum();
        while events < target && Instant::now() < until {
            std::thread::yield_now();
            tokio::task::yield_now().await;
            events += self.take_in(waiting);
        }
    }

    /// Sends the next batch on its way, if one can go.
    fn leave(&mut self) {
        let Some(mut line) = self.idle.pop() else { return };
        let (requests, events) = (self.options.max_batch_requests, self.options.max_batch_events);
        let carried: Vec<&Gathered> = self.carried.iter().map(|(_, batch)| batch).collect();
        let (batch, gathered) = compose(&mut self.queue, &carried, requests, events);
        if batch.is_empty() {
            // Whatever was counted, nothing can go: only an answer or a new request changes that.
            self.idle.push(line);
            self.apart = 0;
            return;
        }
        self.number += 1;
        let number = self.number;
        self.chained = gathered.folded() * 2 > batch.len();
        self.carried.push((number, gathered));
        let (outstanding, about) = (self.outstanding.clone(), Arc::clone(&self.about));
        let commit = async move {
            let begun = Instant::now();
            let count = || about.store(outstanding.number(), Ordering::Relaxed);
            line.commit(batch, count).await;
            Returned { line, number, took: begun.elapsed() }
        };
        self.under_way.push(Box::pin(commit));
        self.count_apart();
    }

    fn returned(&mut self, returned: Returned) {
        self.carried.retain(|(number, _)| *number != returned.number);
        self.linger = (returned.took / 4).min(LONGEST_LINGER);
        self.idle.push(returned.line);
        self.count_apart();
    }

    fn count_apart(&mut self) {
        self.apart = 0;
        self.blocked = Gathered::default();
        for next in self.queue.iter().take(LOOKED_AT) {
            count(next, &self.carried, &mut self.blocked, &mut self.apart);
        }
    }
}

/// Counts the events of `next` among those that are `apart`, or what it touches among what is
/// `blocked`: as composing a batch beside those `carried` would take it along or pass it over.
fn count(next: &Waiting, carried: &[(u64, Gathered)], blocked: &mut Gathered, apart: &mut usize) {
    if carried.is_empty() {
        return;
    }
    let apart_from = |batch: &Gathered| batch.is_apart_from(&next.prepared);
    if carried.iter().all(|(_, batch)| apart_from(batch)) && apart_from(blocked) {
        *apart += next.counted.number();
    } else {
        blocked.add(&next.prepared);
    }
}
