//! A merged migration never changes: databases that ran it would not know.
//!
//! `migrations/CHECKSUMS` has the SHA-256 of every file, as `sha256sum -c`
//! reads it. After adding a migration:
//!
//! ```text
//! DAYBOOK_ACCEPT_MIGRATIONS=1 cargo test -p daybook-tests --test tidy
//! ```
//!
//! adds lines for new files. It never changes a line that is there; a mistake in
//! a merged migration is mended by another migration.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sha2::{Digest, Sha256};

use crate::assert_none;
use crate::tree::{TextFile, files, root};

const CHECKSUMS: &str = "migrations/CHECKSUMS";

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The migration files by name.
fn migrations(files: &[TextFile]) -> BTreeMap<&str, &str> {
    files
        .iter()
        .filter(|file| file.path.ends_with(".sql"))
        .filter_map(|file| Some((file.path.strip_prefix("migrations/")?, file.text.as_str())))
        .collect()
}

/// What `CHECKSUMS` says, by file name.
fn listed(checksums: &str) -> BTreeMap<&str, &str> {
    checksums
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(sum, name)| (name, sum))
        .collect()
}

/// What differs between the list and the files.
fn changed(files: &[TextFile], checksums: &str) -> Vec<String> {
    let migrations = migrations(files);
    let listed = listed(checksums);
    let mut complaints = Vec::new();
    for (name, sum) in &listed {
        match migrations.get(name) {
            None => complaints.push(format!("{name} was merged and is gone")),
            Some(text) if sha256(text) != *sum => {
                complaints
                    .push(format!("{name} was merged and has changed: add another migration"));
            }
            Some(_) => {}
        }
    }
    for name in migrations.keys().filter(|name| !listed.contains_key(**name)) {
        complaints.push(format!(
            "{name} is not in {CHECKSUMS}: run DAYBOOK_ACCEPT_MIGRATIONS=1 cargo test -p daybook-tests --test tidy"
        ));
    }
    complaints
}

/// The list with lines for the files that it does not have yet.
fn with_new_files(files: &[TextFile], checksums: &str) -> String {
    let listed = listed(checksums);
    let mut lines: BTreeMap<String, String> =
        listed.iter().map(|(name, sum)| ((*name).to_owned(), (*sum).to_owned())).collect();
    for (name, text) in migrations(files) {
        lines.entry(name.to_owned()).or_insert_with(|| sha256(text));
    }
    lines.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect()
}

/// What is wrong with the names: `NNNN_context_aggregate.{up,down}.sql` in pairs.
fn badly_named(files: &[TextFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut numbers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut halves: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for name in migrations(files).into_keys() {
        let half = [".up.sql", ".down.sql"].into_iter().find(|half| name.ends_with(half));
        let stem = half.and_then(|half| name.strip_suffix(half));
        let number = stem.and_then(|stem| stem.split_once('_')).map(|(number, _)| number);
        match (stem, half, number) {
            (Some(stem), Some(half), Some(number))
                if number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                halves.entry(stem).or_default().insert(half);
                numbers.entry(number).or_default().insert(stem);
            }
            _ => {
                complaints.push(format!("{name} is not NNNN_context_aggregate.up.sql or .down.sql"))
            }
        }
    }
    for (stem, halves) in halves {
        if halves.len() != 2 {
            complaints.push(format!("{stem} has only {halves:?}: migrations are reversible pairs"));
        }
    }
    for (number, stems) in numbers {
        if stems.len() > 1 {
            complaints.push(format!("{number} is the number of {stems:?}"));
        }
    }
    complaints
}

#[test]
fn merged_migrations_are_unchanged() {
    let path = root().join(CHECKSUMS);
    let mut checksums = fs::read_to_string(&path).unwrap_or_default();
    if std::env::var_os("DAYBOOK_ACCEPT_MIGRATIONS").is_some() {
        assert!(std::env::var_os("CI").is_none(), "CI accepts nothing; commit {CHECKSUMS}");
        checksums = with_new_files(files(), &checksums);
        fs::write(&path, &checksums).expect("the list can be written");
    }
    assert!(!checksums.is_empty(), "{CHECKSUMS} is not there");
    assert_none("merged migrations", &changed(files(), &checksums));
}

#[test]
fn every_migration_is_a_numbered_pair() {
    assert!(!migrations(files()).is_empty(), "there are no migrations");
    assert_none("migrations' names", &badly_named(files()));
}

#[test]
fn a_changed_migration_is_seen_and_never_accepted() {
    let merged = [
        TextFile::new("migrations/0001_journal.up.sql", "CREATE SCHEMA journal;"),
        TextFile::new("migrations/0001_journal.down.sql", "DROP SCHEMA journal;"),
    ];
    let list = with_new_files(&merged, "");
    assert_eq!(changed(&merged, &list), Vec::<String>::new());

    let edited = [
        TextFile::new("migrations/0001_journal.up.sql", "CREATE SCHEMA log;"),
        TextFile::new("migrations/0002_x.up.sql", ""),
        TextFile::new("migrations/2_y.up.sql", ""),
        TextFile::new("migrations/0002_z.up.sql", ""),
    ];
    let accepted = with_new_files(&edited, &list);
    assert_eq!(accepted.lines().count(), 5, "{accepted}");
    let complaints = changed(&edited, &accepted).join("\n");
    assert!(complaints.contains("0001_journal.up.sql was merged and has changed"), "{complaints}");
    assert!(complaints.contains("0001_journal.down.sql was merged and is gone"), "{complaints}");

    let names = badly_named(&edited).join("\n");
    assert!(names.contains("2_y.up.sql is not NNNN"), "{names}");
    assert!(names.contains("0002_x has only"), "{names}");
    assert!(names.contains("0002 is the number of"), "{names}");
}
