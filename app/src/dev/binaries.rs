//! Which server binaries to use: those named, those installed, or a download.

use std::path::{Path, PathBuf};

use super::DevError;
use super::download;
use super::finder::{Binaries, OLDEST_MAJOR, usable, usual_folders};
use super::run_as::RunAs;

/// Where server binaries may come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Source {
    /// The newest installed, else a download.
    #[default]
    Auto,
    /// Only what is installed.
    Installed,
    /// Only a download, whatever is installed.
    Download,
    /// Those in this folder.
    Folder(PathBuf),
}

impl std::str::FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "installed" => Ok(Self::Installed),
            "download" => Ok(Self::Download),
            path if path.starts_with('/') => Ok(Self::Folder(path.into())),
            other => Err(format!("{other:?} is not auto, installed, download or an absolute path")),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Installed => f.write_str("installed"),
            Self::Download => f.write_str("download"),
            Self::Folder(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Chooses binaries for a new data directory, or for one that exists.
#[derive(Debug)]
pub struct Choice<'a> {
    /// Where they may come from.
    pub source: &'a Source,
    /// The data directory's path and the version that made it, when it exists: no other version opens it.
    pub made_by: Option<(&'a Path, u32)>,
    /// Who will run them.
    pub run_as: Option<&'a RunAs>,
    /// Where downloads are kept.
    pub downloads: &'a Path,
}

impl Choice<'_> {
    /// Decides, and downloads if that is what is left.
    ///
    /// # Errors
    /// When there are none of a fitting version.
    pub async fn make(&self) -> Result<Binaries, DevError> {
        let installed = match self.source {
            Source::Auto | Source::Installed => usable(usual_folders(), self.run_as),
            Source::Folder(folder) => usable([folder.clone()], self.run_as),
            Source::Download => Vec::new(),
        };
        if let Some(found) = self.fitting(&installed) {
            return Ok(found);
        }
        let may_download = matches!(self.source, Source::Auto | Source::Download);
        match self.made_by {
            None if may_download => {
                download::obtain(download::MAJOR, self.downloads, self.run_as).await
            }
            None => Err(DevError::NoBinaries(self.source.clone())),
            Some((data, major)) => {
                if may_download
                    && let Ok(found) = download::obtain(major, self.downloads, self.run_as).await
                {
                    return Ok(found);
                }
                Err(other_version(data, major, &installed))
            }
        }
    }

    fn fitting(&self, installed: &[Binaries]) -> Option<Binaries> {
        let fits = |found: &&Binaries| match self.made_by {
            Some((_, major)) => found.major() == major,
            None => found.major() >= OLDEST_MAJOR,
        };
        installed.iter().rev().find(fits).cloned()
    }
}

fn other_version(data: &Path, major: u32, installed: &[Binaries]) -> DevError {
    let names: Vec<_> = installed.iter().map(ToString::to_string).collect();
    let detail =
        if names.is_empty() { String::new() } else { format!(" (only {})", names.join(", ")) };
    DevError::OtherVersion { data: data.to_path_buf(), major, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binaries(major: u32, minor: u32) -> Binaries {
        Binaries { version: (major, minor), folder: format!("/opt/{major}.{minor}/bin").into() }
    }

    fn choice(made_by: Option<(&'static Path, u32)>) -> Choice<'static> {
        Choice {
            source: &Source::Installed,
            made_by,
            run_as: None,
            downloads: Path::new("/nowhere"),
        }
    }

    #[test]
    fn a_new_folder_takes_the_newest_and_an_old_one_its_own() {
        let installed = [binaries(15, 4), binaries(16, 1), binaries(16, 3), binaries(18, 0)];
        assert_eq!(choice(None).fitting(&installed), Some(binaries(18, 0)));
        let data = Path::new("/data");
        assert_eq!(choice(Some((data, 16))).fitting(&installed), Some(binaries(16, 3)));
        assert_eq!(choice(Some((data, 17))).fitting(&installed), None);
    }

    #[test]
    fn the_refusal_names_both_versions() {
        let text = other_version(Path::new("/data"), 17, &[binaries(15, 4)]).to_string();
        assert!(text.contains("made by PostgreSQL 17") && text.contains("15.4"), "{text}");
    }
}
