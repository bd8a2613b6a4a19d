//! `daybook diff`.

use clap::Args;
use daybook_projector::queries::diff::StepRow;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::history::{History, Moment, text};
use super::output::{self, Output, line};
use super::state::plain;
use super::{Exit, Failure, Outcome, Session};

/// Show what changed in one entity between two moments, and the events that changed it
#[derive(Debug, Args)]
#[command(
    after_help = "A moment is an RFC 3339 time or a position of the log.\n\nExample: daybook diff 0199a1b2-0000-7000-8000-000000000001 2026-01-01T00:00:00Z 2026-02-01T00:00:00Z"
)]
pub(super) struct Diff {
    /// The entity's stream
    stream: Uuid,
    /// The earlier moment
    from: Moment,
    /// The later moment
    to: Moment,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Diff {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let history = History::open(&session).await?;
        let outcome = self.show(&history).await;
        history.close().await?;
        outcome
    }

    async fn show(&self, history: &History) -> Outcome {
        history.require(self.stream).await?;
        let from = history.position(self.from).await?;
        let to = history.position(self.to).await?;
        if from > to {
            return Err(Failure::wrong_use(format!(
                "the first moment (position {from}) is after the second (position {to}); swap them"
            )));
        }
        let asked = serde_json::json!({ "stream": self.stream, "from": from, "to": to });
        history.note_read("diff", asked).await?;
        let found = history.diff(self.stream, from, to).await?;
        if self.output == Output::Json {
            line(serde_json::to_string_pretty(&found)?);
            return Ok(Exit::Done);
        }
        line(format!(
            "{}: version {} at position {from} to version {} at position {to}",
            self.stream, found.from_version, found.to_version
        ));
        let columns = ["TABLE", "ENTITY", "COLUMN", "BEFORE", "AFTER"];
        output::rows(Output::Table, columns, &found.changes, |row| {
            let (before, after) = (plain(&row.before), plain(&row.after));
            [row.table.into(), row.entity.to_string(), row.column.clone(), before, after]
        })?;
        line("");
        let columns = ["POSITION", "VERSION", "RECORDED", "EVENT", "BY", "CHANGED"];
        output::rows(Output::Table, columns, &found.steps, |step| {
            let (position, version) = (step.position.to_string(), step.version.to_string());
            let rows: Vec<String> = step.rows.iter().map(changed).collect();
            let rows = rows.join("; ");
            let by = step.actor_id.to_string();
            [position, version, text(step.recorded_at), step.event_type.clone(), by, rows]
        })?;
        Ok(Exit::Done)
    }
}

/// A row that an event changed, with the columns that it changed.
fn changed(row: &StepRow) -> String {
    let names = |values: &Option<Box<RawValue>>| -> Vec<String> {
        let fields = values.as_ref().map(|values| serde_json::from_str(values.get()));
        let fields: Map<String, Value> = fields.and_then(Result::ok).unwrap_or_default();
        fields.into_iter().map(|(name, _)| name).collect()
    };
    match row.action {
        "UPDATE" => format!("{} {}", row.table, names(&row.after).join(", ")),
        "INSERT" => format!("{} made", row.table),
        _ => format!("{} removed", row.table),
    }
}
