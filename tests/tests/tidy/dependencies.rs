//! Dependencies point one way: app → command, projector → store, domain.

use std::collections::{BTreeMap, BTreeSet};

use crate::assert_none;
use crate::tree::{TextFile, files};

/// Each crate's folder, and the crates of ours that it may use, in its tests too.
/// Closed under itself: what a crate may use, it may use all of.
///
/// `http` is what the interfaces of both sides share; it knows the domain's
/// actor and nothing of the log. `bench` and `tests` stand outside the house.
const ARROWS: [(&str, &[&str]); 8] = [
    ("domain", &[]),
    ("store", &[]),
    ("http", &["domain"]),
    ("command", &["http", "store", "domain"]),
    ("projector", &["http", "store", "domain"]),
    ("app", &["command", "projector", "http", "store", "domain"]),
    ("bench", &["tests", "app", "command", "projector", "http", "store", "domain"]),
    ("tests", &["app", "command", "projector", "http", "store", "domain"]),
];

/// Crates whose own tests may start real servers through `tests`, which stands
/// above them. Never `domain`, whose tests need none, nor `store`, which would
/// meet `domain` there.
const TESTED_ON_SERVERS: [&str; 3] = ["command", "projector", "app"];

/// What decisions and facts have no business with, at any depth.
const NOT_IN_DOMAIN: [&str; 9] =
    ["sqlx", "sqlx-core", "tokio", "axum", "hyper", "reqwest", "mio", "rdkafka", "tower"];

/// What keeps a member of the workspace from standing outside the table above.
fn arrows(files: &[TextFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut seen = BTreeSet::new();
    for file in files {
        let Some(folder) = file.path.strip_suffix("/Cargo.toml") else { continue };
        seen.insert(folder);
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == folder) else {
            complaints.push(format!("{} is a crate that no rule speaks of", file.path));
            continue;
        };
        for (table, dependency) in direct(&file.text) {
            let Some(ours) = dependency.strip_prefix("daybook-") else { continue };
            let for_tests = table == "dev-dependencies" && ours == "tests";
            if !(allowed.contains(&ours) || for_tests && TESTED_ON_SERVERS.contains(&folder)) {
                complaints.push(format!("{folder} must not depend on {ours}"));
            }
        }
    }
    for (folder, _) in ARROWS {
        if !seen.contains(folder) {
            complaints.push(format!("{folder}/Cargo.toml is not there"));
        }
    }
    complaints
}

/// The names in every dependency table of a manifest, with the table.
fn direct(manifest: &str) -> Vec<(&'static str, String)> {
    let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .into_iter()
        .filter_map(|table| Some((table, manifest.get(table)?.as_table()?)))
        .flat_map(|(table, names)| names.keys().map(move |name| (table, name.clone())))
        .collect()
}

/// All that `package` rests on according to a Cargo.lock, tests included.
fn closure(lock: &str, package: &str) -> BTreeSet<String> {
    let lock: toml::Table = lock.parse().expect("Cargo.lock is TOML");
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in lock["package"].as_array().expect("Cargo.lock lists packages") {
        let name = entry["name"].as_str().expect("a package has a name").to_owned();
        let edges = graph.entry(name).or_default();
        for dependency in entry.get("dependencies").and_then(|d| d.as_array()).into_iter().flatten()
        {
            let named = dependency.as_str().expect("a dependency is a string");
            edges.extend(named.split(' ').next().map(str::to_owned));
        }
    }
    let mut reached = BTreeSet::new();
    let mut waiting = vec![package.to_owned()];
    while let Some(name) = waiting.pop() {
        let next = graph.get(&name).unwrap_or_else(|| panic!("{name} is not in Cargo.lock"));
        waiting.extend(next.iter().filter(|name| !reached.contains(*name)).cloned());
        reached.extend(next.iter().cloned());
    }
    reached
}

/// What is in the closure of `package` and must not be.
fn trespassers(lock: &str, package: &str, forbidden: &[&str]) -> Vec<String> {
    let reached = closure(lock, package);
    forbidden
        .iter()
        .filter(|name| reached.contains(**name))
        .map(|name| format!("{package} rests on {name}"))
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    assert_none("dependency direction", &arrows(files()));
}

#[test]
fn store_and_domain_never_meet_and_domain_does_no_io() {
    let lock = &files().iter().find(|file| file.path == "Cargo.lock").expect("Cargo.lock").text;
    let mut complaints = trespassers(lock, "daybook-domain", &NOT_IN_DOMAIN);
    complaints.extend(trespassers(lock, "daybook-domain", &["daybook-store"]));
    complaints.extend(trespassers(lock, "daybook-store", &["daybook-domain"]));
    assert_none("what a crate rests on", &complaints);
}

/// Where rows are made again: whole tables, states of the past, and what they are made by.
const MAKES_ROWS_AGAIN: [&str; 6] = [
    "projector/src/rebuild/",
    "projector/src/twin/",
    "projector/src/as_of/",
    "projector/src/rows.rs",
    "projector/src/write.rs",
    "projector/src/between.rs",
];

/// What these may use of the store: reading, and what was read.
const READING: [&str; 7] =
    ["Dependency", "Filter", "LANES", "Log", "ReadError", "Recorded", "Share"];

/// What could act on the world.
const ACTS: [&str; 9] = [
    "reqwest",
    "hyper",
    "rdkafka",
    "argon2",
    "bcrypt",
    "std::process",
    "tokio::process",
    "tokio::net",
    "std::net::Tcp",
];

/// What is used of the store in a source: the names after each `daybook_store::`.
fn of_store(text: &str) -> Vec<String> {
    let names =
        text.split("daybook_store::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or("").split(',').collect::<Vec<_>>(),
            None => rest.split(|c: char| !c.is_alphanumeric() && c != '_').take(1).collect(),
        });
    names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

fn acting(files: &[TextFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        if !MAKES_ROWS_AGAIN.iter().any(|place| file.path.starts_with(place)) {
            continue;
        }
        let more =
            of_store(&file.text).into_iter().filter(|name| !READING.contains(&name.as_str()));
        complaints.extend(more.map(|name| format!("{} uses {name} of the store", file.path)));
        let acts = ACTS.iter().filter(|name| file.text.contains(**name));
        complaints.extend(acts.map(|name| format!("{} names {name}", file.path)));
    }
    complaints
}

#[test]
fn what_makes_rows_again_can_do_nothing_else() {
    for place in MAKES_ROWS_AGAIN {
        assert!(files().iter().any(|file| file.path.starts_with(place)), "{place} is gone");
    }
    assert_none("what could act on the world", &acting(files()));
    let bad = "use daybook_store::{Appender, Log};\nfn f() { reqwest::get(\"\"); }";
    let complaints = acting(&[TextFile::new("projector/src/rebuild/bad.rs", bad)]);
    assert_eq!(complaints.len(), 2, "{complaints:?}");
}

#[test]
fn an_arrow_back_is_seen() {
    let manifest = "[dev-dependencies]\ndaybook-domain = { path = \"../domain\" }\n";
    let complaints = arrows(&[TextFile::new("store/Cargo.toml", manifest)]);
    assert!(complaints.contains(&"store must not depend on domain".to_owned()), "{complaints:?}");

    let through = |table: &str| format!("[{table}]\ndaybook-tests = {{ path = \"../tests\" }}\n");
    for (folder, table, allowed) in [
        ("projector", "dev-dependencies", true),
        ("projector", "dependencies", false),
        ("domain", "dev-dependencies", false),
    ] {
        let file = TextFile::new(&format!("{folder}/Cargo.toml"), &through(table));
        let complaint = format!("{folder} must not depend on tests");
        assert_eq!(!arrows(&[file]).contains(&complaint), allowed, "{folder} {table}");
    }

    let lock = r#"
        [[package]]
        name = "daybook-domain"
        dependencies = ["a 1.0.0"]
        [[package]]
        name = "a"
        dependencies = ["tokio"]
        [[package]]
        name = "tokio"
    "#;
    let complaints = trespassers(lock, "daybook-domain", &NOT_IN_DOMAIN);
    assert_eq!(complaints, ["daybook-domain rests on tokio"]);
}
