//! What an unfinished replay keeps beside its output, so that another run goes on where it was.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Destination, ReplayError};

/// How far an unfinished replay is. Everything up to `reached` is in its output, and lasts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// What is replayed.
    pub(super) order: Value,
    /// The log's epoch.
    pub(super) epoch: i64,
    /// After this position.
    pub(super) after: i64,
    /// Up to and including this one.
    pub(super) up_to: i64,
    /// Everything wanted up to here is written.
    pub(super) reached: i64,
    /// The bytes of the file that are written for good.
    pub(super) bytes: u64,
    /// How many events of each type are written.
    pub(super) types: BTreeMap<String, u64>,
    /// The digest of what is written, to go on with.
    pub(super) digest: String,
    /// How far the output itself said that it was.
    #[serde(default)]
    pub(super) mark: i64,
}

/// The file with the state beside an output.
pub(super) fn place(path: &Path) -> PathBuf {
    beside(path, ".replay")
}

/// The file beside another whose name goes on with this.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

impl Kept {
    /// What an unfinished replay to this destination left.
    ///
    /// # Errors
    /// Something else is there; it is thrown away where that is wanted.
    pub(super) fn find(destination: &Destination) -> Result<Option<Self>, ReplayError> {
        let (path, anew) = match destination {
            Destination::Stdout => return Ok(None),
            Destination::Path { path, anew } => (path, *anew),
            Destination::Topic { path, anew, .. }
            | Destination::Schema { path, anew, .. }
            | Destination::Sink { path, anew, .. } => (path, *anew),
        };
        let beside = place(path);
        if anew {
            remove(&beside)?;
            if matches!(destination, Destination::Path { .. }) {
                remove(path)?;
            }
            return Ok(None);
        }
        match fs::read(&beside) {
            Ok(text) => {
                let kept: Self = serde_json::from_slice(&text).map_err(|error| {
                    ReplayError::InTheWay(format!(
                        "{} is no state of a replay ({error}); --anew throws it away and begins again",
                        beside.display()
                    ))
                })?;
                // One that came to nothing binds nobody, where what it may have left is known without it.
                let binds = match destination {
                    Destination::Stdout | Destination::Path { .. } | Destination::Topic { .. } => {
                        true
                    }
                    Destination::Schema { .. } | Destination::Sink { .. } => {
                        kept.reached > kept.after
                    }
                };
                Ok(binds.then_some(kept))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if matches!(destination, Destination::Path { .. }) && path.exists() {
                    return Err(ReplayError::InTheWay(format!(
                        "{} is there already; name another, or --anew throws it away",
                        path.display()
                    )));
                }
                Ok(None)
            }
            Err(error) => Err(ReplayError::file(&beside)(error)),
        }
    }

    /// Refuses to go on with something else.
    ///
    /// # Errors
    /// Another order, or another life of the log.
    pub(super) fn fits(&self, asked: &Value, epoch: i64) -> Result<(), ReplayError> {
        if self.order != *asked {
            return Err(ReplayError::InTheWay(format!(
                "an unfinished replay of something else is here: it was asked for {}, this is {asked}; finish that one, or --anew throws it away",
                self.order
            )));
        }
        if self.epoch != epoch {
            return Err(ReplayError::InTheWay(format!(
                "the unfinished replay is of the log's epoch {}, this is epoch {epoch}: what it wrote may be gone from the log; --anew begins again",
                self.epoch
            )));
        }
        Ok(())
    }

    /// Takes the place of the state before, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn save(&self, path: &Path) -> Result<(), ReplayError> {
        let kept = place(path);
        let next = beside(&kept, ".next");
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| ReplayError::Fault(error.to_string()))?;
        let write = || {
            let mut file = File::create(&next)?;
            file.write_all(&text)?;
            file.sync_data()?;
            fs::rename(&next, &kept)
        };
        write().map_err(ReplayError::file(&kept))
    }
}

/// Takes away a file or a folder, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), ReplayError> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ReplayError::file(path)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
