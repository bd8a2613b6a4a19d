//! `daybook state`.

use chrono::{DateTime, Utc};
use clap::Args;
use daybook_projector::queries::past::{Past, Upto};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::history::{History, text};
use super::output::{self, Output, line};
use super::{Exit, Failure, Outcome, Session};

/// Show one entity, now or as it was
#[derive(Debug, Args)]
#[command(
    after_help = "Folds the stream's events through the projection that also makes the tables.\n\nExample: daybook state 0199a1b2-0000-7000-8000-000000000001 --as-of 2026-01-31T12:00:00Z"
)]
pub(super) struct State {
    /// The entity's stream
    stream: Uuid,
    /// What was recorded by this RFC 3339 time
    #[arg(long, value_name = "TIME", group = "when")]
    as_of: Option<DateTime<Utc>>,
    /// Everything up to this position of the log
    #[arg(long, value_name = "POSITION", group = "when")]
    at_position: Option<i64>,
    /// This version of the stream
    #[arg(long, value_name = "VERSION", group = "when", value_parser = clap::value_parser!(i64).range(1..))]
    version: Option<i64>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl State {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let history = History::open(&session).await?;
        let outcome = self.show(&history).await;
        history.close().await?;
        outcome
    }

    fn upto(&self) -> Upto {
        match (self.as_of, self.at_position, self.version) {
            (Some(time), _, _) => Upto::Instant(time),
            (_, Some(position), _) => Upto::Position(position),
            (_, _, version) => Upto::Version(version.unwrap_or(i64::MAX)),
        }
    }

    async fn show(&self, history: &History) -> Outcome {
        history.require(self.stream).await?;
        let asked = json!({
            "stream": self.stream,
            "as_of": self.as_of,
            "at_position": self.at_position,
            "version": self.version,
        });
        history.note_read("state", asked).await?;
        let past = history.past(self.stream, self.upto()).await?;
        if past.version == 0 {
            return Err(Failure::failed(format!(
                "{} did not exist at position {}",
                self.stream, past.position
            )));
        }
        if let Some(asked) = self.version.filter(|asked| *asked > past.version) {
            return Err(Failure::wrong_use(format!(
                "{} has {} versions, {asked} is not one of them",
                self.stream, past.version
            )));
        }
        self.print(&past)?;
        Ok(Exit::Done)
    }

    fn print(&self, past: &Past) -> Result<(), Failure> {
        if self.output == Output::Json {
            let document = json!({
                "stream": self.stream,
                "version": past.version,
                "position": past.position,
                "event": past.made_by,
                "rows": past.rows,
            });
            line(serde_json::to_string_pretty(&document)?);
            return Ok(());
        }
        line(format!("{} at version {}, position {}", self.stream, past.version, past.position));
        if let Some(event) = &past.made_by {
            line(format!(
                "made so by {} at position {}, {}, by {}",
                event.event_type,
                event.position,
                text(event.recorded_at),
                event.actor_id
            ));
        }
        for row in &past.rows {
            line(format!("\n{} {}", row.table, row.entity));
            let columns: Map<String, Value> = serde_json::from_str(row.row.get())?;
            let columns: Vec<_> = columns.into_iter().collect();
            output::rows(Output::Table, ["COLUMN", "VALUE"], &columns, |(name, value)| {
                [name.clone(), plain(value)]
            })?;
        }
        Ok(())
    }
}

/// A value as people read it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}
