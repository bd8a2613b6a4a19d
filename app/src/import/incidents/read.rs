//! Reading and checking the changes of incidents, line by line.
//!
//! An incident is taken as a whole or not at all: a history with a change missing in its middle
//! would be another history, into which the change could not be put later.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use chrono::{DateTime, NaiveDateTime, Utc};
use daybook_domain::values::{TicketPriority, TicketStatus};
use serde::Deserialize;

use crate::import::report::{ImportError, Wrong};

/// The file.
pub const FILE: &str = "incident_event_log.csv";

/// A line as it stands in the file; `?` is unknown.
#[derive(Debug, Deserialize)]
struct Row {
    number: String,
    incident_state: String,
    reassignment_count: u32,
    reopen_count: u32,
    sys_mod_count: u32,
    caller_id: String,
    opened_at: String,
    sys_updated_by: String,
    sys_updated_at: String,
    contact_type: String,
    location: String,
    category: String,
    subcategory: String,
    u_symptom: String,
    priority: String,
    assignment_group: String,
    assigned_to: String,
    closed_code: String,
}

/// An incident as it is after a change.
#[derive(Debug, Clone)]
pub struct Change {
    /// The line of the file.
    pub line: u64,
    /// Where it stands.
    pub status: TicketStatus,
    /// How often the source says that its group was changed so far.
    pub reassignment_count: u32,
    /// How often the source says that it was opened again so far.
    pub reopen_count: u32,
    /// How often the source says that it was changed so far.
    pub sys_mod_count: u32,
    /// Who changed it.
    pub updated_by: Option<String>,
    /// When.
    pub updated_at: DateTime<Utc>,
    /// How much it matters.
    pub priority: TicketPriority,
    /// What sort of thing it is about.
    pub category: Option<String>,
    /// The group that works on it.
    pub group: Option<String>,
    /// The person who works on it.
    pub person: Option<String>,
}

/// An incident with its history.
#[derive(Debug, Clone)]
pub struct Incident {
    /// Its number in the source.
    pub number: String,
    /// Who needs help.
    pub caller: String,
    /// When the source says that it was opened.
    pub opened_at: DateTime<Utc>,
    /// What it is about, a line each.
    pub about: Vec<String>,
    /// How it was solved, as a code of the source's.
    pub closed_code: Option<String>,
    /// Its changes, in the file's order; at least one.
    pub changes: Vec<Change>,
}

/// The file, checked.
#[derive(Debug, Default)]
pub struct Incidents {
    /// The incidents, in the order of their first lines.
    pub incidents: Vec<Incident>,
    /// The lines that cannot be understood; nothing of their incidents is taken.
    pub wrong: Vec<Wrong>,
}

impl Incidents {
    /// How many changes there are.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.incidents.iter().map(|incident| incident.changes.len()).sum()
    }
}

/// Reads the file in `folder`.
///
/// # Errors
/// It cannot be opened, or has other columns.
pub fn read(folder: &Path) -> Result<Incidents, ImportError> {
    let path = folder.join(FILE);
    let unreadable =
        |error: csv::Error| ImportError::File { path: path.clone(), reason: error.to_string() };
    // Lines end in CR LF. Ended at LF alone, and trimmed, they are counted right: told that CR ends
    // a line, the reader counts each one's LF to the next.
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .terminator(csv::Terminator::Any(b'\n'))
        .trim(csv::Trim::All)
        .from_path(&path)
        .map_err(unreadable)?;
    let headers = reader.headers().map_err(unreadable)?.clone();
    let mut read = Incidents::default();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut left_out = BTreeSet::new();
    for record in reader.records() {
        let (line, number, taken) = match record {
            Err(error) => {
                (error.position().map_or(0, csv::Position::line), None, Err(told(&error)))
            }
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                let number = record.get(0).map(str::to_owned);
                (line, number, take(&record, &headers, line, &mut places, &mut read.incidents))
            }
        };
        let Err(reason) = taken else { continue };
        let reason = match &number {
            Some(number) => format!("{reason}; nothing of {number} is taken"),
            None => reason,
        };
        left_out.extend(number);
        read.wrong.push(Wrong { file: FILE, line, reason });
    }
    read.incidents.retain(|incident| !left_out.contains(&incident.number));
    Ok(read)
}

/// Adds a line to its incident's history.
fn take(
    record: &csv::StringRecord,
    headers: &csv::StringRecord,
    line: u64,
    places: &mut HashMap<String, usize>,
    incidents: &mut Vec<Incident>,
) -> Result<(), String> {
    if record.len() != headers.len() {
        return Err(format!("{} columns, where the header has {}", record.len(), headers.len()));
    }
    let row: Row = record.deserialize(Some(headers)).map_err(|error| told(&error))?;
    let (incident, change) = understand(row, line)?;
    let Some(place) = places.get(&incident.number) else {
        places.insert(incident.number.clone(), incidents.len());
        incidents.push(Incident { changes: vec![change], ..incident });
        return Ok(());
    };
    let known = &mut incidents[*place];
    if known.caller != incident.caller || known.opened_at != incident.opened_at {
        return Err(format!(
            "caller and opening are {} and {}, in line {} they are {} and {}",
            incident.caller,
            incident.opened_at,
            known.changes[0].line,
            known.caller,
            known.opened_at
        ));
    }
    known.changes.push(change);
    Ok(())
}

/// What a line says: of the incident as a whole, and of the change.
fn understand(row: Row, line: u64) -> Result<(Incident, Change), String> {
    let caller =
        known(&row.caller_id).ok_or("caller_id is not known, and a ticket is somebody's")?;
    let about = [
        format!("Incident {}", row.number),
        [known(&row.contact_type), known(&row.location)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", "),
        [known(&row.category), known(&row.subcategory), known(&row.u_symptom)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" / "),
    ];
    let change = Change {
        line,
        status: status(&row.incident_state)?,
        reassignment_count: row.reassignment_count,
        reopen_count: row.reopen_count,
        sys_mod_count: row.sys_mod_count,
        updated_by: known(&row.sys_updated_by),
        updated_at: time("sys_updated_at", &row.sys_updated_at)?,
        priority: priority(&row.priority)?,
        category: known(&row.category),
        group: known(&row.assignment_group),
        person: known(&row.assigned_to),
    };
    let incident = Incident {
        caller,
        opened_at: time("opened_at", &row.opened_at)?,
        about: about.into_iter().filter(|line| !line.is_empty()).collect(),
        closed_code: known(&row.closed_code),
        number: row.number,
        changes: Vec::new(),
    };
    Ok((incident, change))
}

/// A value with single spaces; nothing where it is unknown.
fn known(text: &str) -> Option<String> {
    let words: Vec<_> = text.split_whitespace().collect();
    if words.is_empty() || words == ["?"] { None } else { Some(words.join(" ")) }
}

fn status(text: &str) -> Result<TicketStatus, String> {
    match text {
        "New" => Ok(TicketStatus::Open),
        "Active" => Ok(TicketStatus::InProgress),
        "Awaiting User Info" => Ok(TicketStatus::AwaitingUser),
        "Awaiting Vendor" => Ok(TicketStatus::AwaitingVendor),
        "Awaiting Problem" => Ok(TicketStatus::AwaitingProblem),
        "Awaiting Evidence" => Ok(TicketStatus::AwaitingEvidence),
        "Resolved" => Ok(TicketStatus::Resolved),
        "Closed" => Ok(TicketStatus::Closed),
        other => Err(format!("incident_state {other:?} is not known")),
    }
}

fn priority(text: &str) -> Result<TicketPriority, String> {
    match text {
        "1 - Critical" => Ok(TicketPriority::Critical),
        "2 - High" => Ok(TicketPriority::High),
        "3 - Moderate" => Ok(TicketPriority::Medium),
        "4 - Low" => Ok(TicketPriority::Low),
        other => Err(format!("priority {other:?} is not known")),
    }
}

/// A time as the file writes it, day first; the file says nothing of zones.
fn time(column: &str, text: &str) -> Result<DateTime<Utc>, String> {
    NaiveDateTime::parse_from_str(text, "%d-%m-%Y %H:%M")
        .map(|time| time.and_utc())
        .map_err(|_| format!("{column} {text:?} is no time such as 29-02-2016 04:57"))
}

/// What is wrong, without the position that stands beside it anyway.
fn told(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_come_first() {
        let read = time("opened_at", "29-02-2016 04:57").expect("a time");
        assert_eq!(read.to_rfc3339(), "2016-02-29T04:57:00+00:00");
        for bad in ["2016-02-29 04:57", "30-02-2016 04:57", "29-02-2016", "?", ""] {
            let says = time("opened_at", bad).expect_err(bad);
            assert!(says.starts_with("opened_at"), "{says}");
        }
    }

    #[test]
    fn a_question_mark_is_nothing() {
        assert_eq!(known("?"), None);
        assert_eq!(known(" ? "), None);
        assert_eq!(known(""), None);
        assert_eq!(known("Opened by  397").as_deref(), Some("Opened by 397"));
    }
}
