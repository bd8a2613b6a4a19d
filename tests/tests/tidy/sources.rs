//! How source files look: short, finished, of no particular machine.

use crate::assert_none;
use crate::tree::{TextFile, files};

/// The most lines of a source file. Longer ones are two rooms with clear names.
const LINES: usize = 400;

/// Places of one machine and hosts of one network: a clone works anywhere.
/// Written in two halves so that this list does not find itself.
const OF_ONE_MACHINE: [&str; 14] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("index.cr", "ates.io"),
    concat!("static.cr", "ates.io"),
    concat!("deb.deb", "ian.org"),
    concat!("registry.np", "mjs.org"),
    concat!("pypi", ".org"),
    concat!("pythonho", "sted.org"),
    concat!("proxy.gol", "ang.org"),
    concat!("repo1.ma", "ven.org"),
    concat!("repo.maven.apa", "che.org"),
    concat!("sh.rus", "tup.rs"),
];

/// Marks of what is not finished.
const UNFINISHED: [&str; 4] =
    [concat!("#[ig", "nore"), concat!("FIX", "ME"), concat!("TO", "DO"), concat!("XX", "X")];

/// Crates whose code takes the clock and fresh ids as parameters.
const WITHOUT_CLOCK: [&str; 5] = ["domain", "store", "http", "command", "projector"];

/// Names that say nothing about what is in a file.
const SAYS_NOTHING: [&str; 6] = ["util", "utils", "common", "manager", "helper", "helpers"];

fn too_long(files: &[TextFile]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > LINES)
        .map(|(file, lines)| format!("{} has {lines} lines, at most {LINES}", file.path))
        .collect()
}

fn mentions(files: &[TextFile], words: &[&str]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(**word)) {
                complaints.push(format!("{}:{} mentions {word:?}", file.path, index + 1));
            }
        }
    }
    complaints
}

/// Code before its own `#[cfg(test)]` that is allowed to read the clock or make ids.
fn reads_the_clock(files: &[TextFile]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.is_code_of(&WITHOUT_CLOCK))
        .filter(|file| {
            let code = file.text.split("#[cfg(test)]").next().unwrap_or_default();
            code.contains("disallowed_methods")
        })
        .map(|file| format!("{} allows itself the clock or fresh ids", file.path))
        .collect()
}

fn names_that_say_nothing(files: &[TextFile]) -> Vec<String> {
    files
        .iter()
        .filter(|file| {
            file.path
                .split('/')
                .any(|part| SAYS_NOTHING.contains(&part.strip_suffix(".rs").unwrap_or(part)))
        })
        .map(|file| format!("{} has a name that says nothing", file.path))
        .collect()
}

#[test]
fn no_source_file_is_too_long() {
    assert_none("file length", &too_long(files()));
}

#[test]
fn nothing_names_a_machine_or_a_registry() {
    let ours: Vec<_> = files().iter().filter(|file| file.path != "Cargo.lock").cloned().collect();
    assert_none("of one machine", &mentions(&ours, &OF_ONE_MACHINE));
}

#[test]
fn nothing_is_unfinished_or_left_out() {
    let code: Vec<_> = files()
        .iter()
        .filter(|file| file.path.ends_with(".rs") || file.path.ends_with(".sql"))
        .cloned()
        .collect();
    assert_none("unfinished", &mentions(&code, &UNFINISHED));
}

#[test]
fn only_the_app_reads_the_clock() {
    assert_none("the clock is a parameter", &reads_the_clock(files()));
}

#[test]
fn names_say_what_is_inside() {
    assert_none("names", &names_that_say_nothing(files()));
}

#[test]
fn each_rule_can_fail() {
    let long = TextFile::new("app/src/long.rs", &"\n".repeat(LINES + 1));
    assert_eq!(too_long(&[long]).len(), 1);
    let machine = TextFile::new("README.md", &format!("see {}x", OF_ONE_MACHINE[0]));
    assert_eq!(mentions(&[machine], &OF_ONE_MACHINE).len(), 1);
    let left_out = TextFile::new("app/tests/a.rs", &format!("{}]", UNFINISHED[0]));
    assert_eq!(mentions(&[left_out], &UNFINISHED).len(), 1);
    let clock = "#![allow(clippy::disallowed_methods, reason = \"\")]\n";
    assert_eq!(reads_the_clock(&[TextFile::new("store/src/a.rs", clock)]).len(), 1);
    let in_test = format!("fn f() {{}}\n#[cfg(test)]\n{clock}");
    assert!(reads_the_clock(&[TextFile::new("store/src/a.rs", &in_test)]).is_empty());
    assert_eq!(names_that_say_nothing(&[TextFile::new("app/src/utils.rs", "")]).len(), 1);
}
