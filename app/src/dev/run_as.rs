//! As whom the private server runs: `initdb` and `postgres` refuse root.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Uid, User, chown};

use super::DevError;

/// An ordinary user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunAs {
    /// The user's name.
    pub name: String,
    /// The user's number.
    pub uid: u32,
    /// The number of the user's own group.
    pub gid: u32,
}

impl RunAs {
    /// For root, a user that exists: `postgres`, else `nobody`. For everyone else `None`: themselves.
    ///
    /// # Errors
    /// When this is root and neither exists.
    pub fn choose() -> Result<Option<Self>, DevError> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| {
                Some(Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() })
            })
            .ok_or(DevError::NoOrdinaryUser)
    }

    /// Whether the user may go through every folder down to and into `folder`, by the permission bits.
    #[must_use]
    pub fn may_reach(&self, folder: &Path) -> bool {
        let Ok(folder) = folder.canonicalize() else { return false };
        folder.ancestors().all(|step| {
            step.metadata().is_ok_and(|metadata| {
                let class = if metadata.uid() == self.uid {
                    0o100
                } else if metadata.gid() == self.gid {
                    0o010
                } else {
                    0o001
                };
                metadata.mode() & class != 0
            })
        })
    }

    /// Gives a file or folder to the user.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn give(&self, path: &Path) -> Result<(), DevError> {
        chown(path, Some(self.uid.into()), Some(self.gid.into()))
            .map_err(|error| DevError::io(path)(error.into()))
    }
}

/// A command that runs as `run_as` (or as ourselves), with nothing of PostgreSQL's own settings
/// taken from the environment.
#[must_use]
pub fn command(program: &Path, run_as: Option<&RunAs>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C").env("TZ", "UTC");
    if let Some(user) = run_as {
        command.uid(user.uid).gid(user.gid).env("HOME", "/").env("USER", &user.name);
    }
    command
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_is_reached_only_through_open_parents() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let mode = |mode| std::fs::Permissions::from_mode(mode);
        let stranger = RunAs { name: "stranger".into(), uid: 65_533, gid: 65_533 };
        std::fs::set_permissions(&inner, mode(0o755)).unwrap();
        std::fs::set_permissions(root.path(), mode(0o700)).unwrap();
        assert!(!stranger.may_reach(&inner));
        std::fs::set_permissions(root.path(), mode(0o711)).unwrap();
        assert!(stranger.may_reach(&inner));
        assert!(!stranger.may_reach(&root.path().join("absent")));
    }
}
