//! Where the private server and its secrets are kept between runs.

use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use serde::{Deserialize, Serialize};

use super::DevError;
use super::cluster::write_secret;
use super::run_as::RunAs;

/// In the data directory: names the folder that is used in its place.
const ELSEWHERE: &str = "elsewhere";
const RECORD: &str = "server.toml";

/// The data directory, or what stands in for it where the server's user cannot reach it.
#[derive(Debug, Clone)]
pub struct Home {
    /// The folder in use.
    pub folder: PathBuf,
    /// Why it is not the data directory itself.
    pub instead_of: Option<PathBuf>,
}

/// What is remembered of the last start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The port, taken again when it is free.
    pub port: u16,
    /// The version that ran.
    pub version: String,
    /// Its binaries.
    pub binaries: PathBuf,
}

impl Home {
    /// Opens the data directory, made if it is not there. When root runs the server as another user who
    /// cannot reach that folder, one below `/var/tmp` stands in for it, now and in later runs.
    ///
    /// # Errors
    /// When the folder cannot be made, or belongs to somebody else.
    pub fn open(data_dir: &Path, run_as: Option<&RunAs>) -> Result<Self, DevError> {
        let data_dir = std::path::absolute(data_dir).map_err(DevError::io(data_dir))?;
        make(&data_dir, run_as.is_some())?;
        refuse_strangers(&data_dir)?;
        let pointer = data_dir.join(ELSEWHERE);
        if let Ok(remembered) = fs::read_to_string(&pointer) {
            let folder = PathBuf::from(remembered.trim());
            make(&folder, run_as.is_some())?;
            refuse_strangers(&folder)?;
            return Ok(Self { folder, instead_of: Some(data_dir) });
        }
        let Some(user) = run_as.filter(|user| !user.may_reach(&data_dir)) else {
            return Ok(Self { folder: data_dir, instead_of: None });
        };
        let folder = stand_in(&data_dir, user);
        make(&folder, true)?;
        refuse_strangers(&folder)?;
        fs::write(&pointer, folder.as_os_str().as_encoded_bytes())
            .map_err(DevError::io(&pointer))?;
        Ok(Self { folder, instead_of: Some(data_dir) })
    }

    /// A file of the home.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A secret that only we can read; made at random the first time.
    ///
    /// # Errors
    /// When it can be neither read nor written.
    pub fn secret(&self, name: &str) -> Result<String, DevError> {
        if let Some(secret) = self.known_secret(name)? {
            return Ok(secret);
        }
        let secret = random_secret()?;
        self.keep_secret(name, &secret)?;
        Ok(secret)
    }

    /// A secret, if it was kept.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn known_secret(&self, name: &str) -> Result<Option<String>, DevError> {
        let path = self.file(name);
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => Ok(Some(text.trim().to_owned())),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DevError::io(&path)(error)),
        }
    }

    /// Keeps a secret for later runs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_secret(&self, name: &str, secret: &str) -> Result<(), DevError> {
        write_secret(&self.file(name), secret)
    }

    /// What the last start left; `None` when there was none, or it cannot be understood.
    #[must_use]
    pub fn record(&self) -> Option<Record> {
        toml::from_str(&fs::read_to_string(self.file(RECORD)).ok()?).ok()
    }

    /// Remembers a start.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remember(&self, record: &Record) -> Result<(), DevError> {
        let path = self.file(RECORD);
        let text = toml::to_string(record)
            .map_err(|error| DevError::io(&path)(std::io::Error::other(error)))?;
        fs::File::create(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(DevError::io(&path))
    }
}

/// A password that nobody can guess: 24 random bytes in hexadecimal.
///
/// # Errors
/// When the system has no randomness.
pub fn random_secret() -> Result<String, DevError> {
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes)
        .map_err(|error| DevError::io(Path::new("randomness"))(std::io::Error::other(error)))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn make(folder: &Path, let_through: bool) -> Result<(), DevError> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).map_err(DevError::io(parent))?;
    }
    let made = fs::DirBuilder::new().mode(if let_through { 0o711 } else { 0o700 }).create(folder);
    match made {
        // Another process was as quick.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(DevError::io(folder)),
    }
}

/// The stand-in's name can be guessed by everyone on the machine, and so be taken by somebody else;
/// a link that they made there is not followed.
fn refuse_strangers(folder: &Path) -> Result<(), DevError> {
    let metadata = fs::symlink_metadata(folder).map_err(DevError::io(folder))?;
    if metadata.uid() == Uid::effective().as_raw() {
        Ok(())
    } else {
        Err(DevError::NotOurs(folder.to_path_buf()))
    }
}

fn stand_in(data_dir: &Path, user: &RunAs) -> PathBuf {
    let mut hasher = std::hash::DefaultHasher::new();
    data_dir.hash(&mut hasher);
    let name = format!("daybook-{:016x}", hasher.finish());
    let parent = ["/var/tmp", "/tmp"]
        .into_iter()
        .map(PathBuf::from)
        .find(|parent| user.may_reach(parent))
        .unwrap_or_else(std::env::temp_dir);
    parent.join(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn secrets_are_made_once_and_only_ours() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::open(&root.path().join("home"), None).unwrap();
        let secret = home.secret("service.password").unwrap();
        assert_eq!(secret.len(), 48);
        assert_eq!(home.secret("service.password").unwrap(), secret);
        assert_ne!(home.secret("other.password").unwrap(), secret);
        let mode = home.file("service.password").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(home.folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_start_is_remembered() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::open(root.path(), None).unwrap();
        assert_eq!(home.record(), None);
        let record = Record { port: 5433, version: "18.6".into(), binaries: "/opt/bin".into() };
        home.remember(&record).unwrap();
        assert_eq!(home.record(), Some(record));
    }

    #[test]
    fn a_folder_out_of_reach_is_replaced_by_one_that_is_remembered() {
        let root = tempfile::tempdir().unwrap();
        let shut = root.path().join("shut");
        fs::create_dir(&shut).unwrap();
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o700)).unwrap();
        let stranger = RunAs { name: "stranger".into(), uid: 65_533, gid: 65_533 };
        let data_dir = shut.join("data");
        let first = Home::open(&data_dir, Some(&stranger)).unwrap();
        assert_eq!(first.instead_of.as_deref(), Some(data_dir.as_path()));
        assert!(stranger.may_reach(&first.folder));
        // Also after the parent was opened: the data stays where it is.
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let second = Home::open(&data_dir, Some(&stranger)).unwrap();
        assert_eq!(second.folder, first.folder);
        fs::remove_dir_all(&first.folder).unwrap();
    }
}
