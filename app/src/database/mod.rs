//! The database as the service sees it: roles, schema, and one pool a role.

mod bootstrap;
pub mod migrate;
mod pools;
mod privilege;

pub use bootstrap::{bootstrap, may_bootstrap, set_service_password};
pub use pools::{PoolSizes, Pools, Role};
pub use privilege::Privileges;

/// The oldest PostgreSQL that this works on, as `server_version_num`.
pub const OLDEST_SERVER: i32 = 150_000;

/// Why the database cannot be used. Each says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The connection string cannot be read.
    #[error(
        "the database URL cannot be read: {0}. It looks like postgres://user:password@host:5432/database?sslmode=require"
    )]
    Url(#[source] sqlx::Error),
    /// No connection.
    #[error(
        "cannot connect to the database: {0}. Check the URL (DATABASE_URL, or DAYBOOK_MIGRATE_URL where an administrator is needed), and that the server runs, has the database and lets this user in"
    )]
    Unreachable(#[source] sqlx::Error),
    /// The roles could not be made.
    #[error(
        "the roles cannot be made: {0}. Run `daybook migrate up` with DAYBOOK_MIGRATE_URL naming a superuser, or the database's owner with CREATEROLE"
    )]
    Bootstrap(#[source] sqlx::Error),
    /// The role that migrations run as cannot be taken on.
    #[error(
        "cannot become daybook_migrator: {0}. Let DAYBOOK_MIGRATE_URL name a superuser, the database's owner with CREATEROLE, or a member of daybook_migrator"
    )]
    NotMigrator(#[source] sqlx::Error),
    /// A migration failed.
    #[error(
        "{0}. What was applied before it stays; `daybook migrate status` shows where it stands"
    )]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A migration did not get hold of its tables.
    #[error(
        "{error}. Its tables are in use by {by}: end what is open there, or wait for a quiet moment, and run the command again. Nothing of that migration was done, what was applied before it stays"
    )]
    InUse {
        /// What the server said.
        error: sqlx::migrate::MigrateError,
        /// Who has locks on tables.
        by: String,
    },
    /// A rebuild would put back what a migration changes.
    #[error(
        "a rebuild of the read tables is under way (`daybook rebuild --status` shows it), and its tables would take the place of those that a migration changes: wait for its end, or end it, and run the command again. No migration was applied or undone"
    )]
    Rebuilding,
    /// The schema is another binary's.
    #[error("migration {:04} ({}) is {:?}: the schema is not the one that this daybook knows. `daybook migrate status` shows where it stands, `daybook migrate up` brings it up to date; a newer schema needs the newer daybook", .0.version, .0.description, .0.standing)]
    OtherSchema(Box<migrate::MigrationState>),
    /// Undoing would throw events away.
    #[error(
        "the log has events, and this would throw them away for good. If that is meant, say so with --discard-log"
    )]
    HoldsEvents,
    /// A role that the service works in cannot be taken on.
    #[error(
        "cannot work as {role}: {error}. Let DATABASE_URL name daybook_service, and run `daybook migrate up` first"
    )]
    NoRole {
        /// The role.
        role: &'static str,
        /// What the server said.
        error: sqlx::Error,
    },
    /// The database's policies would not bind the service.
    #[error(
        "refusing to serve: {0}, so row-level policies would not hold. Let DATABASE_URL name daybook_service (give it a password with ALTER ROLE daybook_service PASSWORD '…'), and use this one as DAYBOOK_MIGRATE_URL"
    )]
    Privileged(String),
    /// The server is too old.
    #[error("the server is PostgreSQL {0}; 15 or newer is needed")]
    TooOld(String),
    /// A statement failed.
    #[error("the database refused: {0}")]
    Statement(#[from] sqlx::Error),
}
