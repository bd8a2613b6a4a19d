//! Real data that lies beside the project, where it does.

use std::path::{Path, PathBuf};

/// A file or folder of the material in `shared/`, beside the project or where
/// `DAYBOOK_SHARED` says. `None`, and loudly so, where it is not there; in CI
/// (`CI=true`) that is a failure.
///
/// # Panics
/// In CI, when it is missing.
#[must_use]
pub fn shared(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DAYBOOK_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let wanted = folder.join(path);
    if wanted.exists() {
        return Some(wanted);
    }
    let missing = format!("{} is not there", wanted.display());
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{missing}, and CI needs it");
    eprintln!("********************************************************");
    eprintln!("** SKIPPED: {missing}");
    eprintln!("** (set DAYBOOK_SHARED to the folder with the real data)");
    eprintln!("********************************************************");
    None
}
