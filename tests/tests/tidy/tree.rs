//! The repository as the rules see it: paths and texts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A text file of the repository.
#[derive(Debug, Clone)]
pub(crate) struct TextFile {
    /// Its path from the root, with forward slashes.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

impl TextFile {
    /// A file for a rule's own test.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether it is one of these crates' own code (not its tests).
    pub(crate) fn is_code_of(&self, crates: &[&str]) -> bool {
        self.path.ends_with(".rs")
            && crates.iter().any(|name| self.path.starts_with(&format!("{name}/src/")))
    }
}

/// What is not part of the project, wherever it stands.
const NOT_OURS: [&str; 3] = ["target", ".git", ".daybook"];

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the root").to_owned()
}

/// Every text file of the repository, read once.
pub(crate) fn files() -> &'static [TextFile] {
    static FILES: OnceLock<Vec<TextFile>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut found = Vec::new();
        collect(&root(), "", &mut found);
        found.sort_by(|a, b| a.path.cmp(&b.path));
        assert!(found.len() > 20, "the tree was not found at {}", root().display());
        found
    })
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<TextFile>) {
    for entry in fs::read_dir(folder).expect("a folder of the tree can be read") {
        let entry = entry.expect("a folder of the tree can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        if NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().expect("a file has a type");
        if kind.is_dir() {
            collect(&entry.path(), &format!("{path}/"), found);
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            found.push(TextFile { path, text });
        }
    }
}

/// Whether the repository has this file or folder.
pub(crate) fn exists(path: &str) -> bool {
    root().join(path).exists()
}
