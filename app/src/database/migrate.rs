//! The schema: migrations embedded in the binary, run as the role that owns everything.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use daybook_projector::rebuild;
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::{DatabaseError, bootstrap, may_bootstrap};

/// The migrations that this binary knows.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// For how long a migration is tried again that finds its tables in use.
const PATIENCE: Duration = Duration::from_secs(300);

/// When it is.
const AGAIN: Duration = Duration::from_secs(1);

/// The migration that makes the log: undoing it throws every event away.
pub const JOURNAL: i64 = 1;

/// A migration, known or applied.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MigrationState {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub description: String,
    /// When it was applied; `None`: not yet.
    pub applied_at: Option<DateTime<Utc>>,
    /// Whether this binary has it, unchanged since it was applied.
    pub standing: Standing,
}

/// How an applied migration compares with the one in this binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Known, and not applied.
    Pending,
    /// Applied as this binary has it.
    Applied,
    /// Applied with another text than this binary has.
    Changed,
    /// Applied by a newer binary; unknown to this one.
    Unknown,
}

/// Connects as whoever `options` names, makes the roles where that is allowed,
/// and goes on as `daybook_migrator`.
///
/// # Errors
/// When the server does not answer, or this role may be neither administrator nor migrator.
pub async fn connect_as_migrator(
    options: &PgConnectOptions,
) -> Result<PgConnection, DatabaseError> {
    let mut connection = options.connect().await.map_err(DatabaseError::Unreachable)?;
    if may_bootstrap(&mut connection).await? {
        bootstrap(&mut connection).await?;
    }
    sqlx::raw_sql("SET ROLE daybook_migrator")
        .execute(&mut connection)
        .await
        .map_err(DatabaseError::NotMigrator)?;
    Ok(connection)
}

/// A pool whose connections work as `daybook_migrator`, for those who make tables beside the live ones.
///
/// # Errors
/// When the server does not answer, or this role may be neither administrator nor migrator.
pub async fn migrators(options: &PgConnectOptions) -> Result<PgPool, DatabaseError> {
    connect_as_migrator(options).await?.close().await?;
    Ok(PgPoolOptions::new()
        .max_connections(8)
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::raw_sql("SET ROLE daybook_migrator").execute(connection).await.map(drop)
            })
        })
        // Making tables takes what it takes: whole statements among the answers would say nothing.
        .connect_lazy_with(
            options
                .clone()
                .application_name("daybook daybook_migrator")
                .disable_statement_logging(),
        ))
}

/// Applies what is missing, up to and including `to`. Several may call it at once.
/// Returns the versions applied, oldest first.
///
/// # Errors
/// When a migration fails (it is rolled back, those before it stay), or the schema is another binary's.
pub async fn up(options: &PgConnectOptions, to: Option<i64>) -> Result<Vec<i64>, DatabaseError> {
    up_within(options, to, PATIENCE).await
}

/// The same as [`up`], with another patience than five minutes for who has its tables in use.
///
/// # Errors
/// As [`up`]; with [`DatabaseError::InUse`] when patience ends.
pub async fn up_within(
    options: &PgConnectOptions,
    to: Option<i64>,
    patience: Duration,
) -> Result<Vec<i64>, DatabaseError> {
    let mut connection = connect_to_migrate(options).await?;
    let before = applied(&mut connection).await?;
    let begun = Instant::now();
    let is_wanted = |version| to.is_none_or(|to| version <= to) && !before.contains_key(&version);
    if MIGRATIONS.iter().any(|migration| is_wanted(migration.version)) {
        keep_rebuilds_away(begun, patience, &mut connection).await?;
    }
    loop {
        let run = match to {
            Some(version) => MIGRATIONS.run_to(version, &mut connection).await,
            None => MIGRATIONS.run(&mut connection).await,
        };
        match run {
            Err(error) if is_in_use(&error) => {
                in_use(error, begun, patience, &mut connection).await?
            }
            other => break other?,
        }
    }
    // So that the service can tell whether the schema is the one that it knows.
    sqlx::raw_sql("GRANT SELECT ON public._sqlx_migrations TO daybook_writer, daybook_maintenance")
        .execute(&mut connection)
        .await?;
    let after = applied(&mut connection).await?;
    connection.close().await?;
    Ok(after.into_keys().filter(|version| !before.contains_key(version)).collect())
}

/// Undoes every migration after `to`. Returns the versions undone, newest first.
///
/// # Errors
/// When a migration cannot be undone; with [`DatabaseError::HoldsEvents`] when that would throw away
/// a log that has events and `discard_log` is not set.
pub async fn down(
    options: &PgConnectOptions,
    to: i64,
    discard_log: bool,
) -> Result<Vec<i64>, DatabaseError> {
    let mut connection = connect_to_migrate(options).await?;
    let before = applied(&mut connection).await?;
    if to < JOURNAL && before.contains_key(&JOURNAL) && !discard_log {
        let holds: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM journal.events)")
            .fetch_one(&mut connection)
            .await?;
        if holds {
            return Err(DatabaseError::HoldsEvents);
        }
    }
    let begun = Instant::now();
    keep_rebuilds_away(begun, PATIENCE, &mut connection).await?;
    loop {
        match MIGRATIONS.undo(&mut connection, to).await {
            Err(error) if is_in_use(&error) => {
                in_use(error, begun, PATIENCE, &mut connection).await?
            }
            other => break other?,
        }
    }
    let after = applied(&mut connection).await?;
    // What was undone was so in the live tables only: the others are none that one could go back to.
    while after.len() < before.len()
        && let Err(error) = rebuild::forget(&mut connection).await.map_err(MigrateError::Execute)
    {
        if !is_in_use(&error) {
            return Err(error.into());
        }
        in_use(error, begun, PATIENCE, &mut connection).await?;
    }
    connection.close().await?;
    Ok(before.into_keys().rev().filter(|version| !after.contains_key(version)).collect())
}

/// Connects, and waits until nobody else migrates. No migration waits for a table for longer than a
/// moment, since whoever wants that table next, every append for one, waits behind it.
async fn connect_to_migrate(options: &PgConnectOptions) -> Result<PgConnection, DatabaseError> {
    let mut connection = connect_as_migrator(options).await?;
    connection.lock().await?;
    sqlx::raw_sql("SET lock_timeout = '2s'").execute(&mut connection).await?;
    Ok(connection)
}

/// Waits until no rebuild runs, and lets none begin for as long as the connection lives.
async fn keep_rebuilds_away(
    begun: Instant,
    patience: Duration,
    connection: &mut PgConnection,
) -> Result<(), DatabaseError> {
    while !rebuild::alone(connection).await? {
        if begun.elapsed() >= patience {
            return Err(DatabaseError::Rebuilding);
        }
        tracing::warn!("a rebuild is under way; migrations wait for its end");
        tokio::time::sleep(AGAIN).await;
    }
    Ok(())
}

/// Whether a lock was not had in time.
fn is_in_use(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    let code = error.as_database_error().and_then(|error| error.code());
    // Not had in time, or given to another who was waited for in turn.
    matches!(code.as_deref(), Some("55P03" | "40P01"))
}

/// Lets those who wait behind it go on for a while; an error, when patience has ended.
async fn in_use(
    error: MigrateError,
    begun: Instant,
    patience: Duration,
    connection: &mut PgConnection,
) -> Result<(), DatabaseError> {
    let by: Vec<String> = sqlx::query_scalar(
        "SELECT format('%s (process %s)', a.usename, a.pid)
         FROM pg_locks l
         JOIN pg_class c ON c.oid = l.relation
         JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('journal', 'projector', 'public')
         JOIN pg_stat_activity a ON a.pid = l.pid
         WHERE l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND a.usesysid IS NOT NULL AND a.pid <> pg_backend_pid()
         GROUP BY a.usename, a.pid, a.xact_start
         ORDER BY a.xact_start, a.pid LIMIT 10",
    )
    .fetch_all(&mut *connection)
    .await?;
    let by = if by.is_empty() { "somebody who is gone".to_owned() } else { by.join(", ") };
    if begun.elapsed() >= patience {
        return Err(DatabaseError::InUse { error, by });
    }
    tracing::warn!(%error, %by, "the tables of a migration are in use; it is tried again in a second");
    tokio::time::sleep(AGAIN).await;
    Ok(())
}

/// Every migration, known or applied, in order. Changes nothing.
///
/// # Errors
/// When the server does not answer.
pub async fn status(connection: &mut PgConnection) -> Result<Vec<MigrationState>, DatabaseError> {
    let mut applied = applied(connection).await?;
    let mut states: Vec<_> = MIGRATIONS
        .iter()
        .filter(|migration| migration.migration_type.is_up_migration())
        .map(|migration| {
            let row = applied.remove(&migration.version);
            let standing = match &row {
                None => Standing::Pending,
                Some(row) if row.checksum == *migration.checksum => Standing::Applied,
                Some(_) => Standing::Changed,
            };
            MigrationState {
                version: migration.version,
                description: migration.description.to_string(),
                applied_at: row.map(|row| row.installed_on),
                standing,
            }
        })
        .collect();
    states.extend(applied.into_iter().map(|(version, row)| MigrationState {
        version,
        description: row.description,
        applied_at: Some(row.installed_on),
        standing: Standing::Unknown,
    }));
    states.sort_by_key(|state| state.version);
    Ok(states)
}

/// Refuses a schema that is not the one that this binary knows.
///
/// # Errors
/// When a migration is missing, changed or unknown, or the server does not answer.
pub async fn refuse_other_schema(connection: &mut PgConnection) -> Result<(), DatabaseError> {
    let other =
        status(connection).await?.into_iter().find(|state| state.standing != Standing::Applied);
    match other {
        Some(state) => Err(DatabaseError::OtherSchema(Box::new(state))),
        None => Ok(()),
    }
}

#[derive(sqlx::FromRow)]
struct AppliedRow {
    version: i64,
    description: String,
    installed_on: DateTime<Utc>,
    checksum: Vec<u8>,
}

async fn applied(
    connection: &mut PgConnection,
) -> Result<BTreeMap<i64, AppliedRow>, DatabaseError> {
    let exists: bool =
        sqlx::query_scalar("SELECT to_regclass('public._sqlx_migrations') IS NOT NULL")
            .fetch_one(&mut *connection)
            .await?;
    if !exists {
        return Ok(BTreeMap::new());
    }
    if let Some(version) = connection.dirty_version("public._sqlx_migrations").await? {
        return Err(MigrateError::Dirty(version).into());
    }
    let rows: Vec<AppliedRow> = sqlx::query_as(
        "SELECT version, description, installed_on, checksum FROM public._sqlx_migrations",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.version, row)).collect())
}
