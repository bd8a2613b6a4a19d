//! Lanes and events from Kafka.
//!
//! Kafka says which lanes are this worker's and brings their events; the checkpoints in PostgreSQL
//! say what is posted and whose a lane really is. What Kafka brings is held against the log before it
//! is taken in: the topic may have what a failover took from the log. What Kafka did not bring, for
//! whatever reason, is read from the log.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use chrono::{DateTime, Utc};
use daybook_store::kafka::{Arrived, Connection, LaneConsumer, Topics};
use daybook_store::{Head, Recorded};
use sqlx::PgConnection;
use uuid::Uuid;

use super::lanes::{Lanes, Standing};
use super::run::{Trouble, Worker};
use super::{Ownership, WorkerError};

/// How to come by lanes and events through Kafka.
#[derive(Debug, Clone)]
pub struct KafkaOptions {
    /// The brokers.
    pub connection: Connection,
    /// This worker's name in the group: the same after a restart, and nobody else's. `None`: a new
    /// member each time.
    pub instance: Option<String>,
}

/// Where a worker's lanes and events come from.
#[derive(Debug)]
pub(super) enum Source {
    /// A lease, and the log.
    Log,
    /// Kafka.
    Kafka(Group),
    /// Nowhere: this database gives out lanes through Kafka, of which this worker knows nothing.
    Nowhere {
        /// When that was said last.
        told_at: Option<Instant>,
    },
}

impl Source {
    pub(super) const fn mode(&self) -> Ownership {
        match self {
            Self::Log => Ownership::Lease,
            Self::Kafka(_) | Self::Nowhere { .. } => Ownership::Kafka,
        }
    }
}

/// This worker in Kafka's group.
#[derive(Debug)]
pub(super) struct Group {
    consumer: LaneConsumer,
    /// By which assignment each lane was taken.
    taken: BTreeMap<i16, u64>,
    /// When it was last said that the topic has what the log has not.
    foreign_told_at: Option<Instant>,
}

/// What the group gave this worker, as the database is asked for it.
#[derive(Debug, Default)]
pub(super) struct Given {
    assignments: BTreeMap<i16, u64>,
    pub(super) assigned: Vec<i16>,
    pub(super) fresh: Vec<i16>,
}

impl Group {
    pub(super) fn join(options: &KafkaOptions) -> Result<Self, WorkerError> {
        // Without a topic the group gives out no lanes, whether or not a relay runs yet.
        let connection = options.connection.clone();
        tokio::spawn(async move {
            let made = async { Topics::new(&connection)?.ensure_events().await };
            if let Err(error) = made.await {
                tracing::debug!(%error, "the topic of events is not made; the relay makes it too");
            }
        });
        let consumer = LaneConsumer::start(&options.connection, options.instance.as_deref())
            .map_err(|error| WorkerError::Kafka { reason: error.to_string() })?;
        Ok(Self { consumer, taken: BTreeMap::new(), foreign_told_at: None })
    }

    pub(super) async fn leave(self) {
        self.consumer.stop().await;
    }

    /// What is given to this worker, and what of it was given since the database was asked last.
    pub(super) fn given(&self) -> Given {
        let assignments = self.consumer.assigned();
        let is_fresh = |(lane, serial): &(&i16, &u64)| self.taken.get(lane) != Some(serial);
        Given {
            assigned: assignments.keys().copied().collect(),
            fresh: assignments.iter().filter(is_fresh).map(|(lane, _)| *lane).collect(),
            assignments,
        }
    }

    /// The database has been asked.
    pub(super) fn took(&mut self, given: Given) {
        self.taken = given.assignments;
    }

    pub(super) async fn changed(&self) {
        self.consumer.changed().await;
    }

    /// Whether lanes were given or taken since the database was asked.
    fn moved(&self) -> bool {
        self.consumer.assigned() != self.taken
    }

    /// Counts events that the log does not have, and says so now and then.
    fn tell_foreign(&mut self, arrived: &Arrived) {
        metrics::counter!("daybook_kafka_foreign_records_total").increment(1);
        if self.foreign_told_at.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            self.foreign_told_at = Some(Instant::now());
            let event = &arrived.event;
            tracing::error!(
                lane = event.lane,
                lane_seq = event.lane_seq,
                position = event.position,
                event = event.event_type,
                epoch = arrived.epoch,
                "{FOREIGN}"
            );
        }
    }

    fn tell(&self, lanes: &Lanes) {
        for (number, lane) in &lanes.own {
            self.consumer.reached(*number, lane.read_to().lane_seq, lane.posted.lane_seq);
        }
    }
}

impl Worker {
    /// Where lanes come from besides the lease: tells which of the two this worker is made for, on a
    /// database that has not said it yet; and it can do both.
    #[must_use]
    pub fn with_kafka(mut self, options: Option<KafkaOptions>) -> Self {
        self.kafka = options;
        self
    }

    pub(super) const fn configured(&self) -> Ownership {
        if self.kafka.is_some() { Ownership::Kafka } else { Ownership::Lease }
    }

    /// Goes on as the database says that lanes are given out.
    pub(super) async fn go_by(&mut self, mode: Ownership) -> Result<(), WorkerError> {
        let next = match (mode, &self.kafka, &self.source) {
            (Ownership::Lease, _, Source::Log)
            | (Ownership::Kafka, Some(_), Source::Kafka(_))
            | (Ownership::Kafka, None, Source::Nowhere { .. }) => return Ok(()),
            (Ownership::Lease, _, _) => Source::Log,
            (Ownership::Kafka, None, _) => Source::Nowhere { told_at: None },
            (Ownership::Kafka, Some(options), _) => Source::Kafka(Group::join(options)?),
        };
        tracing::info!(%mode, "lanes are given out in another way from here on");
        if let Source::Kafka(group) = std::mem::replace(&mut self.source, next) {
            group.leave().await;
        }
        Ok(())
    }

    /// Takes in what Kafka brought, as far as there is room; what the log does not have is passed over,
    /// and its lane read from the log. Gives the number of events.
    ///
    /// The log is asked on the connection that posts, where nothing is ever taken back: should the server
    /// be another one by the time of posting, this connection is gone, and what was taken in with it.
    pub(super) async fn take_brought(&mut self) -> Result<usize, Trouble> {
        let Source::Kafka(group) = &mut self.source else { return Ok(0) };
        let Some(connection) = &mut self.connection else { return Ok(0) };
        group.tell(&self.lanes);
        let limit = self.options.max_batch;
        let free = (limit * 2).saturating_sub(self.lanes.ready());
        let own = &self.lanes.own;
        let room = |number: i16| own.get(&number).map_or(0, |lane| lane.room(limit));
        let brought = group.consumer.take(free, room);
        let count = brought.len();
        let known = known_to_the_log(&brought, connection).await?;
        let head = *self.head.borrow();
        for arrived in brought {
            let Recorded { position, recorded_at, command_id, .. } = arrived.event;
            let is_ours = known.get(&position) == Some(&(recorded_at, command_id));
            if !is_ours {
                group.tell_foreign(&arrived);
            }
            let Arrived { event, epoch, redacted } = arrived;
            let whole = is_ours && !redacted && epoch == self.epoch;
            if let Some(lane) = self.lanes.own.get_mut(&event.lane) {
                lane.take_brought(event, whole, head);
            }
        }
        Ok(count)
    }

    /// Whether Kafka has given or taken lanes that the database was not asked for.
    pub(super) fn lanes_moved(&self) -> bool {
        match &self.source {
            Source::Kafka(group) => group.moved(),
            Source::Log | Source::Nowhere { .. } => false,
        }
    }

    /// Lanes of which the log has more, and Kafka has brought nothing for a while, read by
    /// themselves: their records may have expired, or nobody may be publishing.
    pub(super) fn see_stalled(&mut self, head: &Head) {
        let Source::Kafka(group) = &self.source else { return };
        self.epoch = head.epoch;
        for (number, lane) in &mut self.lanes.own {
            let last = usize::try_from(*number).ok().and_then(|at| head.lane_heads.get(at));
            let read = lane.read_to().lane_seq;
            let waits = lane.behind.is_none()
                && last.is_some_and(|last| read < *last)
                && lane.standing == Standing::Flows
                && !group.consumer.has_some_of(*number);
            lane.stalled = match lane.stalled {
                _ if !waits => None,
                Some((at, since)) if at == read => Some((at, since)),
                _ => Some((read, Instant::now())),
            };
            if lane.stalled.is_some_and(|(_, since)| since.elapsed() >= self.options.stalled) {
                lane.stalled = None;
                lane.fill(head.position);
                metrics::counter!("daybook_projector_filled_total").increment(1);
            }
        }
    }

    /// Says, now and then, why this worker does nothing.
    pub(super) fn say_why_idle(&mut self) {
        let Source::Nowhere { told_at } = &mut self.source else { return };
        if told_at.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            *told_at = Some(Instant::now());
            tracing::error!("{}", WHY_IDLE);
        }
    }
}

/// Which of these events the log has, by position. An event is known by where it is, when it was
/// recorded and by which command.
async fn known_to_the_log(
    brought: &[Arrived],
    connection: &mut PgConnection,
) -> Result<HashMap<i64, (DateTime<Utc>, Uuid)>, sqlx::Error> {
    let times = || brought.iter().map(|arrived| arrived.event.recorded_at);
    let Some((first, last)) = times().min().zip(times().max()) else { return Ok(HashMap::new()) };
    let positions: Vec<i64> = brought.iter().map(|arrived| arrived.event.position).collect();
    let rows: Vec<(i64, DateTime<Utc>, Uuid)> =
        sqlx::query_as(include_str!("../sql/in_the_log.sql"))
            .bind(positions)
            .bind(first)
            .bind(last)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|(position, at, command)| (position, (at, command))).collect())
}

/// What is said of an event that the topic has and the log has not.
const FOREIGN: &str = "the topic has an event that the log has not: it is not posted, and its lane is \
    read from the log. Where PostgreSQL was replaced by a standby that lacked the last moments, raise the \
    log's epoch (docs/operations.md), then `daybook reconcile` shows what was lost, and with --repair makes \
    the topic again";

/// How often a worker that cannot work says why.
const SAY_EVERY: std::time::Duration = std::time::Duration::from_secs(30);

/// Why a worker without Kafka does nothing where Kafka gives out the lanes.
pub const WHY_IDLE: &str = "this database gives out lanes through Kafka, and this process knows no \
    brokers: nothing is posted here. Set DAYBOOK_KAFKA_BROKERS, or go back with `daybook admin \
    ownership lease`";
