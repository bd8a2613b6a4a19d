//! Reading and checking the files, line by line. A file is one metric of one server.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};
use daybook_domain::values::MetricValue;
use rust_decimal::Decimal;

use crate::import::report::{ImportError, Wrong};

/// A metric of a server.
#[derive(Debug)]
pub struct ServerFile {
    /// The file's name: `<sort>_<metric>_<host>.csv`.
    pub file: &'static str,
    /// What sort of server it is, such as `ec2`.
    pub sort: String,
    /// What was measured, such as `cpu_utilization`.
    pub metric: String,
    /// By what the server is known: hexadecimal digits.
    pub host: String,
    /// What came out.
    pub samples: Vec<Sample>,
}

/// One line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The line, from 1.
    pub line: u64,
    /// When; the files' times are in UTC.
    pub at: DateTime<Utc>,
    /// What was measured, with all its decimals.
    pub value: Decimal,
}

/// All files, checked.
#[derive(Debug, Default)]
pub struct CloudWatch {
    /// The servers, by file name.
    pub servers: Vec<ServerFile>,
    /// The lines that were left out.
    pub wrong: Vec<Wrong>,
    /// The lines that say once more what an earlier one said.
    pub repeated: Vec<Wrong>,
}

impl CloudWatch {
    /// How many samples there are.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.servers.iter().map(|server| server.samples.len()).sum()
    }
}

fn unreadable(path: &Path, reason: impl ToString) -> ImportError {
    ImportError::File { path: path.to_owned(), reason: reason.to_string() }
}

/// Reads every `<sort>_<metric>_<host>.csv` in `folder`.
///
/// A line that cannot be understood is left out and told of.
///
/// # Errors
/// The folder or a file cannot be read, or there is none.
pub fn read(folder: &Path) -> Result<CloudWatch, ImportError> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut read = CloudWatch::default();
    for path in paths {
        let Some(mut server) = named(&path) else { continue };
        lines(&path, &mut server, &mut read)?;
        read.servers.push(server);
    }
    if read.servers.is_empty() {
        return Err(unreadable(folder, "no file is called <sort>_<metric>_<host>.csv"));
    }
    Ok(read)
}

/// What the file's name says of it.
fn named(path: &Path) -> Option<ServerFile> {
    let name = path.file_name()?.to_str()?;
    let (sort, rest) = name.strip_suffix(".csv")?.split_once('_')?;
    let (metric, host) = rest.rsplit_once('_')?;
    let is_name = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    u32::from_str_radix(host, 16).ok()?;
    if !is_name(sort) || !is_name(host) || metric.is_empty() || metric.len() > 50 {
        return None;
    }
    Some(ServerFile {
        // A handful of names, which the report keeps to the end of the process.
        file: Box::leak(name.to_owned().into_boxed_str()),
        sort: sort.to_owned(),
        metric: metric.to_owned(),
        host: host.to_owned(),
        samples: Vec::new(),
    })
}

fn lines(path: &Path, server: &mut ServerFile, read: &mut CloudWatch) -> Result<(), ImportError> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(path)
        .map_err(|error| unreadable(path, error))?;
    let header = reader.headers().map_err(|error| unreadable(path, error))?;
    if header.iter().ne(["timestamp", "value"]) {
        return Err(unreadable(path, "the columns are not timestamp and value"));
    }
    let mut seen: HashMap<DateTime<Utc>, (u64, Decimal)> = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(path, error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let (at, value) = match sample(&record) {
            Ok(sample) => sample,
            Err(reason) => {
                read.wrong.push(Wrong { file: server.file, line, reason });
                continue;
            }
        };
        match seen.get(&at) {
            None => {
                seen.insert(at, (line, value));
                server.samples.push(Sample { line, at, value });
            }
            Some((first, same)) if *same == value => {
                let reason =
                    format!("the instant {at} and its value stand in line {first} already");
                read.repeated.push(Wrong { file: server.file, line, reason });
            }
            Some((first, other)) => {
                let reason = format!(
                    "the instant {at} stands in line {first} already, with {other}, not {value}"
                );
                read.wrong.push(Wrong { file: server.file, line, reason });
            }
        }
    }
    Ok(())
}

fn sample(record: &csv::StringRecord) -> Result<(DateTime<Utc>, Decimal), String> {
    let (Some(at), Some(value), 2) = (record.get(0), record.get(1), record.len()) else {
        return Err(format!("{} columns, where the header has 2", record.len()));
    };
    let at = NaiveDateTime::parse_from_str(at, "%Y-%m-%d %H:%M:%S")
        .map_err(|_| format!("{at:?} is no time such as 2014-02-14 14:30:00"))?
        .and_utc();
    value.parse::<MetricValue>().map_err(|error| format!("{value:?}: {error}"))?;
    let value = value.parse::<Decimal>().map_err(|error| format!("{value:?}: {error}"))?;
    Ok((at, value))
}
