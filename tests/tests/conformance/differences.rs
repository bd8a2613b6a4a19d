//! The one list of what is deliberately not as a document has it, with its reasons.

use serde::Deserialize;

use super::compare::Row;

/// `differences.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Differences {
    difference: Vec<Difference>,
}

/// Rows that differ for one reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    /// `document: thing: complaint`, where `*` stands for any text.
    rows: Vec<String>,
    reason: String,
    /// The later work that it belongs to, one of [`LATER`].
    later: Option<String>,
}

/// What is built later, as one piece.
pub const LATER: [&str; 3] = ["backup", "maintenance", "metrics"];

/// What is said of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is as the document asks.
    Satisfied,
    /// It is not, for this reason; or not yet, since a later work builds it.
    Different { reason: String, later: Option<&'static str> },
    /// It is not, and nobody says why.
    Missing(String),
}

impl Verdict {
    /// The later work that the thing belongs to.
    pub fn later(&self) -> Option<&'static str> {
        match self {
            Self::Different { later, .. } => *later,
            Self::Satisfied | Self::Missing(_) => None,
        }
    }
}

impl Difference {
    /// The later work, as [`LATER`] names it.
    ///
    /// # Panics
    /// When it is none of those.
    fn later(&self) -> Option<&'static str> {
        let work = self.later.as_ref()?;
        let known = LATER.into_iter().find(|known| *known == work.as_str());
        Some(known.unwrap_or_else(|| panic!("{work} is no later work: {self:?}")))
    }
}

impl Differences {
    /// Reads the list.
    pub fn read(text: &str) -> Self {
        let list: Self = toml::from_str(text).expect("the list of differences");
        for difference in &list.difference {
            assert!(difference.reason.len() > 20, "a reason says why: {difference:?}");
            let _ = difference.later();
        }
        list
    }

    /// What is said of each row, and the entries that no row needs.
    pub fn judge(&self, rows: &[Row]) -> (Vec<Verdict>, Vec<String>) {
        let mut unneeded: Vec<&str> =
            self.difference.iter().flat_map(|d| d.rows.iter().map(String::as_str)).collect();
        let mut verdicts = Vec::new();
        for row in rows {
            let Some(complaint) = &row.complaint else {
                verdicts.push(Verdict::Satisfied);
                continue;
            };
            let line = format!("{}: {}: {complaint}", row.document, row.thing);
            let listed = self.difference.iter().find_map(|difference| {
                let pattern = difference.rows.iter().find(|pattern| matches(pattern, &line))?;
                Some((difference, pattern))
            });
            verdicts.push(if let Some((difference, pattern)) = listed {
                unneeded.retain(|other| other != pattern);
                let (reason, later) = (difference.reason.clone(), difference.later());
                Verdict::Different { reason, later }
            } else {
                Verdict::Missing(complaint.clone())
            });
        }
        (verdicts, unneeded.into_iter().map(str::to_owned).collect())
    }
}

/// Whether a text is of a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[test]
fn an_entry_that_no_row_needs_is_seen() {
    let list = Differences::read(
        "[[difference]]\nrows = [\"a: b*: is c\", \"a: z: *\"]\nreason = \"a reason that says why it is so\"\nlater = \"backup\"\n",
    );
    let row = |thing: &str, complaint: Option<&str>| Row {
        document: "a",
        thing: thing.to_owned(),
        complaint: complaint.map(str::to_owned),
    };
    let rows = [row("b1", Some("is c")), row("b2", Some("is d")), row("y", None)];
    let (verdicts, unneeded) = list.judge(&rows);
    assert_eq!(verdicts[0].later(), Some("backup"));
    assert_eq!(verdicts[1..], [Verdict::Missing("is d".into()), Verdict::Satisfied]);
    assert_eq!(unneeded, ["a: z: *"]);
}
