//! Records of a Kafka topic.

use daybook_store::Recorded;
use daybook_store::kafka::{Connection, TopicCopy};

use super::sink::Sink;
use super::{Replay, ReplayError};

/// A topic that is written to.
pub(super) struct Topic {
    copy: TopicCopy,
    bytes: u64,
}

impl Topic {
    /// Opens the topic that a replay goes to.
    ///
    /// # Errors
    /// It is one of ours, or has records that are not of this replay; the brokers do not answer.
    pub(super) async fn begin(
        replay: &Replay,
        connection: &Connection,
        topic: &str,
    ) -> Result<Self, ReplayError> {
        let (events, rows) = (connection.naming.events(), connection.naming.rows(""));
        if topic == events || topic.starts_with(&rows) {
            return Err(ReplayError::InTheWay(format!(
                "{topic} is kept by Daybook itself: name another topic"
            )));
        }
        let copy = TopicCopy::begin(connection, topic, replay.epoch).await?;
        if replay.kept.is_none() && !copy.was_empty() {
            return Err(ReplayError::InTheWay(format!(
                "the topic {topic} has records already: name another, or delete it"
            )));
        }
        Ok(Self { copy, bytes: replay.kept.as_ref().map_or(0, |kept| kept.bytes) })
    }
}

impl Sink for Topic {
    fn take(&mut self, event: &Recorded, _: &[u8]) -> Result<(), ReplayError> {
        self.bytes += self.copy.take(event)?;
        Ok(())
    }

    fn rests(&self, next: Option<&Recorded>) -> bool {
        next.is_none()
    }

    fn settle(&mut self) -> Result<Option<u64>, ReplayError> {
        self.copy.settle()?;
        Ok(Some(self.bytes))
    }

    fn show(&mut self) -> Result<(), ReplayError> {
        Ok(self.copy.settle()?)
    }

    fn end(&mut self) -> Result<Option<u64>, ReplayError> {
        self.settle()
    }
}
