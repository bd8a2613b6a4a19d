//! The write side and the read side, put together for this process.

use std::sync::Arc;
use std::time::Duration;

use daybook_command::{CommandError, Engine};
use daybook_projector::row_topics::{RowOptions, RowTopicError, RowTopics};
use daybook_projector::worker::{KafkaOptions, Worker, WorkerOptions};
use daybook_projector::{Posted, http::Reads};
use daybook_store::kafka::{Connection, Relay, RelayOptions};
use daybook_store::{Appender, AppenderOptions, Follow, Log, Records};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::{ServiceRole, Settings};
use crate::database::Pools;
use crate::serve::Runtime;
use crate::world;

/// How many streams' states a process keeps.
const CACHED_STREAMS: usize = 20_000;
/// How often the log's head is asked for, where nobody in this process says that it moved.
const HEAD_POLL: Duration = Duration::from_millis(15);

/// The write side. Makes sure that the log has its first events.
///
/// # Errors
/// The log cannot be read or does not take them.
pub async fn write(pools: &Pools, settings: &Settings) -> Result<Arc<Engine>, CommandError> {
    let options = AppenderOptions {
        max_batch_events: settings.append_events,
        max_batch_requests: settings.append_requests,
        queue: settings.append_queue,
        max_clock_ahead: settings.max_clock_ahead.duration(),
        ..AppenderOptions::new(Arc::new(world::now))
    };
    let (appender, _task) = Appender::start(pools.writer.clone(), options);
    let log = Log::new(pools.writer.clone());
    let records = Records::start(pools.writer.clone());
    let engine = Engine::new(log, appender, world::world(), CACHED_STREAMS).with_records(records);
    engine.found().await?;
    Ok(Arc::new(engine))
}

/// The head of the log as this process knows it: asked for, and told by the appender here.
#[must_use]
pub fn follow(pools: &Pools, engine: Option<&Engine>) -> Follow {
    let follow = Log::new(pools.projector.clone()).follow(HEAD_POLL);
    if let Some(engine) = engine {
        let mut head = engine.appender().head();
        let follow = follow.clone();
        tokio::spawn(async move {
            while head.changed().await.is_ok() {
                let position = *head.borrow_and_update();
                follow.nudge(position);
            }
        });
    }
    follow
}

/// A worker that posts, and what it says of how far it is.
#[must_use]
pub fn worker(pools: &Pools, settings: &Settings, follow: &Follow) -> Worker {
    let host = host();
    let options = WorkerOptions {
        max_batch: settings.projector_batch,
        host: host.clone(),
        ..WorkerOptions::new(world::fresh_id())
    };
    let instance = || format!("{host}:{}", settings.listen.port());
    let kafka = settings.kafka().map(|connection| KafkaOptions {
        connection,
        instance: Some(settings.kafka_instance.clone().unwrap_or_else(instance)),
    });
    let log = Log::new(pools.projector.clone());
    Worker::new(pools.projector.clone(), log, follow.head(), options).with_kafka(kafka)
}

/// What publishes rows, where this process has the role relay and tables are named.
///
/// # Errors
/// A table that there is not.
pub fn rows(runtime: &Runtime, follow: &Follow) -> Result<Option<RowTopics>, RowTopicError> {
    let settings = &runtime.settings;
    let Some(connection) = settings.kafka().filter(|_| settings.roles.has(ServiceRole::Relay))
    else {
        return Ok(None);
    };
    let tables = settings.kafka_row_topics.0.clone();
    if tables.is_empty() {
        return Ok(None);
    }
    let options = RowOptions { id: world::fresh_id(), connection, tables };
    RowTopics::new(runtime.pools.projector.clone(), follow.head(), options).map(Some)
}

/// This machine's name.
#[must_use]
pub fn host() -> String {
    nix::unistd::gethostname()
        .map_or_else(|_| "localhost".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The relay, which publishes the log to Kafka or stands by.
#[must_use]
pub fn relay(pools: &Pools, kafka: Connection, follow: &Follow) -> Relay {
    let options = RelayOptions::new(world::fresh_id(), host());
    Relay::new(Log::new(pools.projector.clone()), kafka, follow.head(), options)
}

/// The read side.
#[must_use]
pub fn read(
    pools: &Pools,
    follow: Follow,
    posted: Option<watch::Receiver<i64>>,
    cancel: CancellationToken,
) -> Arc<Reads> {
    let mut knows = Posted::new(pools.projector.clone());
    if let Some(posted) = posted {
        knows = knows.with_worker(posted);
    }
    Arc::new(Reads::new(pools.reader.clone(), pools.projector.clone(), knows, follow, cancel))
}
