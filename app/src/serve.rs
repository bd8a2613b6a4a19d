//! One process's roles: started together, stopped together.

use std::sync::Arc;
use std::time::Duration;

use daybook_command::Engine;
use daybook_projector::row_topics::RowTopicError;
use daybook_store::Follow;
use futures::future::BoxFuture;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{ServiceRole, Settings};
use crate::database::{DatabaseError, Pools, migrate};
use crate::{network, scheduler, sides, upkeep};

/// What every role is given.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// One pool a role.
    pub pools: Pools,
    /// The settings.
    pub settings: Arc<Settings>,
    /// Cancelled when the process is to stop: roles then end what is under way, and return.
    pub cancel: CancellationToken,
}

/// Why a role ended.
pub type TaskError = Box<dyn std::error::Error + Send + Sync>;

/// A part of the process that runs until it is cancelled.
pub struct Task {
    /// Its name, for log lines.
    pub name: &'static str,
    /// Its work. Ending before it is cancelled is a fault, with or without an error.
    pub work: BoxFuture<'static, Result<(), TaskError>>,
}

/// Why the process stopped serving.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The log did not take its first events.
    #[error("the log cannot be begun: {0}")]
    Log(String),
    /// Rows cannot be published as the settings say.
    #[error("DAYBOOK_KAFKA_ROW_TOPICS: {0}")]
    Rows(#[from] RowTopicError),
    /// A role ended by itself.
    #[error("{name} ended: {reason}")]
    Ended {
        /// The role.
        name: &'static str,
        /// Why.
        reason: String,
    },
    /// Some roles did not end when they were told to.
    #[error(
        "{0} still had work under way when the time for stopping was over; what was not acknowledged is not done"
    )]
    Late(String),
}

impl Runtime {
    /// Checks that the database is fit to serve from.
    ///
    /// # Errors
    /// When its schema is not the one that this binary knows.
    pub async fn check(&self) -> Result<(), DatabaseError> {
        let mut connection = self.pools.maintenance.acquire().await?;
        migrate::refuse_other_schema(&mut connection).await
    }
}

/// The parts of a process that its tasks share.
pub struct Sides {
    /// The write side, where this process has the role.
    pub engine: Option<Arc<Engine>>,
    /// The tasks of the roles in the settings.
    pub tasks: Vec<Task>,
}

/// How long a stopping process waits for what is to be written down beside the log.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);

/// Ends the write side once its tasks have ended: what was to be written down beside the log is.
pub async fn close(engine: Option<Arc<Engine>>) {
    if let Some(engine) = engine {
        engine.flush_records(WRITTEN_WITHIN).await;
    }
}

/// Puts together what the roles in the settings need.
///
/// # Errors
/// When the log does not take its first events.
pub async fn sides(runtime: &Runtime) -> Result<Sides, ServeError> {
    let metrics = network::count();
    let roles = &runtime.settings.roles;
    let mut tasks = Vec::new();
    let mut engine = None;
    // Every log needs its next partitions, whoever appends to it.
    if roles.has(ServiceRole::Command) {
        let done = upkeep::once(&runtime.pools.maintenance).await;
        upkeep::log(&done.map_err(DatabaseError::Statement)?);
        tasks.push(Task { name: "upkeep", work: Box::pin(upkeep::run(runtime.clone())) });
        let started = sides::write(&runtime.pools, &runtime.settings).await;
        let started = started.map_err(|error| ServeError::Log(error.to_string()))?;
        let scheduling = scheduler::run(runtime.clone(), Arc::clone(&started));
        tasks.push(Task { name: "scheduler", work: Box::pin(scheduling) });
        engine = Some(started);
    }
    let follow = sides::follow(&runtime.pools, engine.as_deref());
    let mut posted = None;
    if roles.has(ServiceRole::Projector) {
        let worker = sides::worker(&runtime.pools, &runtime.settings, &follow);
        posted = Some(worker.posted());
        let cancel = runtime.cancel.clone();
        tasks.push(Task {
            name: "projector",
            work: Box::pin(async move { worker.run(cancel).await.map_err(Into::into) }),
        });
    }
    tasks.extend(relay(runtime, &follow));
    if let Some(rows) = sides::rows(runtime, &follow)? {
        let cancel = runtime.cancel.clone();
        tasks.push(Task {
            name: "rows",
            work: Box::pin(async move {
                rows.run(cancel).await;
                Ok(())
            }),
        });
    }
    let reads = roles
        .has(ServiceRole::Query)
        .then(|| sides::read(&runtime.pools, follow, posted, runtime.cancel.clone()));
    let serving = network::run(runtime.clone(), engine.clone(), reads, metrics);
    tasks.push(Task { name: "http", work: Box::pin(serving) });
    Ok(Sides { engine, tasks })
}

/// The relay, where this process has the role and there is a Kafka to publish to.
fn relay(runtime: &Runtime, follow: &Follow) -> Option<Task> {
    let kafka = runtime.settings.kafka().filter(|_| runtime.settings.roles.has(ServiceRole::Relay));
    let relay = sides::relay(&runtime.pools, kafka?, follow);
    let cancel = runtime.cancel.clone();
    let work = async move {
        relay.run(cancel).await;
        Ok(())
    };
    Some(Task { name: "relay", work: Box::pin(work) })
}

/// Runs tasks until the runtime is cancelled, then waits for them to end. One that ends by itself stops
/// the others.
///
/// # Errors
/// When a task ended by itself, or did not end in time.
pub async fn run(runtime: &Runtime, tasks: Vec<Task>) -> Result<(), ServeError> {
    let mut running = JoinSet::new();
    let mut names: Vec<&'static str> = tasks.iter().map(|task| task.name).collect();
    for Task { name, work } in tasks {
        running.spawn(async move { (name, work.await) });
    }
    let mut fault = None;
    tokio::select! {
        () = runtime.cancel.cancelled() => {}
        Some(ended) = running.join_next() => {
            let (name, reason) = match ended {
                Ok((name, Ok(()))) => (name, "it had nothing left to do".to_owned()),
                Ok((name, Err(error))) => (name, error.to_string()),
                Err(panic) => ("a task", panic.to_string()),
            };
            names.retain(|other| *other != name);
            if !runtime.cancel.is_cancelled() {
                fault = Some(ServeError::Ended { name, reason });
            }
            runtime.cancel.cancel();
        }
    }
    let ended = async {
        while let Some(ended) = running.join_next().await {
            match ended {
                Ok((name, result)) => {
                    names.retain(|other| *other != name);
                    if let Err(error) = result {
                        tracing::error!(task = name, %error, "ended badly");
                    }
                }
                Err(panic) => tracing::error!(%panic, "a task panicked"),
            }
        }
    };
    let late =
        tokio::time::timeout(runtime.settings.shutdown_grace.duration(), ended).await.is_err();
    if late {
        running.abort_all();
    }
    match fault {
        Some(fault) => Err(fault),
        None if late => Err(ServeError::Late(names.join(", "))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Seconds;
    use crate::database::PoolSizes;

    fn runtime() -> Runtime {
        let options = "postgres://nobody@127.0.0.1:1/none".parse().unwrap();
        Runtime {
            pools: Pools::lazy(&options, PoolSizes::default()),
            settings: Arc::new(Settings { shutdown_grace: Seconds(1), ..Settings::default() }),
            cancel: CancellationToken::new(),
        }
    }

    fn waits(runtime: &Runtime, name: &'static str) -> Task {
        let cancel = runtime.cancel.clone();
        Task {
            name,
            work: Box::pin(async move {
                cancel.cancelled().await;
                Ok(())
            }),
        }
    }

    #[tokio::test]
    async fn all_end_when_told_to() {
        let runtime = runtime();
        let tasks = vec![waits(&runtime, "one"), waits(&runtime, "two")];
        runtime.cancel.cancel();
        run(&runtime, tasks).await.unwrap();
    }

    #[tokio::test]
    async fn one_that_fails_stops_the_others_and_is_named() {
        let runtime = runtime();
        let fails = Task { name: "fails", work: Box::pin(async { Err("no disk".into()) }) };
        let error = run(&runtime, vec![waits(&runtime, "one"), fails]).await.unwrap_err();
        assert_eq!(error.to_string(), "fails ended: no disk");
        assert!(runtime.cancel.is_cancelled());
    }

    #[tokio::test]
    async fn one_that_ends_early_is_a_fault_too() {
        let runtime = runtime();
        let ends = Task { name: "ends", work: Box::pin(async { Ok(()) }) };
        assert!(run(&runtime, vec![ends]).await.is_err());
    }

    #[tokio::test]
    async fn one_that_does_not_end_is_cut_off_and_named() {
        let runtime = runtime();
        let stays = Task {
            name: "stays",
            work: Box::pin(async {
                tokio::time::sleep(Duration::from_secs(600)).await;
                Ok(())
            }),
        };
        runtime.cancel.cancel();
        let error = run(&runtime, vec![stays, waits(&runtime, "one")]).await.unwrap_err();
        assert!(matches!(&error, ServeError::Late(names) if names == "stays"), "{error}");
    }
}
