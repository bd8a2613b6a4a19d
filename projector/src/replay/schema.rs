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
    bytes: u64,
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
        let which: Value = replay.order.described();
        let order = Order { position: replay.up_to, ..order.clone() };
        let slice = match &replay.kept {
            Some(_) => Slice::go_on(migrators, &order, &which).await?,
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
        let bytes = replay.kept.as_ref().map_or(0, |kept| kept.bytes);
        Ok(Self { slice, gathered: Vec::with_capacity(BATCH), bytes })
    }

    fn post(&mut self) -> Result<(), ReplayError> {
        let posted = Handle::current().block_on(self.slice.post(&mut self.gathered));
        let (position, reason) = match posted {
            Ok(()) => return Ok(()),
            Err(AsOfError::Rebuild(RebuildError::Fault { position, fault })) => {
                (position, fault.to_string())
            }
            Err(error) => return Err(error.into()),
        };
        Handle::current().block_on(self.slice.drop())?;
        Err(ReplayError::Cut { position, reason })
    }
}

impl Sink for Schema {
    fn take(&mut self, event: &Recorded, line: &[u8]) -> Result<(), ReplayError> {
        self.bytes += u64::try_from(line.len()).unwrap_or(0);
        self.gathered.push(event.clone());
        if self.gathered.len() >= BATCH { self.post() } else { Ok(()) }
    }

    fn rests(&self, next: Option<&Recorded>) -> bool {
        next.is_none()
    }

    fn settle(&mut self) -> Result<u64, ReplayError> {
        self.post()?;
        Ok(self.bytes)
    }

    fn show(&mut self) -> Result<(), ReplayError> {
        self.post()
    }

    fn end(&mut self) -> Result<u64, ReplayError> {
        self.post()?;
        Handle::current().block_on(self.slice.end())?;
        Ok(self.bytes)
    }
}
