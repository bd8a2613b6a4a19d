//! One pool a role: every connection logs in as the service and works in one role.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

use super::{DatabaseError, OLDEST_SERVER, Privileges};

/// The roles that the service works in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Appends to the log, and reads it.
    Writer,
    /// Posts events to the read tables.
    Projector,
    /// Reads the read tables under their policies.
    Reader,
    /// Makes partitions, and takes away what is past its time.
    Maintenance,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Writer, Self::Projector, Self::Reader, Self::Maintenance];

    /// Its name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Writer => "daybook_writer",
            Self::Projector => "daybook_projector",
            Self::Reader => "application_role",
            Self::Maintenance => "daybook_maintenance",
        }
    }

    /// How to connect in this role. A reader's transactions are read-only, and nobody may leave a
    /// transaction open: it would hold back vacuum, and a writer's would hold up the log.
    #[must_use]
    pub fn options(self, service: &PgConnectOptions) -> PgConnectOptions {
        let options = service
            .clone()
            .application_name(&format!("daybook {}", self.name()))
            .options([("role", self.name()), ("idle_in_transaction_session_timeout", "60s")]);
        match self {
            Self::Reader => options
                .options([("default_transaction_read_only", "on"), ("statement_timeout", "30s")]),
            Self::Writer | Self::Projector | Self::Maintenance => options,
        }
    }
}

/// What a reader's connection takes on, a transaction at a time, on behalf of those who may read
/// everything.
const TAKEN_ON: [&str; 2] = ["daybook_analyst", "daybook_auditor"];

/// How many connections each pool may open.
#[derive(Debug, Clone, Copy)]
pub struct PoolSizes {
    /// One of them appends; the others load streams.
    pub writer: u32,
    /// For the projector.
    pub projector: u32,
    /// For queries.
    pub reader: u32,
}

impl Default for PoolSizes {
    fn default() -> Self {
        Self { writer: 12, projector: 8, reader: 16 }
    }
}

/// One pool a role.
#[derive(Debug, Clone)]
pub struct Pools {
    /// Role `daybook_writer`: appends, and reads the log.
    pub writer: PgPool,
    /// Role `daybook_projector`: posts, and reads the log.
    pub projector: PgPool,
    /// Role `application_role`: reads the read tables, read-only.
    pub reader: PgPool,
    /// Role `daybook_maintenance`.
    pub maintenance: PgPool,
}

impl Pools {
    /// Connects in each role once, refuses what the policies would not bind, and opens the pools.
    ///
    /// # Errors
    /// When the server does not answer or is too old, a role cannot be taken on, or the service is
    /// a superuser, has BYPASSRLS, or owns a table.
    pub async fn connect(
        service: &PgConnectOptions,
        sizes: PoolSizes,
    ) -> Result<Self, DatabaseError> {
        check_service(service).await?;
        Ok(Self::lazy(service, sizes))
    }

    /// The pools without a look at the server; they connect when they are used.
    #[must_use]
    pub fn lazy(service: &PgConnectOptions, sizes: PoolSizes) -> Self {
        Self {
            writer: pool(Role::Writer, service, sizes.writer),
            projector: pool(Role::Projector, service, sizes.projector),
            reader: pool(Role::Reader, service, sizes.reader),
            maintenance: pool(Role::Maintenance, service, 2),
        }
    }

    /// The pool of a role.
    #[must_use]
    pub fn of(&self, role: Role) -> &PgPool {
        match role {
            Role::Writer => &self.writer,
            Role::Projector => &self.projector,
            Role::Reader => &self.reader,
            Role::Maintenance => &self.maintenance,
        }
    }

    /// Closes every connection, once what is under way is done.
    pub async fn close(&self) {
        for role in Role::ALL {
            self.of(role).close().await;
        }
    }
}

/// For how long a connection rests before it is asked whether it is still alive.
const RESTED: Duration = Duration::from_secs(1);

fn pool(role: Role, service: &PgConnectOptions, size: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(Duration::from_secs(10))
        .idle_timeout(Duration::from_secs(300))
        // A connection in steady use is not asked before each use whether it is alive: that would
        // double every round trip. One that rested is.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move { Ok(meta.idle_for < RESTED || connection.ping().await.is_ok()) })
        })
        .connect_lazy_with(role.options(service))
}

async fn check_service(service: &PgConnectOptions) -> Result<(), DatabaseError> {
    let mut connection = service.connect().await.map_err(DatabaseError::Unreachable)?;
    let (number, version): (i32, String) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version')",
    )
    .fetch_one(&mut connection)
    .await?;
    if number < OLDEST_SERVER {
        return Err(DatabaseError::TooOld(version));
    }
    refuse_privileged(&mut connection).await?;
    connection.close().await?;
    for role in TAKEN_ON {
        sqlx::query("SELECT set_config('role', $1, true)")
            .bind(role)
            .execute(&mut service.connect().await.map_err(DatabaseError::Unreachable)?)
            .await
            .map_err(|error| DatabaseError::NoRole { role, error })?;
    }
    for role in Role::ALL {
        let mut connection = role
            .options(service)
            .connect()
            .await
            .map_err(|error| DatabaseError::NoRole { role: role.name(), error })?;
        refuse_privileged(&mut connection).await?;
        connection.close().await?;
    }
    Ok(())
}

async fn refuse_privileged(connection: &mut sqlx::PgConnection) -> Result<(), DatabaseError> {
    match Privileges::of(connection).await?.objection() {
        Some(objection) => Err(DatabaseError::Privileged(objection)),
        None => Ok(()),
    }
}
