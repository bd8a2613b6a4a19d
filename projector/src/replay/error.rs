//! Why a replay ended early.

use std::io;
use std::path::Path;

use daybook_domain::message::DecodeError;
use daybook_store::ReadError;
use daybook_store::kafka::RelayError;

use crate::as_of::AsOfError;
use crate::columns::SheetError;

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An event's data is no JSON.
    #[error("position {position}: {source}")]
    Json {
        /// The event.
        position: i64,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// An event that this build does not know has no typed columns.
    #[error("position {position}: {source}")]
    Decode {
        /// The event.
        position: i64,
        /// What is not known.
        source: DecodeError,
    },
    /// A file.
    #[error("{path}: {source}{}", advice(source))]
    File {
        /// Which.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The brokers.
    #[error(transparent)]
    Topic(#[from] RelayError),
    /// The schema.
    #[error(transparent)]
    Schema(#[from] AsOfError),
    /// An event rests on others that the slice leaves out.
    #[error(
        "what is replayed up to position {position} does not fit together ({reason}): the slice leaves out what it rests on. Take whole streams: no --from and no --from-position, and by --contexts or --streams alone"
    )]
    Cut {
        /// The event.
        position: i64,
        /// How it does not fit.
        reason: String,
    },
    /// Whoever read what was written has gone away.
    #[error("nobody reads any more")]
    Gone,
    /// The stretch of the log that is asked for is none.
    #[error("{0}")]
    Stretch(String),
    /// What is there does not go with what is asked for.
    #[error("{0}")]
    InTheWay(String),
    /// A columnar file could not be made.
    #[error(transparent)]
    Columns(SheetError),
    /// Whoever it is told to did not take it, and may the next time.
    #[error("{0}; start it again with the same command, and it goes on")]
    NotTaken(String),
    /// Our own.
    #[error("the replay broke: {0}")]
    Fault(String),
}

/// What to do about it, where that is plain.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "; make the folder first, or name another",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; name a file that this user may write"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; make room, and start it again with the same command"
        }
        _ => "",
    }
}

impl ReplayError {
    /// What went wrong with this file.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| match source.kind() {
            io::ErrorKind::BrokenPipe => Self::Gone,
            _ => Self::File { path, source },
        }
    }
}
