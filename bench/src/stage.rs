//! What our side of a measurement stands on: a database of its own, as `daybook serve` has it.

use std::sync::Arc;

use daybook_app::config::Settings;
use daybook_app::database::Pools;
use daybook_app::{sides, upkeep};
use daybook_command::Engine;
use daybook_command::founding::NewUser;
use daybook_projector::{Posted, Worker};
use daybook_store::Follow;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Trouble;
use crate::server::Database;

/// A log with its write side, and a user who owns what is written.
pub(crate) struct Stage {
    pub(crate) database: Database,
    pub(crate) settings: Settings,
    pub(crate) pools: Pools,
    pub(crate) engine: Arc<Engine>,
}

/// A worker under way in this process.
pub(crate) struct Running {
    cancel: CancellationToken,
    task: JoinHandle<Result<(), Trouble>>,
}

impl Stage {
    /// On a migrated database: the same parts with the same settings as `daybook serve`.
    pub(crate) async fn on(database: Database) -> Result<Self, Trouble> {
        Self::with(database, Settings::default()).await
    }

    /// The same with other settings.
    pub(crate) async fn with(database: Database, settings: Settings) -> Result<Self, Trouble> {
        let pools = database.pools(&settings).await?;
        upkeep::once(&pools.maintenance).await?;
        let engine = sides::write(&pools, &settings).await?;
        Ok(Self { database, settings, pools, engine })
    }

    /// Registers a user with the ordinary command.
    pub(crate) async fn user(&self, name: &str) -> Result<Uuid, Trouble> {
        let user = NewUser {
            username: name.to_owned(),
            email: format!("{name}@example.com"),
            full_name: name.to_owned(),
            role: "manager".to_owned(),
            password: None,
        };
        Ok(self.engine.register(&user).await?.appended.stream_id)
    }

    /// Starts a worker, told of the log's head as in a process with all roles.
    pub(crate) fn work(&self) -> Running {
        let follow = sides::follow(&self.pools, Some(&self.engine));
        let worker = sides::worker(&self.pools, &self.settings, &follow);
        Running::start(worker, follow)
    }

    /// The same under a name of its own in Kafka's group.
    pub(crate) fn work_as(&self, instance: &str) -> Running {
        let settings =
            Settings { kafka_instance: Some(instance.to_owned()), ..self.settings.clone() };
        let follow = sides::follow(&self.pools, Some(&self.engine));
        let worker = sides::worker(&self.pools, &settings, &follow);
        Running::start(worker, follow)
    }

    /// Waits until everything that is in the log now is posted.
    pub(crate) async fn caught_up(&self) -> Result<i64, Trouble> {
        let head = self.engine.log().head().await?.position;
        let posted = Posted::new(self.pools.projector.clone());
        posted.wait_for(head, std::time::Duration::from_secs(1800)).await?;
        Ok(head)
    }

    /// Gives the connections back.
    pub(crate) async fn close(self) -> Database {
        drop(self.engine);
        self.pools.close().await;
        self.database
    }
}

impl Running {
    fn start(worker: Worker, follow: Follow) -> Self {
        let cancel = CancellationToken::new();
        let token = cancel.clone();
        let task = tokio::spawn(async move {
            let ended = worker.run(token).await;
            drop(follow);
            ended.map_err(Trouble::from)
        });
        Self { cancel, task }
    }

    /// Lets it finish what is under way.
    pub(crate) async fn stop(self) -> Result<(), Trouble> {
        self.cancel.cancel();
        self.task.await?
    }
}
