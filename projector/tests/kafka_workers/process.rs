//! A worker in a process of its own, to be killed and stopped.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use daybook_projector::worker::KafkaOptions;
use daybook_projector::{Worker, WorkerOptions};
use daybook_store::Log;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::bus::{Bus, connection};
use crate::support::World;

const URL: &str = "DAYBOOK_TEST_WORKER_URL";
const BROKERS: &str = "DAYBOOK_TEST_WORKER_BROKERS";
const PREFIX: &str = "DAYBOOK_TEST_WORKER_PREFIX";
const INSTANCE: &str = "DAYBOOK_TEST_WORKER_INSTANCE";

/// Killed when it is dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(world: &World, bus: &Bus, instance: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["process::is_a_worker_when_asked_to_be", "--exact", "--nocapture"])
            .env(URL, world.database.service_url())
            .env(BROKERS, &bus.connection.brokers)
            .env(PREFIX, &bus.connection.naming.prefix)
            .env(INSTANCE, instance)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What [`Process`] runs; without its variable there is nothing to be.
#[tokio::test(flavor = "multi_thread")]
async fn is_a_worker_when_asked_to_be() {
    let Ok(url) = std::env::var(URL) else { return };
    let text = |name: &str| std::env::var(name).unwrap();
    let options: PgConnectOptions = url.parse().unwrap();
    let options = options.options([("role", "daybook_projector")]);
    let pool = PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
    let log = Log::new(pool.clone());
    let head = log.follow(Duration::from_millis(5));
    let kafka = KafkaOptions {
        connection: connection(&text(BROKERS), &text(PREFIX)),
        instance: Some(text(INSTANCE)),
    };
    let options = WorkerOptions::new(Uuid::now_v7());
    let worker = Worker::new(pool, log, head.head(), options).with_kafka(Some(kafka));
    worker.run(CancellationToken::new()).await.unwrap();
}
