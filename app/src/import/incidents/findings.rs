//! Where the source's own counters do not fit its rows.

use super::plan::opened_at;
use super::read::{Change, FILE, Incident, Incidents};
use crate::import::report::Wrong;

/// What an incident's rows add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How often the group is another one than in the row before, or none.
    pub reassignments: u32,
    /// How often it is open again after it was resolved or closed.
    pub reopenings: u32,
}

/// Counts what the rows show.
#[must_use]
pub fn counted(incident: &Incident) -> Counted {
    let mut counted = Counted { reassignments: 0, reopenings: 0 };
    for pair in incident.changes.windows(2) {
        counted.reassignments += u32::from(reassigned(&pair[0], &pair[1]));
        counted.reopenings += u32::from(reopened(&pair[0], &pair[1]));
    }
    counted
}

fn reassigned(before: &Change, change: &Change) -> bool {
    before.group != change.group
}

fn reopened(before: &Change, change: &Change) -> bool {
    !before.status.is_open() && change.status.is_open()
}

/// Every row whose counters say something else than the rows themselves, and every row that stands
/// in another order than its times or numbers. Nothing of it keeps a row from being taken.
#[must_use]
pub fn findings(incidents: &Incidents) -> Vec<Wrong> {
    let mut found = Vec::new();
    for incident in &incidents.incidents {
        let mut remark = |line: u64, reason: String| {
            let reason = format!("{}: {reason}", incident.number);
            found.push(Wrong { file: FILE, line, reason });
        };
        let first = &incident.changes[0];
        if first.updated_at < incident.opened_at {
            let at = opened_at(incident);
            remark(
                first.line,
                format!("changed before its opened_at {}; opened at {at} here", incident.opened_at),
            );
        }
        for (counter, count) in
            [("reassignment_count", first.reassignment_count), ("reopen_count", first.reopen_count)]
        {
            if count > 0 {
                remark(first.line, format!("{counter} is {count} where the rows begin"));
            }
        }
        for pair in incident.changes.windows(2) {
            for reason in between(&pair[0], &pair[1]) {
                remark(pair[1].line, reason);
            }
        }
    }
    found
}

/// What does not fit between two rows that follow each other.
fn between(before: &Change, change: &Change) -> Vec<String> {
    let mut found = Vec::new();
    let mut counter = |name: &str, from: u32, to: u32, happened: bool, shown: &str| {
        if i64::from(to) - i64::from(from) != i64::from(happened) {
            let not = if happened { "" } else { "not " };
            found.push(format!("{name} goes from {from} to {to}, where it was {not}{shown}"));
        }
    };
    counter(
        "reassignment_count",
        before.reassignment_count,
        change.reassignment_count,
        reassigned(before, change),
        "given to another group",
    );
    counter(
        "reopen_count",
        before.reopen_count,
        change.reopen_count,
        reopened(before, change),
        "opened again",
    );
    if change.sys_mod_count <= before.sys_mod_count {
        let (from, to) = (before.sys_mod_count, change.sys_mod_count);
        found.push(format!("sys_mod_count goes from {from} to {to}"));
    }
    if change.updated_at < before.updated_at {
        let (from, to) = (before.updated_at, change.updated_at);
        found.push(format!("sys_updated_at goes back from {from} to {to}"));
    }
    found
}

/// How many changes the source counted that are not in the file, and of how many incidents.
#[must_use]
pub fn missing(incidents: &Incidents) -> (u64, u64) {
    let mut missing = (0, 0);
    for incident in &incidents.incidents {
        let last = incident.changes.iter().map(|change| change.sys_mod_count).max().unwrap_or(0);
        let rows = u64::try_from(incident.changes.len()).unwrap_or(u64::MAX);
        // The first row of an incident is counted as its change 0.
        let gone = (u64::from(last) + 1).saturating_sub(rows);
        missing.0 += gone;
        missing.1 += u64::from(gone > 0);
    }
    missing
}
