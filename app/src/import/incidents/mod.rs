//! The incidents of a real ServiceNow process, one row a change (UCI, "Incident management process
//! enriched event log").

pub mod findings;
pub mod plan;
pub mod read;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use daybook_command::Engine;
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

use super::report::{Check, ImportError, Report, Wrong};
use super::source::Source;
use super::submit;
use read::Incidents;

/// What an import of incidents says when it is done.
#[derive(Debug, Default, Clone, Serialize)]
pub struct IncidentsReport {
    /// What every import says.
    #[serde(flatten)]
    pub report: Report,
    /// Where the source's own counters do not fit its rows, by line. All of it was taken.
    pub findings: Vec<Wrong>,
    /// How many changes the source counted that are not in the file.
    pub missing_changes: u64,
    /// How many incidents these are of.
    pub with_missing_changes: u64,
}

impl IncidentsReport {
    /// What there is to say before anything is sent.
    #[must_use]
    pub fn of(incidents: &Incidents) -> Self {
        let (missing_changes, with_missing_changes) = findings::missing(incidents);
        Self {
            report: Report { wrong: incidents.wrong.clone(), ..Report::default() },
            findings: findings::findings(incidents),
            missing_changes,
            with_missing_changes,
        }
    }
}

impl fmt::Display for IncidentsReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.report)?;
        writeln!(
            out,
            "{} changes of {} incidents were counted by the source and are not in its file",
            self.missing_changes, self.with_missing_changes
        )?;
        writeln!(
            out,
            "{} places where the source's own counters do not fit its rows",
            self.findings.len()
        )?;
        for finding in self.findings.iter().take(50) {
            writeln!(out, "  {finding}")?;
        }
        if self.findings.len() > 50 {
            writeln!(out, "  … and {} more; --output json lists all", self.findings.len() - 50)?;
        }
        Ok(())
    }
}

impl AsRef<Report> for IncidentsReport {
    fn as_ref(&self) -> &Report {
        &self.report
    }
}

impl AsMut<Report> for IncidentsReport {
    fn as_mut(&mut self) -> &mut Report {
        &mut self.report
    }
}

impl Source for Incidents {
    type Told = IncidentsReport;

    fn read(folder: &Path) -> Result<Self, ImportError> {
        read::read(folder)
    }

    fn told(&self) -> IncidentsReport {
        IncidentsReport::of(self)
    }

    fn summary(&self) -> String {
        let commands = plan::commands(self).len();
        format!("{} tickets, {} changes, {commands} commands", self.incidents.len(), self.changes())
    }

    async fn import(&self, engine: Arc<Engine>) -> IncidentsReport {
        let mut told = self.told();
        let commands = plan::commands(self);
        submit::planned(engine, read::FILE, commands, &mut told.report).await;
        told
    }

    /// With the source's counters, its rows, and where it ends.
    async fn compare(&self, pool: &PgPool) -> Result<Vec<Check>, ImportError> {
        let mut ids: Vec<Uuid> = Vec::new();
        let (mut reopenings, mut reassignments, mut statuses) =
            (Vec::new(), Vec::new(), Vec::new());
        for incident in &self.incidents {
            let Some(last) = incident.changes.last() else { continue };
            ids.push(plan::id("incident", &incident.number));
            reopenings.push(i32::try_from(last.reopen_count).unwrap_or(i32::MAX));
            let shown = findings::counted(incident).reassignments;
            reassignments.push(i32::try_from(shown).unwrap_or(i32::MAX));
            statuses.push(last.status.as_str());
        }
        let compared = ids.len() as u64;
        let differing: (i64, i64, i64) = sqlx::query_as(include_str!("differing.sql"))
            .bind(ids)
            .bind(reopenings)
            .bind(reassignments)
            .bind(statuses)
            .fetch_one(pool)
            .await?;
        let check = |what: &str, different: i64| Check {
            what: what.to_owned(),
            compared,
            different: different.unsigned_abs(),
        };
        Ok(vec![
            check("reopenings, ours and the source's counter", differing.0),
            check("reassignments of the group, ours and what the source's rows show", differing.1),
            check("where the tickets stand, ours and the source's last rows", differing.2),
        ])
    }
}
