//! Read tables in a schema of their own.

use daybook_store::{Log, Recorded};
use serde_json::Value;
use sqlx::PgPool;
use tokio::runtime::Handle;

use super::sink::Sink;
use super::{Replay, ReplayError};
use crate::as_of::{AsOfError, Order, Slice, drop as drop_state};
use crate::rebuild::RebuildError;

/// Events that are posted together.
const BATCH: usize = 1000;

/// A schema that is filled.
pub(super) struct Schema {
    slice: Slice,
    gathered: Vec<Recorded>,
}

impl Schema {
    /// Makes the schema, or finds what an interrupted run left of it.
    ///
    /// # Errors
    /// The name is taken, there are as many as may be, or the server does not answer.
    pub(super) async fn begin(
        replay: &Replay,
        log: &Log,
        (migrators, order, anew): (&PgPool, &Order, bool),
    ) -> Result<Self, ReplayError> {
        let which: Value = replay.described();
        let order = Order { position: replay.up_to, ..order.clone() };
        let slice = match &replay.kept {
            Some(kept) => Slice::go_on(migrators, &order, &which, kept.mark).await?,
            None => {
                if anew {
                    let mut connection = migrators.acquire().await.map_err(AsOfError::from)?;
                    match drop_state(&order.schema, &mut connection).await {
                        Ok(()) | Err(AsOfError::Unknown(_)) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                Slice::begin(migrators, log, &order, which).await?
            }
        };
        Ok(Self { slice, gathered: Vec::with_capacity(BATCH) })
    }

    fn post(&mut self) -> Result<(), ReplayError> {
        let first = self.gathered.first().map_or(0, |event| event.position);
        let posted = Handle::current().block_on(self.slice.post(&mut self.gathered));
        self.refused(first, posted)
    }

    /// What a slice leaves out shows as an event that does not fit, or as rows that break a rule of
    /// their table: then nothing of it stays.
    fn refused(&mut self, first: i64, done: Result<(), AsOfError>) -> Result<(), ReplayError> {
        let (position, reason) = match done {
            Ok(()) => return Ok(()),
            Err(AsOfError::Rebuild(RebuildError::Fault { position, fault })) => {
                (position, fault.to_string())
            }
            Err(AsOfError::Rebuild(RebuildError::Database(error))) if breaks_a_rule(&error) => {
                (first, error.to_string())
            }
            Err(error) => return Err(error.into()),
        };
        Handle::current().block_on(self.slice.drop())?;
        Err(ReplayError::Cut { position, reason })
    }
}

/// Whether it is a constraint that refused.
fn breaks_a_rule(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code.starts_with("23"))
}

impl Sink for Schema {
    fn take(&mut self, event: &Recorded, _: &[u8]) -> Result<(), ReplayError> {
        self.gathered.push(event.clone());
        if self.gathered.len() >= BATCH { self.post() } else { Ok(()) }
    }

    fn rests(&self, next: Option<&Recorded>) -> bool {
        next.is_none()
    }

    fn settle(&mut self) -> Result<Option<u64>, ReplayError> {
        self.post()?;
        Ok(None)
    }

    fn mark(&self) -> i64 {
        self.slice.posted()
    }

    fn show(&mut self) -> Result<(), ReplayError> {
        self.post()
    }

    fn end(&mut self) -> Result<Option<u64>, ReplayError> {
        self.post()?;
        let ended = Handle::current().block_on(self.slice.end());
        self.refused(self.slice.posted(), ended)?;
        Ok(None)
    }
}
