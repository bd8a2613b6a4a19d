//! What many runs add up to, kept in a file of JSON lines.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Told;

/// A file with a line for each run.
#[derive(Debug)]
pub struct Ledger(PathBuf);

impl Ledger {
    /// The ledger in this file, which need not be there yet.
    #[must_use]
    pub fn at(file: &Path) -> Self {
        Self(file.to_path_buf())
    }

    /// Adds a run.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&self, told: &Told) -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0)?;
        // In one piece: whoever stops this process leaves no half of a line.
        file.write_all(format!("{}\n", serde_json::to_string(told)?).as_bytes())
    }

    /// All runs so far.
    ///
    /// # Errors
    /// When the file cannot be read, or has a line that is no run.
    pub fn runs(&self) -> std::io::Result<Vec<Told>> {
        if !self.0.exists() {
            return Ok(Vec::new());
        }
        let text = std::fs::read_to_string(&self.0)?;
        text.lines().map(|line| serde_json::from_str(line).map_err(Into::into)).collect()
    }

    /// All runs in one: what they did is added up, their seeds are not.
    #[must_use]
    pub fn sum(runs: &[Told]) -> Told {
        let mut sum = Told::default();
        for run in runs {
            sum.seconds += run.seconds;
            sum.accepted += run.accepted;
            sum.refused += run.refused;
            sum.retried += run.retried;
            sum.repeated += run.repeated;
            sum.killed += run.killed;
            sum.stopped += run.stopped;
            sum.crashes += run.crashes;
            sum.cuts += run.cuts;
            sum.with_kafka |= run.with_kafka;
            sum.harmed += run.harmed;
            sum.storms += run.storms;
            sum.broken.extend(run.broken.iter().cloned());
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_add_up_over_files() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::at(&folder.path().join("runs.ndjson"));
        assert!(ledger.runs().unwrap().is_empty());
        for seed in 1..=3 {
            ledger.add(&Told { seed, accepted: 10, killed: seed, ..Told::default() }).unwrap();
        }
        let sum = Ledger::sum(&ledger.runs().unwrap());
        assert_eq!((sum.accepted, sum.killed), (30, 6));
    }
}
