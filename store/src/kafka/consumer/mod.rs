//! Lanes as Kafka's consumer group gives them out, and the events that come with them.
//!
//! One thread polls, always: a lane that nobody takes events from is paused at the broker while the
//! others flow. What comes is by lane in the order of the topic; whether it is a duplicate, the next
//! one or beyond a hole is for the taker to say, who knows how far its lane is posted. Offsets are
//! committed after posting, as a courtesy to whoever starts later: nothing rests on them.

mod group;
mod inbox;
mod thread;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::error::KafkaError;

use self::inbox::Shared;
use super::connection::Connection;
use super::record::Arrived;

/// How long the group may take to be left, when the process stops.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// A member of the projector's consumer group.
#[derive(Debug)]
pub struct LaneConsumer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl LaneConsumer {
    /// Joins the group. `instance` names this member for good: it may be away for as long as a
    /// session lasts, and has its lanes when it is back.
    ///
    /// # Errors
    /// When the settings cannot be used, such as a certificate that is not there. That the brokers
    /// do not answer is no error: they are waited for.
    pub fn start(connection: &Connection, instance: Option<&str>) -> Result<Self, KafkaError> {
        let config = group::config(connection, instance);
        let topic = connection.naming.events();
        let shared = Arc::new(Shared::new(topic));
        let first = group::member(&config, &shared)?;
        let sharing = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("kafka-consumer".to_owned())
            .spawn(move || thread::run(first, &config, &sharing))
            .map_err(|error| KafkaError::ClientCreation(error.to_string()))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The lanes that are this member's, each with a number that is another one each time that the
    /// lane is given.
    #[must_use]
    pub fn assigned(&self) -> BTreeMap<i16, u64> {
        self.shared.assigned()
    }

    /// The next events, lowest positions first, at most `limit`; of each lane at most as many as
    /// `room` says.
    #[must_use]
    pub fn take(&self, limit: usize, room: impl Fn(i16) -> usize) -> Vec<Arrived> {
        self.shared.take(limit, room)
    }

    /// Whether events of a lane are here that were not taken.
    #[must_use]
    pub fn has_some_of(&self, lane: i16) -> bool {
        self.shared.has_some_of(lane)
    }

    /// Says up to where a lane is known, so that older records need not be looked at, and up to
    /// where it is posted, so that nobody has to read that again.
    pub fn reached(&self, lane: i16, known: i64, posted: i64) {
        self.shared.reached(lane, known, posted);
    }

    /// Waits until something came, or lanes were given or taken.
    pub async fn changed(&self) {
        self.shared.changed().await;
    }

    /// Leaves the group. A member with a name keeps its lanes until its session ends.
    pub async fn stop(mut self) {
        self.shared.stop();
        if let Some(thread) = self.thread.take() {
            let leaving = tokio::task::spawn_blocking(move || thread.join());
            if tokio::time::timeout(LEAVE_WITHIN, leaving).await.is_err() {
                tracing::warn!("the brokers did not let us leave the group in time");
            }
        }
    }
}

impl Drop for LaneConsumer {
    fn drop(&mut self) {
        self.shared.stop();
    }
}
