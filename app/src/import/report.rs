//! What an import says when it is done.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// Why an import could not run at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("{path}: {reason}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The database cannot be used.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// Posting what was appended failed.
    #[error(
        "appended, but not posted yet: {0}; a running projector will post it, or run the same command again"
    )]
    Posting(String),
}

/// A line that was left out, or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// The file.
    pub file: &'static str,
    /// The line, from 1 (the header).
    pub line: u64,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

/// What became of the commands of an import.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Report {
    /// Commands that were accepted now.
    pub accepted: u64,
    /// Commands that an earlier run had sent already.
    pub replayed: u64,
    /// Events that were appended now.
    pub events: i64,
    /// The log's position after the last of them.
    pub position: i64,
    /// What was left out or refused, by line.
    pub wrong: Vec<Wrong>,
    /// What the source has and there is no place for here, by line; nothing is wrong with it.
    pub passed_over: Vec<Wrong>,
    /// What was compared with the source's own figures, in words.
    pub checks: Vec<Check>,
}

/// A comparison with the source's own figures.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What was compared.
    pub what: String,
    /// How many were compared.
    pub compared: u64,
    /// How many differ.
    pub different: u64,
}

impl Report {
    /// Whether everything was taken and every comparison agrees.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.wrong.is_empty() && self.checks.iter().all(|check| check.different == 0)
    }
}

impl AsRef<Self> for Report {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl AsMut<Self> for Report {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{} commands accepted ({} events{}), {} had been sent before, {} lines left out or refused",
            self.accepted,
            self.events,
            match self.position {
                0 => String::new(),
                position => format!(", up to position {position}"),
            },
            self.replayed,
            self.wrong.len()
        )?;
        list(&self.wrong, out)?;
        if !self.passed_over.is_empty() {
            writeln!(
                out,
                "{} lines passed over, for which there is no place here",
                self.passed_over.len()
            )?;
            list(&self.passed_over, out)?;
        }
        for Check { what, compared, different } in &self.checks {
            writeln!(out, "{what}: {compared} compared, {different} differ")?;
        }
        Ok(())
    }
}

/// The first of them, and how many more there are.
fn list(lines: &[Wrong], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    for line in lines.iter().take(50) {
        writeln!(out, "  {line}")?;
    }
    if lines.len() > 50 {
        writeln!(out, "  … and {} more; --output json lists all", lines.len() - 50)?;
    }
    Ok(())
}
