//! Finds PostgreSQL's server binaries on this machine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::run_as::RunAs;

/// The oldest major version that this works on.
pub const OLDEST_MAJOR: u32 = 15;

/// A folder with `postgres` and `initdb`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Binaries {
    /// Major and minor version; first, so that the newest sorts last.
    pub version: (u32, u32),
    /// Where they are.
    pub folder: PathBuf,
}

impl Binaries {
    /// Looks at a folder: `None` when it has no working `postgres` and `initdb`.
    #[must_use]
    pub fn at(folder: &Path) -> Option<Self> {
        if !folder.join("initdb").is_file() {
            return None;
        }
        let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
        let version = parse_version(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { version, folder: folder.to_path_buf() })
    }

    /// The major version, such as 18.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.version.0
    }
}

impl std::fmt::Display for Binaries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgreSQL {}.{} in {}", self.version.0, self.version.1, self.folder.display())
    }
}

/// Every usable installation, oldest first: those in `folders` that are new enough and that `run_as`
/// may execute.
#[must_use]
pub fn usable(folders: impl IntoIterator<Item = PathBuf>, run_as: Option<&RunAs>) -> Vec<Binaries> {
    let mut seen = BTreeSet::new();
    for folder in folders {
        // Links in a common folder, as some systems make them, lead to the installation itself.
        let Ok(program) = folder.join("postgres").canonicalize() else { continue };
        let Some(folder) = program.parent().map(Path::to_path_buf) else { continue };
        if run_as.is_some_and(|user| !user.may_reach(&folder)) {
            continue;
        }
        if let Some(found) = Binaries::at(&folder).filter(|found| found.major() >= OLDEST_MAJOR) {
            seen.insert(found);
        }
    }
    seen.into_iter().collect()
}

/// Where installations are usually found: beside `postgres` or as `pg_config` says in PATH, and the
/// folders of Debian, Red Hat, Homebrew, Postgres.app and a plain `make install`.
#[must_use]
pub fn usual_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| {
            std::env::split_paths(&path)
                .filter(|folder| folder.join("postgres").is_file())
                .collect()
        })
        .unwrap_or_default();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    for (parent, prefix, suffix) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql", "bin"),
        ("/usr/local/opt", "postgresql", "bin"),
        ("/usr/local", "pgsql", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ] {
        folders.extend(children(Path::new(parent), prefix).map(|child| child.join(suffix)));
    }
    folders
}

/// The folders in `parent` whose name begins with `prefix`.
pub(super) fn children<'a>(
    parent: &Path,
    prefix: &'a str,
) -> impl Iterator<Item = PathBuf> + use<'a> {
    std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter(move |entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path())
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, `… 19beta1`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let version = text.split("(PostgreSQL)").nth(1)?.split_whitespace().next()?;
    let digits = |text: &str| -> Option<u32> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse().ok()
    };
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    Some((digits(major)?, digits(minor).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn installation(parent: &Path, name: &str, version: &str) -> PathBuf {
        let folder = parent.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for program in ["postgres", "initdb"] {
            let path = folder.join(program);
            std::fs::write(&path, format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n"))
                .unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    #[test]
    fn versions_are_read_as_each_distribution_prints_them() {
        assert_eq!(
            parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some((15, 18))
        );
        assert_eq!(parse_version("postgres (PostgreSQL) 18.6"), Some((18, 6)));
        assert_eq!(parse_version("postgres (PostgreSQL) 19beta1"), Some((19, 0)));
        assert_eq!(parse_version("mysqld 8.0"), None);
    }

    #[test]
    fn the_newest_is_last_and_what_is_too_old_is_left_out() {
        let root = tempfile::tempdir().unwrap();
        let folders = [
            installation(root.path(), "b", "17.2"),
            installation(root.path(), "a", "18.1"),
            installation(root.path(), "c", "9.6.24"),
            installation(root.path(), "d", "14.11"),
            root.path().join("absent"),
        ];
        let found = usable(folders.clone(), None);
        let versions: Vec<_> = found.iter().map(|binaries| binaries.version).collect();
        assert_eq!(versions, [(17, 2), (18, 1)]);
    }

    #[test]
    fn what_the_server_user_cannot_reach_is_left_out() {
        let root = tempfile::tempdir().unwrap();
        let open = installation(root.path(), "open/bin", "18.1");
        let shut = installation(root.path(), "shut/bin", "18.2");
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::set_permissions(root.path().join("shut"), std::fs::Permissions::from_mode(0o700))
            .unwrap();
        let stranger = RunAs { name: "stranger".into(), uid: 65_533, gid: 65_533 };
        let found = usable([open, shut], Some(&stranger));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].version, (18, 1));
    }
}
