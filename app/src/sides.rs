//! The write side and the read side, put together for this process.

use std::sync::Arc;
use std::time::Duration;

use daybook_command::{CommandError, Engine};
use daybook_projector::worker::{Worker, WorkerOptions};
use daybook_projector::{Posted, http::Reads};
use daybook_store::{Appender, AppenderOptions, Follow, Log, Records};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::database::Pools;
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
    let options = WorkerOptions {
        max_batch: settings.projector_batch,
        ..WorkerOptions::new(world::fresh_id())
    };
    Worker::new(pools.projector.clone(), Log::new(pools.projector.clone()), follow.head(), options)
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
