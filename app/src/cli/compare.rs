//! `daybook compare`.

use std::sync::Mutex;

use clap::Args;
use daybook_projector::as_of;
use daybook_projector::between::{self, NetRow, Report};
use daybook_projector::rebuild::OnProgress;

use super::as_of::Stay;
use super::history::{History, Moment};
use super::output::{self, Output, line};
use super::rebuild::{migrators, show};
use super::{Exit, Failure, Outcome, Session};
use crate::import::progress;

/// Show which rows of the whole read model were added, changed and removed between two moments
#[derive(Debug, Args)]
#[command(
    after_help = "A moment is an RFC 3339 time or a position of the log. Only the streams that the log touched between the two are folded. With --rows every row is printed as a line of JSON, with its key, what it was and is, and the last event that changed it, before the report by table, tenant and actor. With --schema they are kept as a table `changes` and a view `counts` that auditors (daybook_auditor) read; `daybook as-of list` and `drop` know it, and it needs the administrator that migrate_url names. audit_logs is left out: it has a row more for each change.\n\nExample: daybook compare 2026-01-01T00:00:00Z 2026-02-01T00:00:00Z"
)]
pub(super) struct Compare {
    /// The earlier moment
    from: Moment,
    /// The later moment
    to: Moment,
    /// Print every row too, one JSON object a line
    #[arg(long)]
    rows: bool,
    /// Keep the rows as tables in this schema, for SQL
    #[arg(long, value_name = "NAME", conflicts_with = "rows")]
    schema: Option<String>,
    #[command(flatten)]
    stay: Stay,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Compare {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let history = History::open(&session).await?;
        let outcome = self.show(&session, &history).await;
        history.close().await?;
        outcome
    }

    async fn show(&self, session: &Session, history: &History) -> Outcome {
        let from = history.position(self.from).await?;
        let to = history.position(self.to).await?;
        if from > to {
            return Err(Failure::wrong_use(format!(
                "the first moment (position {from}) is after the second (position {to}); swap them"
            )));
        }
        let asked =
            serde_json::json!({ "from": from, "to": to, "rows": self.rows, "schema": self.schema });
        history.note_read("compare", asked).await?;
        let bar = progress::bar(0, "comparing");
        let stage = Mutex::new("");
        let tell = |progress| show(&bar, &stage, progress);
        let report = match &self.schema {
            Some(schema) => {
                let order = self.stay.order(schema, to, &session.settings);
                let migrators = migrators(&history.database).await?;
                let report = as_of::changes(&migrators, &history.log, &order, from, &tell).await?;
                migrators.close().await;
                report
            }
            None => self.print(history, (from, to), &tell).await?,
        };
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

    /// Compares, and prints the rows where that is wanted.
    async fn print(
        &self,
        history: &History,
        between: (i64, i64),
        tell: OnProgress<'_>,
    ) -> Result<Report, Failure> {
        let each = async |rows: Vec<NetRow>| -> Result<(), Failure> {
            if self.rows {
                for row in &rows {
                    line(serde_json::to_string(row)?);
                }
            }
            Ok(())
        };
        between::compare(&history.log, between, each, tell).await
    }
}
