//! The same path, `banking/account`, means the same thing in `domain`,
//! `projector`, `migrations` and `tests`.

use std::collections::BTreeSet;

use crate::assert_none;
use crate::tree::{TextFile, files};

/// Aggregates that have no read table of their own, and why.
const WITHOUT_ROWS: [(&str, &str); 2] = [
    ("identity/admins", "the roster that guards the last administrator; users.role shows it"),
    ("contracts/rulebook", "the rules in effect, which guard contracts; is_enabled shows them"),
];

/// Migrations that make no aggregate's table, and what they make.
const OTHER_MIGRATIONS: &[(&str, &str)] = &[
    ("journal", "the log"),
    ("journal_append", "the one way into the log"),
    ("journal_append_rows", "the same, cheaper to call"),
    ("journal_append_holds", "the same, for streams closed with thousands that hold them"),
    ("journal_append_alone", "the same, with a short way for one event alone"),
    ("journal_append_actor", "and that one may refer to who asked"),
    ("journal_append_settings", "the same, with its planner settings left to the session"),
    ("journal_streams_by_version", "a stream's row is found at once beneath a long snapshot"),
    ("journal_records", "what people did that made no event"),
    ("journal_without_secrets", "what auditors read of the log"),
    ("journal_relays", "who publishes the log to Kafka, and how far"),
    ("projector_checkpoints", "how far the read tables are posted"),
    ("projector_ownership_decided", "what gives out the projector's lanes"),
    ("projector_row_topics", "how far the topics of rows are"),
    ("organizations_owners_held", "whoever owns one already is held as new owners are"),
    ("platform_audit_logs", "posted from every aggregate's events"),
    ("identity_user_profile", "what users say of themselves"),
    ("identity_authentication", "looks a caller up by the hash of a key"),
    ("projector_weekly_partitions", "read tables by week"),
    ("projector_rebuilds", "a second set of read tables that takes the first one's place"),
    (
        "projector_rebuilds_in_part",
        "which projections a rebuild made again, and the stages that has",
    ),
    ("projector_as_of", "the read tables as they stood at an instant"),
    ("projector_as_of_built_upon", "those that somebody built on stay until nobody does"),
    ("projector_as_of_unchanged", "complete ones refuse to be changed"),
    ("projector_as_of_trail", "how far the trail's digest of each was"),
    ("projector_as_of_changes", "what changed between two instants, kept beside them"),
    ("projector_as_of_in_the_making", "none of which goes while it is made"),
    ("projector_as_of_slices", "and what slices of history make"),
    ("contracts_audit_logs", "posted from the events of all of contracts"),
];

/// Migrations that go over the tables of all contexts.
const OVER_ALL_TABLES: &[(&str, &str)] = &[
    ("row_security", "who sees which rows"),
    ("changes_by_hand", "what came from nowhere in the log"),
    ("partitions_changed_by_hand", "and what was done to one partition alone"),
    ("document_views", "the documents' own pictures of tables"),
    ("row_security_of_roles_and_resources", "the same of the tables that came next"),
    ("row_security_of_sessions_and_support", "and of those that came then"),
    ("row_security_of_profiles", "and of these"),
    ("row_security_of_open_banking_and_recycling", "and of these"),
    ("row_security_of_datacentre_and_contracts", "and of these"),
    ("row_security_of_comments", "what was taken back is no longer seen"),
];

/// Folders of `projector/src` that are no context.
const OTHER_ROOMS_OF_PROJECTOR: &[(&str, &str)] = &[
    ("platform/audit_log", "posted from every aggregate's events"),
    ("contracts/audit_log", "posted from the events of all of contracts"),
];

/// The aggregates, as `context/aggregate`, from the `KIND`s that the domain declares,
/// with the file that declares each.
fn aggregates(files: &[TextFile]) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_code_of(&["domain"])) {
        for line in file.text.lines() {
            if let Some(rest) = line.trim().strip_prefix("const KIND: &'static str = \"")
                && let Some((kind, _)) = rest.split_once('"')
            {
                found.push((kind.replace('.', "/"), file.path.as_str()));
            }
        }
    }
    found
}

/// Whether `file` is `<top>/<path>.rs` or in the folder `<top>/<path>/`.
fn is_at(file: &str, top: &str, path: &str) -> bool {
    file == format!("{top}/{path}.rs") || file.starts_with(&format!("{top}/{path}/"))
}

fn complaints(files: &[TextFile]) -> Vec<String> {
    let aggregates = aggregates(files);
    let has = |top: &str, path: &str| files.iter().any(|file| is_at(&file.path, top, path));
    let mut complaints = Vec::new();
    for (path, declared_in) in &aggregates {
        if !is_at(declared_in, "domain/src", path) {
            complaints.push(format!("{path} is declared in {declared_in}, not under its own path"));
        }
        if WITHOUT_ROWS.iter().any(|(name, _)| name == path) {
            continue;
        }
        if !has("projector/src", path) {
            complaints.push(format!("projector/src/{path}.rs is missing"));
        }
        if !migration_subjects(files).contains(&path.replace('/', "_")) {
            let subject = path.replace('/', "_");
            complaints.push(format!("migrations/NNNN_{subject}.up.sql is missing"));
        }
        if !has("tests/tests", path) {
            complaints.push(format!("tests/tests/{path}.rs is missing"));
        }
    }
    let known: BTreeSet<&str> = aggregates.iter().map(|(path, _)| path.as_str()).collect();
    let contexts: BTreeSet<&str> =
        known.iter().filter_map(|path| path.split_once('/')).map(|(context, _)| context).collect();
    complaints.extend(unmirrored_projections(files, &contexts, &known));
    for subject in migration_subjects(files) {
        let is_aggregate = known.iter().any(|path| path.replace('/', "_") == subject);
        let mut others = OTHER_MIGRATIONS.iter().chain(OVER_ALL_TABLES);
        if !is_aggregate && !others.any(|(name, _)| *name == subject) {
            complaints.push(format!("migration {subject} has no aggregate of that name"));
        }
    }
    complaints
}

/// Files in a context's folder of the projector that mirror no aggregate.
fn unmirrored_projections(
    files: &[TextFile],
    contexts: &BTreeSet<&str>,
    known: &BTreeSet<&str>,
) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_code_of(&["projector"])) {
        let path = file.path.trim_start_matches("projector/src/");
        let Some((context, rest)) = path.split_once('/') else { continue };
        if !contexts.contains(context) || rest == "mod.rs" {
            continue;
        }
        let exempt = OTHER_ROOMS_OF_PROJECTOR.iter().map(|(name, _)| *name);
        if !known
            .iter()
            .copied()
            .chain(exempt)
            .any(|known| is_at(&file.path, "projector/src", known))
        {
            complaints.push(format!("{} mirrors no aggregate of the domain", file.path));
        }
    }
    complaints
}

/// What the migrations are about: `0006_banking_account.up.sql` is about `banking_account`.
fn migration_subjects(files: &[TextFile]) -> BTreeSet<String> {
    files
        .iter()
        .filter_map(|file| file.path.strip_prefix("migrations/")?.strip_suffix(".up.sql"))
        .filter_map(|name| name.split_once('_'))
        .map(|(_, subject)| subject.to_owned())
        .collect()
}

#[test]
fn a_path_means_the_same_everywhere() {
    let found = aggregates(files());
    assert!(found.iter().any(|(path, _)| path == "banking/account"), "found only {found:?}");
    assert_none("mirrored paths", &complaints(files()));
}

#[test]
fn what_is_not_mirrored_is_seen() {
    let kind = "    const KIND: &'static str = \"banking.account\";";
    let complaints = complaints(&[
        TextFile::new("domain/src/banking/ledger.rs", kind),
        TextFile::new("projector/src/banking/loan.rs", ""),
        TextFile::new("migrations/0009_banking_loan.up.sql", ""),
    ]);
    assert_eq!(
        complaints,
        [
            "banking/account is declared in domain/src/banking/ledger.rs, not under its own path",
            "projector/src/banking/account.rs is missing",
            "migrations/NNNN_banking_account.up.sql is missing",
            "tests/tests/banking/account.rs is missing",
            "projector/src/banking/loan.rs mirrors no aggregate of the domain",
            "migration banking_loan has no aggregate of that name",
        ]
    );
}
