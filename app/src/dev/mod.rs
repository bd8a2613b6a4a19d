//! A PostgreSQL of one's own, so that `daybook dev` needs nothing installed.

pub mod binaries;
pub mod cluster;
pub mod database;
pub mod download;
pub mod finder;
pub mod home;
pub mod private;
pub mod run_as;

pub use database::{Database, Preparation, ensure_database};

use std::path::{Path, PathBuf};

/// Why the private server is not there. Each says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// A file, folder or program.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Root, and nobody else to run a server as.
    #[error(
        "PostgreSQL does not run as root, and this machine has neither a user `postgres` nor `nobody`. Start daybook as an ordinary user, or set DATABASE_URL"
    )]
    NoOrdinaryUser,
    /// `initdb` failed.
    #[error("initdb failed: {0}")]
    Initdb(String),
    /// The server did not start.
    #[error("PostgreSQL did not start: {0}")]
    Start(String),
    /// The server did not stop.
    #[error("PostgreSQL (process {pid}) did not stop within a minute; it was told to quit at once")]
    Stop {
        /// Its process.
        pid: i32,
    },
    /// Nothing installed, and nothing to be had.
    #[error(
        "PostgreSQL cannot be downloaded: {0}. Install PostgreSQL 15 or newer, or set DATABASE_URL to a server"
    )]
    Download(String),
    /// Nothing installed, and a download is not wanted.
    #[error(
        "no server binaries of PostgreSQL 15 or newer that can be run ({0}). Install them, or let DAYBOOK_POSTGRES be `auto` to download them"
    )]
    NoBinaries(binaries::Source),
    /// The data directory is another version's.
    #[error("{data} was made by PostgreSQL {major}, and no such server was found{detail}. Install PostgreSQL {major}, or move that folder away to begin anew", data = data.display())]
    OtherVersion {
        /// The data directory.
        data: PathBuf,
        /// The version that made it.
        major: u32,
        /// What else was found.
        detail: String,
    },
    /// A folder in a shared place that is not ours.
    #[error("{0} belongs to somebody else; take it away, or choose another --data-dir")]
    NotOurs(PathBuf),
    /// A superuser's URL, and no way to log in as the service.
    #[error("DATABASE_URL names an administrator, and the service never works as one{}. Let DATABASE_URL name daybook_service, and DAYBOOK_MIGRATE_URL the administrator", if *exists { "; the role daybook_service exists, with a password that is not known here" } else { "; `daybook dev` or `daybook migrate up` makes the role daybook_service" })]
    ServiceUnknown {
        /// Whether the role exists.
        exists: bool,
    },
    /// The database on it.
    #[error(transparent)]
    Database(#[from] crate::database::DatabaseError),
}

impl DevError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |error| Self::Io { path, error }
    }
}
