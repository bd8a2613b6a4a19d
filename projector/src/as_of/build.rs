//! Makes a state.

use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_store::{LANES, Log};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use super::digest::{Kept, TrailUpTo, digest_of_trail, digests, kept, until_posted};
use super::list::{give_name_back, take_name};
use super::{AsOfError, State};
use crate::catalog::{TABLES, VERSION};
use crate::posted::Posted;
use crate::rebuild::catch_up::{CatchUp, PLANS, Transactions, checkpoints_of};
use crate::rebuild::fill::{Filling, Pace, Shares};
use crate::rebuild::reached::Reached;
use crate::rebuild::{BEFORE, Memory, NEXT, OnProgress, Progress, Unit, drift};
use crate::twin::{self, AUDIT, Twin, joined};
use crate::worker::lanes::Checkpoint;

/// What is to be made.
#[derive(Debug, Clone)]
pub struct Order {
    /// The schema.
    pub schema: String,
    /// Everything up to here.
    pub position: i64,
    /// The instant that was asked for; `None`: when the event at that position was recorded.
    pub instant: Option<DateTime<Utc>>,
    /// For how long it stays; `None`: until it is dropped.
    pub lasts: Option<Duration>,
    /// How many states there may be that do not stay for good.
    pub quota: i64,
    /// Which build this is: only its own states are built on.
    pub build: String,
    /// Whether earlier states may be built on.
    pub from_earlier: bool,
}

/// Makes the state. Connections of `migrators` work as the owner (`daybook_migrator`).
///
/// # Errors
/// See [`AsOfError`]. What is half made is not readable, and is made anew under the same name.
pub async fn build(
    migrators: &PgPool,
    log: &Log,
    order: &Order,
    tell: OnProgress<'_>,
) -> Result<State, AsOfError> {
    let mut connection = migrators.acquire().await?.detach();
    let posted = Posted::new(migrators.clone());
    until_posted(&posted, order.position).await?;
    let instant = begin(order, &Holds::State, log, &mut connection).await?;
    let earlier = earlier(order, &mut connection).await?;
    // The longest to sum up, and there already.
    let part = TrailUpTo { position: order.position, instant };
    let before = earlier.as_ref().and_then(|earlier| earlier.trail.clone());
    let mut trail = digest_of_trail(part, before, migrators);
    let twin = Twin::of(&order.schema).without(AUDIT);
    twin.make_tables(&mut connection).await?;
    let made = make_rows(order, earlier, log, &twin, migrators, tell).await?;
    drift::put_up_to(instant, &order.schema, &mut connection).await?;
    tell(Progress { stage: "indexing", done: 0, total: 1, unit: Unit::Steps });
    let indexed = async {
        twin.make_indexes(2, migrators, |_, _| ()).await?;
        tell(Progress { stage: "linking", done: 0, total: 1, unit: Unit::Steps });
        twin.make_foreign_keys(&mut connection, &|_, _| ()).await?;
        twin.analyze(&mut connection, &|_, _| ()).await
    };
    let ((), mut digests) = tokio::try_join!(indexed, digests(&twin, migrators))?;
    tell(Progress { stage: "summing up", done: 0, total: 1, unit: Unit::Steps });
    let kept = joined(&mut trail).await?.map(|trail| {
        digests.insert(AUDIT.to_owned(), trail.digest);
        Json(trail.kept)
    });
    tell(Progress { stage: "summing up", done: 1, total: 1, unit: Unit::Steps });
    show(part, &twin, &mut connection).await?;
    let mut reached = made.reached;
    for lane in 0..LANES {
        reached.entry(lane).or_default();
    }
    CatchUp::new(&order.schema, reached)
        .keep_checkpoints(Some(&order.build), &mut connection)
        .await?;
    let state = sqlx::query_as(
        "UPDATE projector.as_of SET complete = true, made_from = $2, rows_written = $3, digests = $4, trail = $5
         WHERE schema_name = $1 RETURNING *",
    )
    .bind(&order.schema)
    .bind(made.from)
    .bind(i64::try_from(made.rows).unwrap_or(i64::MAX))
    .bind(Json(digests))
    .bind(kept)
    .fetch_one(&mut connection)
    .await?;
    give_name_back(&order.schema, &mut connection).await?;
    Ok(state)
}

/// Rows, as they were made.
struct Made {
    rows: usize,
    /// The position of the earlier state that they were made from.
    from: Option<i64>,
    reached: Reached,
}

/// Makes the rows, from an earlier state or from the beginning, and the primary keys.
async fn make_rows(
    order: &Order,
    earlier: Option<Earlier>,
    log: &Log,
    twin: &Twin,
    migrators: &PgPool,
    tell: OnProgress<'_>,
) -> Result<Made, AsOfError> {
    let mut connection = migrators.acquire().await?.detach();
    if let Some(earlier) = earlier {
        let copying =
            |done, total| tell(Progress { stage: "copying", done, total, unit: Unit::Steps });
        let rows = copy(twin, &earlier, migrators, &copying).await?;
        twin.make_keys(&mut connection).await?;
        let folding =
            |done, total| tell(Progress { stage: "folding", done, total, unit: Unit::Events });
        let following = follow(order, earlier.reached, log, migrators, &folding).await?;
        return Ok(Made { rows, from: Some(earlier.position), reached: following.reached });
    }
    twin.make_keys(&mut connection).await?;
    let filling = Filling {
        memory: Memory::default(),
        partitions_in: Some(order.schema.clone()),
        own_transactions: true,
        without_audit: true,
        kinds: None,
    };
    let shares = Shares { of: 2, filling, pace: Pace::new(None), follows: false };
    let (told, mut hears) = tokio::sync::watch::channel(0);
    let told = move |done| {
        told.send_replace(done);
    };
    let told = std::sync::Arc::new(told);
    let fills =
        shares.fill(twin, migrators, (log, order.position), |_| true, move |done, _| told(done));
    let tells = async {
        while hears.changed().await.is_ok() {
            let done = *hears.borrow_and_update();
            tell(Progress { stage: "folding", done, total: order.position, unit: Unit::Events });
        }
    };
    let (filled, ()) = tokio::join!(fills, tells);
    let filled = filled?;
    Ok(Made { rows: filled.rows, from: None, reached: filled.reached })
}

/// What a schema holds.
#[derive(Debug, Clone)]
pub(super) enum Holds {
    /// The whole model.
    State,
    /// What changed since this position.
    Changes(i64),
    /// What a slice of history makes, and which.
    Slice(serde_json::Value),
}

/// Takes the name, clears away what a run before this one left half made, and gives the instant.
pub(super) async fn begin(
    order: &Order,
    holds: &Holds,
    log: &Log,
    connection: &mut PgConnection,
) -> Result<DateTime<Utc>, AsOfError> {
    let plain: bool = sqlx::query_scalar("SELECT quote_ident($1) = $1")
        .bind(&order.schema)
        .fetch_one(&mut *connection)
        .await?;
    let ours = [NEXT, BEFORE].contains(&order.schema.as_str());
    if !twin::is_schema_name(&order.schema) || order.schema.starts_with("pg_") || !plain || ours {
        return Err(AsOfError::Name(order.schema.clone()));
    }
    take_name(&order.schema, connection).await?;
    let known: Option<bool> =
        sqlx::query_scalar("SELECT complete FROM projector.as_of WHERE schema_name = $1")
            .bind(&order.schema)
            .fetch_optional(&mut *connection)
            .await?;
    let there = Twin::of(&order.schema).exists(connection).await?;
    match known {
        Some(false) => super::drop(&order.schema, connection).await?,
        Some(true) => return Err(AsOfError::Taken(order.schema.clone())),
        None if there => return Err(AsOfError::Taken(order.schema.clone())),
        None => {}
    }
    let epoch = log.head().await?.epoch;
    let recorded: Option<DateTime<Utc>> = sqlx::query_scalar(
        "SELECT COALESCE((SELECT recorded_at FROM journal.events WHERE position = $1), (SELECT made_at FROM journal.log))",
    )
    .bind(order.position)
    .fetch_one(&mut *connection)
    .await?;
    let instant = order.instant.or(recorded).unwrap_or_default();
    let mut transaction = connection.begin().await?;
    sqlx::query("LOCK TABLE projector.as_of IN SHARE ROW EXCLUSIVE MODE")
        .execute(&mut *transaction)
        .await?;
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM projector.as_of WHERE expires_at IS NOT NULL")
            .fetch_one(&mut *transaction)
            .await?;
    if order.lasts.is_some() && count >= order.quota {
        return Err(AsOfError::Quota(count));
    }
    let (since, slice) = match holds {
        Holds::State => (None, None),
        Holds::Changes(since) => (Some(*since), None),
        Holds::Slice(slice) => (None, Some(slice)),
    };
    sqlx::query(
        "INSERT INTO projector.as_of (schema_name, position, instant, log_epoch, model_version, build, expires_at, from_position, slice)
         VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7 * interval '1 second', $8, $9)",
    )
    .bind(&order.schema)
    .bind(order.position)
    .bind(instant)
    .bind(epoch)
    .bind(VERSION)
    .bind(&order.build)
    .bind(order.lasts.map(|lasts| i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX)))
    .bind(since)
    .bind(slice)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(instant)
}

/// A state to build on.
struct Earlier {
    schema: String,
    position: i64,
    reached: Reached,
    trail: Option<(TrailUpTo, Kept)>,
}

/// The nearest earlier state of this build, where going on from it is less work than starting anew:
/// following costs about twice what filling does.
async fn earlier(
    order: &Order,
    connection: &mut PgConnection,
) -> Result<Option<Earlier>, sqlx::Error> {
    if !order.from_earlier {
        return Ok(None);
    }
    let found: Option<(String, i64)> = sqlx::query_as(
        "SELECT a.schema_name, a.position FROM projector.as_of a
         WHERE a.complete AND a.from_position IS NULL AND a.slice IS NULL AND a.build = $1 AND a.position <= $2 AND ($2 - a.position) * 2 <= $2
           AND a.log_epoch = (SELECT epoch FROM journal.log) AND a.model_version = $3
         ORDER BY a.position DESC, a.schema_name LIMIT 1",
    )
    .bind(&order.build)
    .bind(order.position)
    .bind(VERSION)
    .fetch_optional(&mut *connection)
    .await?;
    let Some((schema, position)) = found else { return Ok(None) };
    let reached = checkpoints_of(&schema, Some(&order.build), connection).await?;
    let trail = kept(&schema, connection).await?;
    Ok(reached.map(|reached| Earlier { schema, position, reached, trail }))
}

/// Copies the rows of an earlier state, partitions first.
async fn copy(
    twin: &Twin,
    earlier: &Earlier,
    migrators: &PgPool,
    tell: &(dyn Fn(i64, i64) + Send + Sync),
) -> Result<usize, AsOfError> {
    let mut connection = migrators.acquire().await?.detach();
    let missing: Vec<String> = sqlx::query_scalar(include_str!("../twin/partitions.sql"))
        .bind(&twin.names)
        .bind(&earlier.schema)
        .bind(&twin.schema)
        .fetch_all(&mut connection)
        .await?;
    twin::run(&missing.join(";\n"), &mut connection).await?;
    let mut tasks = tokio::task::JoinSet::new();
    let at_once = std::sync::Arc::new(tokio::sync::Semaphore::new(2));
    let total = i64::try_from(twin.names.len()).unwrap_or(0);
    for table in TABLES.iter().filter(|table| table.name != AUDIT) {
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let columns = columns.join(", ");
        let statement = format!(
            "INSERT INTO {}.{name} ({columns}) SELECT {columns} FROM {}.{name}",
            twin.schema,
            earlier.schema,
            name = table.name
        );
        let (pool, at_once) = (migrators.clone(), at_once.clone());
        tasks.spawn(async move {
            let _turn = at_once.acquire().await;
            let mut connection = pool.acquire().await?;
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut *connection)
                .await
                .map(|done| done.rows_affected())
        });
    }
    let (mut rows, mut done) = (0, 0);
    while let Some(copied) = joined(&mut tasks).await? {
        rows += usize::try_from(copied).unwrap_or(0);
        done += 1;
        tell(done, total);
    }
    Ok(rows)
}

/// Folds what came between the earlier state and the position.
async fn follow(
    order: &Order,
    reached: Reached,
    log: &Log,
    migrators: &PgPool,
    tell: &(dyn Fn(i64, i64) + Send + Sync),
) -> Result<CatchUp, AsOfError> {
    let mut connection = migrators.acquire().await?.detach();
    twin::run(PLANS, &mut connection).await?;
    let from = reached.values().map(|lane| lane.position).max().unwrap_or(0);
    // Of every lane everything that the log has up to the position.
    let target: Reached = (0..LANES)
        .map(|lane| (lane, Checkpoint { lane_seq: i64::MAX, position: order.position }))
        .collect();
    let mut following = CatchUp::new(&order.schema, reached).without_audit();
    let total = order.position - from;
    following
        .to(&target, log, &mut connection, Transactions::Own, &|done| tell(done, total))
        .await?;
    Ok(following)
}

/// Shows the state to auditors, and to nobody else: the tables, and the live trail up to the position.
async fn show(
    trail: TrailUpTo,
    twin: &Twin,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let schema = &twin.schema;
    let view = format!(
        "CREATE VIEW {schema}.{AUDIT} WITH (security_invoker = true) AS SELECT * FROM {}",
        trail.rows()
    );
    twin::run(&view, &mut transaction).await?;
    let trail = format!("GRANT SELECT ON {schema}.{AUDIT} TO daybook_auditor");
    twin::run(&trail, &mut transaction).await?;
    let_auditors_read(twin, &mut transaction).await?;
    keep_as_it_is(schema, &mut transaction).await?;
    transaction.commit().await
}

/// Keeps everybody from changing what is complete, the owner of the tables too: others are made from it.
pub(super) async fn keep_as_it_is(
    schema: &str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let triggers: Vec<String> = sqlx::query_scalar(
        "SELECT format('CREATE TRIGGER as_it_was BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION projector.refuse_change()', $1, relname)
         FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p') ORDER BY relname",
    )
    .bind(schema)
    .fetch_all(&mut *connection)
    .await?;
    twin::run(&triggers.join(";\n"), connection).await
}

/// Grants auditors what they may read of the live tables, of these tables too.
pub(super) async fn let_auditors_read(
    twin: &Twin,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    twin::hold_live(&twin.names, connection).await?;
    let grants: Vec<(String, String)> = sqlx::query_as(include_str!("rights.sql"))
        .bind(&twin.names)
        .bind(&twin.schema)
        .fetch_all(&mut *connection)
        .await?;
    for (_, grant) in grants {
        twin::run(&grant, connection).await?;
    }
    let usage = format!("GRANT USAGE ON SCHEMA {} TO daybook_auditor", twin.schema);
    twin::run(&usage, connection).await
}
