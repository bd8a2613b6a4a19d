//! Reading and checking the file, line by line.

use std::collections::HashMap;
use std::path::Path;
use std::str::FromStr;

use daybook_domain::values::{ApiVersion, BaseUrl, InvalidValue, Text};
use serde::Deserialize;

use crate::import::report::{ImportError, Wrong};

/// The file.
pub const FILE: &str = "contracts.tsv";

/// A line of `contracts.tsv`. Its title and its number of paths have no place here.
#[derive(Debug, Clone, Deserialize)]
pub struct ContractLine {
    /// The line, from 1.
    #[serde(skip)]
    pub line: u64,
    /// The API's name, unique.
    pub canonical_name: String,
    /// Its version.
    pub version: String,
    /// Where it is found.
    pub base_url: String,
    /// What it is about; empty where nobody said.
    pub description: String,
}

impl ContractLine {
    /// Whether what is sent there is not encrypted.
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        self.base_url.starts_with("http://")
    }
}

/// The file, checked.
#[derive(Debug, Default)]
pub struct Contracts {
    /// The contracts in the file's order.
    pub contracts: Vec<ContractLine>,
    /// The lines that were left out.
    pub wrong: Vec<Wrong>,
}

/// Reads `contracts.tsv` in `folder`.
///
/// A line that cannot be understood is left out as a whole and told of.
///
/// # Errors
/// The file cannot be opened, or has other columns.
pub fn read(folder: &Path) -> Result<Contracts, ImportError> {
    let path = folder.join(FILE);
    let unreadable = |reason: String| ImportError::File { path: path.clone(), reason };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .flexible(true)
        .quoting(false)
        .from_path(&path)
        .map_err(|error| unreadable(error.to_string()))?;
    let headers = reader.headers().map_err(|error| unreadable(error.to_string()))?.clone();
    for column in ["canonical_name", "version", "base_url", "description"] {
        if !headers.iter().any(|header| header == column) {
            return Err(unreadable(format!("there is no column {column}")));
        }
    }
    let mut read = Contracts::default();
    let mut seen = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let contract = if record.len() == headers.len() {
            record.deserialize::<ContractLine>(Some(&headers)).map_err(|error| error.to_string())
        } else {
            Err(format!("{} columns, where the header has {}", record.len(), headers.len()))
        };
        let checked = contract.and_then(|contract| {
            check(&contract)?;
            match seen.insert(contract.canonical_name.clone(), line) {
                None => Ok(contract),
                Some(first) => {
                    Err(format!("{} stands in line {first} already", contract.canonical_name))
                }
            }
        });
        match checked {
            Ok(contract) => {
                let description = contract.description.trim().to_owned();
                read.contracts.push(ContractLine { line, description, ..contract });
            }
            Err(reason) => read.wrong.push(Wrong { file: FILE, line, reason }),
        }
    }
    Ok(read)
}

/// What a contract must be to be sent at all.
fn check(contract: &ContractLine) -> Result<(), String> {
    fits::<Text<255>>("canonical_name", &contract.canonical_name)?;
    fits::<ApiVersion>("version", &contract.version)?;
    fits::<BaseUrl>("base_url", &contract.base_url)?;
    fits::<Text<4000, 0>>("description", &contract.description)
}

fn fits<T: FromStr<Err = InvalidValue>>(column: &str, text: &str) -> Result<(), String> {
    text.parse::<T>().map(|_| ()).map_err(|error| format!("{column}: {error}"))
}
