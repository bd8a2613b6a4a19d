//! The worker's turn in sharing the lanes: what it owns, and what it tells of them.

use std::time::Instant;

use super::kafka::Source;
use super::lanes::{Lane, Lanes, Standing};
use super::ownership::{self, Owned, Ownership, Turn};
use super::run::{PRUNE_EVERY, PRUNE_LATEST, PRUNE_SHARE, Trouble, Worker};
use crate::parked;

impl Worker {
    pub(super) async fn begin(&mut self) -> Result<(), Trouble> {
        let configured = self.configured();
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let mode = ownership::decide(configured, connection).await?;
        ownership::prepare(connection).await?;
        self.go_by(mode).await?;
        self.lanes = Lanes::default();
        self.balance().await
    }

    /// Renews the lease and takes in what changed hands; goes on in another way where the database
    /// says that lanes are given out so.
    pub(super) async fn balance(&mut self) -> Result<(), Trouble> {
        let Some(Owned { mode, lanes: owned, fresh }) = self.take_turn().await? else {
            return Ok(());
        };
        if mode != self.source.mode() {
            self.lanes = Lanes::default();
            self.go_by(mode).await?;
            self.balance_at = Instant::now();
            return Ok(());
        }
        self.balance_at = Instant::now() + self.options.renew;
        let by_kafka = mode == Ownership::Kafka;
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let same = |number: &i16, lane: &Lane| owned.get(number) == Some(&lane.epoch);
        self.lanes.own.retain(|number, lane| same(number, lane));
        let new: Vec<i16> =
            owned.keys().filter(|number| !self.lanes.own.contains_key(number)).copied().collect();
        if !new.is_empty() {
            // Other tables may be live now, which are not as far.
            self.posted.send_replace(0);
            // Checkpoints first, then the head: a lane posted up to its head has nothing unread below it.
            let checkpoints = ownership::checkpoints(connection).await?;
            let parked = parked::lanes(connection).await?;
            let head = self.log.head().await?;
            let alone = self.lanes.own.is_empty();
            for number in new {
                let posted = checkpoints.get(&number).copied().unwrap_or_default();
                let last = usize::try_from(number).ok().and_then(|at| head.lane_heads.get(at));
                let idle = last.is_none_or(|last| *last <= posted.lane_seq);
                // What was given just now Kafka will bring; of the others it has brought some, which
                // is gone.
                let reads = !idle && !fresh.contains(&number);
                let lane = Lane {
                    epoch: owned.get(&number).copied().unwrap_or_default(),
                    posted,
                    parked_row: parked.get(&number).map(|parked| parked.lane_seq),
                    behind: reads.then_some(posted.position),
                    fill_to: (reads && by_kafka).then_some(head.position),
                    ..Lane::default()
                };
                self.lanes.own.insert(number, lane);
            }
            if alone && !by_kafka {
                self.start_from(head.position);
            }
            tracing::info!(lanes = self.lanes.own.len(), "lanes owned");
        }
        if by_kafka {
            let head = self.log.head().await?;
            self.see_stalled(&head);
        }
        self.tell().await
    }

    /// Takes its turn in sharing the lanes.
    async fn take_turn(&mut self) -> Result<Option<Owned>, Trouble> {
        let Some(connection) = &mut self.connection else { return Ok(None) };
        let owned = match &mut self.source {
            Source::Log => ownership::balance(&self.options, Turn::Lease, connection).await?,
            Source::Kafka(group) => {
                let given = group.given();
                let turn = Turn::Kafka { assigned: &given.assigned, fresh: &given.fresh };
                let owned = ownership::balance(&self.options, turn, connection).await?;
                group.took(given);
                owned
            }
            Source::Nowhere { .. } => Owned::nothing(ownership::said(connection).await?),
        };
        self.say_why_idle();
        Ok(Some(owned))
    }

    /// Where all lanes are new, the one cursor starts where the first of them has something to read.
    fn start_from(&mut self, head: i64) {
        let first = self.lanes.own.values().filter_map(|lane| lane.behind).min();
        self.cursor = first.unwrap_or(head);
        for lane in self.lanes.own.values_mut() {
            lane.behind = None;
        }
    }

    /// What others should know and what others ask: retries of parked events, lanes that wait, lag.
    async fn tell(&mut self) -> Result<(), Trouble> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let own: Vec<i16> = self.lanes.own.keys().copied().collect();
        let parked = parked::lanes(connection).await?;
        for (number, lane) in &mut self.lanes.own {
            let row = parked.get(number);
            if lane.parked_at.is_some() && row.is_none_or(|row| row.retry) {
                lane.parked_at = None;
                lane.standing = Standing::Flows;
                lane.parked_row = row.map(|row| row.lane_seq);
            }
        }
        let standing: Vec<(i16, Standing)> =
            self.lanes.own.iter().map(|(number, lane)| (*number, lane.standing)).collect();
        if standing != self.told {
            parked::tell_waiting(&self.lanes, &own, connection).await?;
            self.told = standing;
        }
        let begun = Instant::now();
        if begun >= self.prune_at {
            ownership::prune(&own, connection).await?;
            let pause = (begun.elapsed() * PRUNE_SHARE).clamp(PRUNE_EVERY, PRUNE_LATEST);
            self.prune_at = Instant::now() + pause;
        }
        Ok(())
    }

    pub(super) async fn see_others(&mut self) -> Result<(), Trouble> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        self.lanes.others = ownership::checkpoints(connection).await?;
        Ok(())
    }
}
