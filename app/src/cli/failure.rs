//! How a command ends: an exit code, and for a failure what to do next.

use std::fmt;

/// How a command ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Code 0.
    Done,
    /// Code 3: a check found a difference.
    Difference,
}

/// How a command ended badly.
#[derive(Debug)]
pub struct Failure {
    /// 1: it failed; 2: it was used wrongly.
    pub code: u8,
    /// What happened, and what to do next.
    pub message: String,
}

impl Failure {
    /// It failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into() }
    }

    /// It was used wrongly.
    pub fn wrong_use(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }
}

/// With the causes that the error's own words leave out.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        Self::failed(message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What every command gives.
pub type Outcome = Result<Exit, Failure>;
