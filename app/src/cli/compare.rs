//! `daybook compare`.

use std::sync::Mutex;

use clap::Args;
use daybook_projector::between::{self, NetRow};

use super::history::{History, Moment};
use super::output::{self, Output, line};
use super::rebuild::show;
use super::{Exit, Failure, Outcome, Session};
use crate::import::progress;

/// Show which rows of the whole read model were added, changed and removed between two moments
#[derive(Debug, Args)]
#[command(
    after_help = "A moment is an RFC 3339 time or a position of the log. Only the streams that the log touched between the two are folded. With --rows every row is printed as a line of JSON, with its key, what it was and is, and the last event that changed it, before the report by table, tenant and actor. audit_logs is left out: it has a row more for each change.\n\nExample: daybook compare 2026-01-01T00:00:00Z 2026-02-01T00:00:00Z"
)]
pub(super) struct Compare {
    /// The earlier moment
    from: Moment,
    /// The later moment
    to: Moment,
    /// Print every row too, one JSON object a line
    #[arg(long)]
    rows: bool,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Compare {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let history = History::open(&session).await?;
        let outcome = self.show(&history).await;
        history.close().await?;
        outcome
    }

    async fn show(&self, history: &History) -> Outcome {
        let from = history.position(self.from).await?;
        let to = history.position(self.to).await?;
        if from > to {
            return Err(Failure::wrong_use(format!(
                "the first moment (position {from}) is after the second (position {to}); swap them"
            )));
        }
        let bar = progress::bar(0, "comparing");
        let stage = Mutex::new("");
        let tell = |progress| show(&bar, &stage, progress);
        let each = async |rows: Vec<NetRow>| -> Result<(), Failure> {
            if self.rows {
                for row in &rows {
                    line(serde_json::to_string(row)?);
                }
            }
            Ok(())
        };
        let report = between::compare(&history.log, (from, to), each, &tell).await?;
        bar.finish_and_clear();
        if self.output == Output::Json {
            line(serde_json::to_string_pretty(&report)?);
            return Ok(Exit::Done);
        }
        line(format!(
            "{} events of {} streams, after position {from} and up to {to}",
            report.events, report.streams
        ));
        let columns = ["TABLE", "TENANT", "ACTOR", "ADDED", "CHANGED", "REMOVED"];
        output::rows(Output::Table, columns, &report.counts, |count| {
            [
                count.table.to_owned(),
                count.tenant_id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
                count.actor_id.to_string(),
                count.added.to_string(),
                count.changed.to_string(),
                count.removed.to_string(),
            ]
        })?;
        Ok(Exit::Done)
    }
}
