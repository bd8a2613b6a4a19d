//! What a tool of the command line works with: the database, the write side,
//! and a worker of its own where nobody else posts.

use std::sync::Arc;
use std::time::Duration;

use daybook_command::Engine;
use daybook_projector::{Posted, WorkerError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::database::Pools;
use crate::dev::{Database, Preparation, ensure_database};
use crate::{sides, upkeep};

/// Why a tool cannot work.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// How long a running projector may stand still before a tool stops waiting for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a tool that is done waits for what is to be written down beside the log.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);

/// The database and the write side, for as long as a tool runs.
pub struct Workbench {
    /// One pool a role.
    pub pools: Pools,
    /// The write side.
    pub engine: Arc<Engine>,
    database: Database,
    worker: Option<(JoinHandle<Result<(), WorkerError>>, CancellationToken)>,
}

impl Workbench {
    /// Opens the database that the settings name, or the private one. Where no
    /// projector is alive, one works here until [`Workbench::close`].
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn open(settings: &Settings) -> Result<Self, Trouble> {
        let database = ensure_database(settings, Preparation::MigratePrivate).await?;
        let pools = database.pools(settings).await?;
        upkeep::log(&upkeep::once(&pools.maintenance).await?);
        let engine = sides::write(&pools, settings).await?;
        let worker = if projector_is_alive(&pools).await? {
            None
        } else {
            let follow = sides::follow(&pools, Some(&engine));
            let worker = sides::worker(&pools, settings, &follow);
            let cancel = CancellationToken::new();
            let stop = cancel.clone();
            let work = tokio::spawn(worker.run(stop));
            Some((work, cancel))
        };
        Ok(Self { pools, engine, database, worker })
    }

    /// Waits until everything up to `position` is posted.
    ///
    /// # Errors
    /// The projector stands still, or the database does not answer.
    pub async fn posted(&self, position: i64) -> Result<(), Trouble> {
        let posted = Posted::new(self.pools.projector.clone());
        let mut reached = -1;
        loop {
            match posted.wait_for(position, PATIENCE).await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let now = posted.posted_to().await?;
                    if now <= reached {
                        return Err(error.into());
                    }
                    reached = now;
                }
            }
        }
    }

    /// Gives everything back; a private server that nobody else uses stops.
    ///
    /// # Errors
    /// The worker or the server does not end as it should.
    pub async fn close(self) -> Result<(), Trouble> {
        if let Some((work, cancel)) = self.worker {
            cancel.cancel();
            work.await??;
        }
        self.engine.flush_records(WRITTEN_WITHIN).await;
        drop(self.engine);
        self.pools.close().await;
        self.database.close().await?;
        Ok(())
    }
}

async fn projector_is_alive(pools: &Pools) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM projector.workers WHERE lease_until > clock_timestamp())",
    )
    .fetch_one(&pools.projector)
    .await
}
