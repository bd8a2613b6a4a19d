//! One output, one replay: two that wrote the same file at once would leave neither.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{ReplayError, kept};

/// An output is this replay's until it is dropped, or its process ends.
#[derive(Debug)]
pub(super) struct Claim {
    place: PathBuf,
    /// Locked. What a process that was killed leaves is not.
    _file: File,
}

impl Claim {
    /// Claims what is written at `path`, by a file beside it.
    ///
    /// # Errors
    /// Another replay has it, or no file can be made there.
    pub(super) fn of(path: &Path) -> Result<Self, ReplayError> {
        let place = kept::beside(&kept::place(path), ".lock");
        loop {
            let opened = File::options().write(true).create(true).truncate(false).open(&place);
            let file = opened.map_err(ReplayError::file(&place))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(ReplayError::InTheWay(format!(
                        "another replay is writing to {} right now; wait until it has ended, or name another",
                        path.display()
                    )));
                }
                Err(TryLockError::Error(error)) => return Err(ReplayError::file(&place)(error)),
            }
            // Whoever had it may have taken the file away after it was opened here.
            if is_there(&file, &place).map_err(ReplayError::file(&place))? {
                return Ok(Self { place, _file: file });
            }
        }
    }
}

fn is_there(file: &File, place: &Path) -> io::Result<bool> {
    match fs::metadata(place) {
        Ok(there) => Ok(there.ino() == file.metadata()?.ino()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // While it is locked still. A file that stays is in nobody's way.
        let _ = fs::remove_file(&self.place);
    }
}
