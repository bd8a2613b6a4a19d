//! The rules of the house, kept as code: which crate may know which, where a
//! thing is found, how long a file may be, what never changes again.
//!
//! Needs no server and no network. Each rule is a function from the tree to a
//! list of complaints, so that beside the rule stands a test which shows that
//! it complains when it should.

mod dependencies;
mod documents;
mod event_matches;
mod migrations;
mod mirrored_paths;
mod side_effects;
mod sources;
mod tree;

/// Fails with every complaint, one a line.
fn assert_none(rule: &str, complaints: &[String]) {
    assert!(
        complaints.is_empty(),
        "{rule}: {} complaint(s)\n  {}",
        complaints.len(),
        complaints.join("\n  ")
    );
}
