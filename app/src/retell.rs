//! Another Daybook, as what a replay writes to.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daybook_command::retell::{RetellError, Told};
use daybook_command::{CommandError, Engine};
use daybook_projector::replay::{ReplayError, Sink};
use daybook_store::{AppendError, CommandKey, Log, Recorded};
use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgConnectOptions;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::config::Settings;
use crate::database::{DatabaseError, PoolSizes, Pools, migrate};
use crate::sides;

/// Commands that are told together: what waits for one commit.
const AT_ONCE: usize = 256;
/// How often what was told is written down as done.
const RESTS: Duration = Duration::from_secs(2);

/// Why the other Daybook cannot be told anything.
#[derive(Debug, thiserror::Error)]
pub enum OtherError {
    /// Its database.
    #[error("the other Daybook: {0}")]
    Database(#[from] DatabaseError),
    /// Its log.
    #[error("the other Daybook: {0}")]
    Log(#[from] CommandError),
    /// It is this one.
    #[error("that is the log that is replayed: name the database of another Daybook")]
    Same,
}

/// Another Daybook's log, to which commands are told as they were applied here.
pub struct Other {
    engine: Arc<Engine>,
    /// The log that is replayed.
    here: Log,
    /// From which log to which.
    between: String,
    waiting: Vec<Recorded>,
    commands: usize,
    rested: Instant,
}

impl Other {
    /// Opens the log in `database`, whose schema is this build's.
    ///
    /// # Errors
    /// See [`OtherError`].
    pub async fn open(
        database: &PgConnectOptions,
        settings: &Settings,
        here: &Log,
    ) -> Result<Self, OtherError> {
        let pools = Pools::connect(database, PoolSizes::default()).await?;
        let mut connection = pools.writer.acquire().await.map_err(DatabaseError::Unreachable)?;
        migrate::refuse_other_schema(&mut connection).await?;
        drop(connection);
        let there = Log::new(pools.writer.clone());
        let unread = CommandError::from;
        let (from, into) =
            (here.whereabouts().await.map_err(unread)?, there.whereabouts().await.map_err(unread)?);
        if from == into {
            return Err(OtherError::Same);
        }
        let epoch = there.head().await.map_err(unread)?.epoch;
        let between = format!("{from} to {into}, epoch {epoch}");
        let engine = sides::write(&pools, settings).await?;
        let (waiting, commands) = (Vec::new(), 0);
        let (here, rested) = (here.clone(), Instant::now());
        Ok(Self { engine, here, between, waiting, commands, rested })
    }

    /// From which log to which, for what a run that is broken off is bound to.
    #[must_use]
    pub fn between(&self) -> &str {
        &self.between
    }

    fn begins(&self, event: &Recorded) -> bool {
        self.waiting.last().is_none_or(|last| key(last) != key(event))
    }

    fn tell(&mut self) -> Result<(), ReplayError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.commands = 0;
        Handle::current().block_on(async {
            let told = self.whole(waiting).await?;
            let told = self.engine.retell(&told).await;
            told.map(|_| ()).map_err(|error| match error {
                RetellError::Refused {
                    error:
                        CommandError::Read(_)
                        | CommandError::Append(
                            AppendError::Unavailable(_)
                            | AppendError::Overloaded
                            | AppendError::ClockAhead { .. },
                        ),
                    ..
                } => ReplayError::NotTaken(error.to_string()),
                error => ReplayError::InTheWay(error.to_string()),
            })
        })
    }

    /// Commands with all of their events, as this log knows them.
    async fn whole(&self, events: Vec<Recorded>) -> Result<Vec<Told>, ReplayError> {
        let mut keys = HashSet::new();
        for event in &events {
            keys.extend(scopes(event).map(|scope| (scope, event.command_id)));
        }
        let keys: Vec<(Uuid, Uuid)> = keys.into_iter().collect();
        let known = self.here.commands(&keys).await?;
        let mut all = Vec::new();
        for group in events.chunk_by(|one, next| key(one) == key(next)) {
            let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
            let id = first.command_id;
            let mut answers = scopes(first).filter_map(|scope| {
                let answered = known.get(&(scope, id))?;
                let here = answered.appended.position - answered.appended.events + 1;
                let whole = here == first.position && answered.appended.position == last.position;
                (whole && usize::try_from(answered.appended.events).ok() == Some(group.len()))
                    .then_some((scope, answered.fingerprint))
            });
            let (key, forgotten) = match answers.next() {
                Some((scope, fingerprint)) => (CommandKey { scope, id, fingerprint }, false),
                None if scopes(first).any(|scope| known.contains_key(&(scope, id))) => {
                    return Err(cut(first));
                }
                None => (self.forgotten(group).await?, true),
            };
            all.push(Told { key, events: group.to_vec(), forgotten });
        }
        Ok(all)
    }

    /// The key of a command that this log keeps no answer of any more: nothing but its events says
    /// whether all of them are here.
    async fn forgotten(&self, group: &[Recorded]) -> Result<CommandKey, ReplayError> {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            return Err(ReplayError::Fault("a command without events".to_owned()));
        };
        let beside = self.here.at(&[first.position - 1, last.position + 1]).await?;
        let dense = usize::try_from(last.position - first.position + 1).ok() == Some(group.len());
        if !dense || beside.iter().any(|event| key(event) == key(first)) {
            return Err(cut(first));
        }
        let mut sum = Sha256::new();
        for event in group {
            sum.update(event.event_type.as_bytes());
            sum.update(event.data.get().as_bytes());
        }
        let scope = first.metadata.tenant_id.unwrap_or(first.metadata.actor_id);
        Ok(CommandKey { scope, id: first.command_id, fingerprint: sum.finalize().into() })
    }
}

/// What events of one command have in common.
fn key(event: &Recorded) -> (Uuid, Uuid, Option<Uuid>) {
    (event.command_id, event.metadata.actor_id, event.metadata.tenant_id)
}

/// The scopes in which the event's command may have its id.
fn scopes(event: &Recorded) -> impl Iterator<Item = Uuid> + use<> {
    event.metadata.tenant_id.into_iter().chain([event.metadata.actor_id])
}

fn cut(first: &Recorded) -> ReplayError {
    ReplayError::InTheWay(format!(
        "only a part of command {} is replayed (position {}): another Daybook takes whole commands. Take whole streams, and begin and end between two commands",
        first.command_id, first.position
    ))
}

impl Sink for Other {
    fn take(&mut self, event: &Recorded, _: &[u8]) -> Result<(), ReplayError> {
        if self.begins(event) {
            if self.commands >= AT_ONCE {
                self.tell()?;
            }
            self.commands += 1;
        }
        self.waiting.push(event.clone());
        Ok(())
    }

    fn rests(&self, next: Option<&Recorded>) -> bool {
        // A command's last event is only known by the next one's first.
        next.is_some_and(|next| self.begins(next)) && self.rested.elapsed() >= RESTS
    }

    fn settle(&mut self) -> Result<Option<u64>, ReplayError> {
        self.tell()?;
        self.rested = Instant::now();
        Ok(None)
    }

    fn show(&mut self) -> Result<(), ReplayError> {
        Ok(())
    }

    fn end(&mut self) -> Result<Option<u64>, ReplayError> {
        self.tell()?;
        Ok(None)
    }
}
