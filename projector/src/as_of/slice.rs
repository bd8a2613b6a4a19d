//! What a slice of history makes, in a schema of its own: the read tables as they would be if nothing
//! else had happened, with the trail of that alone.

use std::collections::BTreeMap;

use daybook_store::{LANES, Log, Recorded};
use serde_json::Value;
use sqlx::{Connection, PgConnection, PgPool};

use super::build::{Holds, Order, begin, keep_as_it_is, let_auditors_read};
use super::digest::digests;
use super::list::{give_name_back, take_name};
use super::{AsOfError, drop};
use crate::rebuild::catch_up::{CatchUp, PLANS, Transactions, checkpoints_of};
use crate::twin::{self, Twin};
use crate::worker::lanes::Checkpoint;

/// A schema that a slice of history is posted to, a batch in a transaction. It has the tables' keys from
/// the beginning and their other indexes at the end; foreign keys it has none, since a slice may refer
/// to what it leaves out. Auditors read it while it fills.
pub(crate) struct Slice {
    twin: Twin,
    following: CatchUp,
    connection: PgConnection,
    migrators: PgPool,
}

impl Slice {
    /// Makes the tables. `slice` says what will be posted.
    ///
    /// # Errors
    /// See [`AsOfError`]; nothing is left.
    pub(crate) async fn begin(
        migrators: &PgPool,
        log: &Log,
        order: &Order,
        slice: Value,
    ) -> Result<Self, AsOfError> {
        let mut connection = migrators.acquire().await?.detach();
        begin(order, &Holds::Slice(slice), log, &mut connection).await?;
        let twin = Twin::of(&order.schema);
        twin.make_tables(&mut connection).await?;
        twin.make_keys(&mut connection).await?;
        let mut transaction = connection.begin().await?;
        let_auditors_read(&twin, &mut transaction).await?;
        let nothing: BTreeMap<i16, Checkpoint> =
            (0..LANES).map(|lane| (lane, Checkpoint::default())).collect();
        let following = CatchUp::new(&order.schema, nothing);
        following.keep_checkpoints(Some(&order.build), &mut transaction).await?;
        transaction.commit().await?;
        Self::with(twin, following, connection, migrators).await
    }

    /// Goes on with a schema that [`begin`](Self::begin) made and a run before this one left.
    ///
    /// # Errors
    /// It is not there, is complete, is of something else or of another build, or has not all up to
    /// `posted`, the position that it was posted to.
    pub(crate) async fn go_on(
        migrators: &PgPool,
        order: &Order,
        slice: &Value,
        posted: i64,
    ) -> Result<Self, AsOfError> {
        let mut connection = migrators.acquire().await?.detach();
        take_name(&order.schema, &mut connection).await?;
        let left: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM projector.as_of
             WHERE schema_name = $1 AND slice = $2 AND NOT complete
               AND log_epoch = (SELECT epoch FROM journal.log))",
        )
        .bind(&order.schema)
        .bind(slice)
        .fetch_one(&mut connection)
        .await?;
        let reached = checkpoints_of(&order.schema, Some(&order.build), &mut connection).await?;
        let (true, Some(reached)) = (left, reached) else {
            return Err(AsOfError::NotLeft(order.schema.clone()));
        };
        if reached.values().map(|lane| lane.position).max().unwrap_or(0) < posted {
            return Err(AsOfError::NotLeft(order.schema.clone()));
        }
        let following = CatchUp::new(&order.schema, reached);
        Self::with(Twin::of(&order.schema), following, connection, migrators).await
    }

    async fn with(
        twin: Twin,
        following: CatchUp,
        mut connection: PgConnection,
        migrators: &PgPool,
    ) -> Result<Self, AsOfError> {
        twin::run(PLANS, &mut connection).await?;
        // What is said to be posted outlives a crash of the server.
        twin::run("SET synchronous_commit = on", &mut connection).await?;
        Ok(Self { twin, following, connection, migrators: migrators.clone() })
    }

    /// Posts what comes next; what is posted already is passed over.
    ///
    /// # Errors
    /// An event that does not fit what was posted before it; the server.
    pub(crate) async fn post(&mut self, events: &mut Vec<Recorded>) -> Result<(), AsOfError> {
        events.retain(|event| !self.following.has(event));
        if !events.is_empty() {
            self.following.post(events, &mut self.connection, Transactions::Own).await?;
        }
        events.clear();
        Ok(())
    }

    /// Makes the other indexes, and sums up.
    ///
    /// # Errors
    /// The server.
    pub(crate) async fn end(&mut self) -> Result<(), AsOfError> {
        self.twin.make_indexes(2, &self.migrators, |_, _| ()).await?;
        self.twin.analyze(&mut self.connection, &|_, _| ()).await?;
        let digests = digests(&self.twin, &self.migrators).await?;
        let mut transaction = self.connection.begin().await?;
        keep_as_it_is(&self.twin.schema, &mut transaction).await?;
        sqlx::query(
            "UPDATE projector.as_of SET complete = true, digests = $2 WHERE schema_name = $1",
        )
        .bind(&self.twin.schema)
        .bind(sqlx::types::Json(digests))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        give_name_back(&self.twin.schema, &mut self.connection).await?;
        Ok(())
    }

    /// Up to which position it is posted.
    pub(crate) fn posted(&self) -> i64 {
        self.following.reached.values().map(|lane| lane.position).max().unwrap_or(0)
    }

    /// Takes it away again, whatever went wrong.
    ///
    /// # Errors
    /// The server.
    pub(crate) async fn drop(&mut self) -> Result<(), AsOfError> {
        twin::run("ROLLBACK", &mut self.connection).await?;
        drop(&self.twin.schema, &mut self.connection).await
    }
}
