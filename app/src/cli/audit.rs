//! `daybook audit`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use daybook_domain::context::SYSTEM_USER;
use daybook_projector::audit::{AuditFilter, AuditRow, Counted, Form, Population};
use daybook_projector::queries::known;
use daybook_projector::queries::reader::{Eyes, Reader, View};
use serde_json::{Map, Value, json};
use sqlx::types::ipnetwork::IpNetwork;
use uuid::Uuid;

use super::audit_export::{self, Export};
use super::history::History;
use super::output::{self, Output, line};
use super::state::plain;
use super::{Exit, Failure, Outcome, Session};

/// Show who changed what, newest first
#[derive(Debug, Args)]
#[command(
    after_help = "Each row is one row that one event changed, with its values before and after. Everything is read as the auditor's role sees it, up to the position up to which everything is posted. --export writes every row that is wanted, oldest first, with a count and a SHA-256 over its lines of NDJSON; --sample draws rows at random, and the same --seed draws the same ones again from the same population (--up-to-position). --reconcile folds the log a second time and compares: exit code 3 where the trail is not what the log says, or an event cannot be posted.\n\nExample: daybook audit --entity 0199a1b2-0000-7000-8000-000000000001 --action UPDATE --limit 20"
)]
pub(super) struct Audit {
    /// Only rows of this entity
    #[arg(long, value_name = "ID")]
    entity: Option<Uuid>,
    /// Only rows of this table
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Only what this user changed
    #[arg(long, value_name = "ID")]
    actor: Option<Uuid>,
    /// INSERT, UPDATE, DELETE or OUT_OF_BAND
    #[arg(long, value_name = "ACTION", ignore_case = true, value_parser = ["INSERT", "UPDATE", "DELETE", "OUT_OF_BAND"])]
    action: Option<String>,
    /// Only what was done on behalf of this organization
    #[arg(long, value_name = "ID")]
    tenant: Option<Uuid>,
    /// At or after this RFC 3339 time
    #[arg(long, value_name = "TIME")]
    from: Option<DateTime<Utc>>,
    /// Before this RFC 3339 time
    #[arg(long, value_name = "TIME")]
    to: Option<DateTime<Utc>>,
    /// From this address, or this network
    #[arg(long, value_name = "ADDRESS")]
    address: Option<IpNetwork>,
    /// Only what is tied together by this id
    #[arg(long, value_name = "ID")]
    correlation: Option<Uuid>,
    /// By events of this stream
    #[arg(long, value_name = "ID")]
    stream: Option<Uuid>,
    /// By events of this full type
    #[arg(long, value_name = "TYPE")]
    event_type: Option<String>,
    /// As it stood at this position of the log
    #[arg(long, value_name = "POSITION")]
    up_to_position: Option<i64>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: i64,
    /// Count the rows instead, by action and table
    #[arg(long, group = "how")]
    count: bool,
    /// Draw so many rows at random instead
    #[arg(long, value_name = "COUNT", group = "how", requires = "seed")]
    sample: Option<i64>,
    /// What the sample is drawn with
    #[arg(long, value_name = "TEXT", requires = "sample")]
    seed: Option<String>,
    /// Write all rows to this file: .ndjson, .csv or .parquet
    #[arg(long, value_name = "FILE", group = "how")]
    export: Option<PathBuf>,
    /// Compare the trail with the log
    #[arg(long, group = "how")]
    reconcile: bool,
    /// How they are printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Audit {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let history = History::open(&session).await?;
        let outcome = self.show(&history).await;
        history.close().await?;
        outcome
    }

    fn filter(&self) -> AuditFilter {
        AuditFilter {
            entity: self.entity,
            table: self.table.clone(),
            actor: self.actor,
            action: self.action.as_ref().map(|action| action.to_uppercase()),
            tenant: self.tenant,
            from: self.from,
            before: self.to,
            address: self.address,
            correlation: self.correlation,
            stream: self.stream,
            event_type: self.event_type.clone(),
        }
    }

    async fn show(&self, history: &History) -> Outcome {
        let filter = self.filter();
        known::require_audit(&filter, &history.log).await.map_err(Failure::from_filter)?;
        if self.reconcile {
            return audit_export::reconcile(history, &filter, self.output).await;
        }
        let mut asked = json!(filter);
        asked["up_to_position"] = json!(self.up_to_position);
        let reader = Reader::new(history.pools.reader.clone());
        let view = View { user: SYSTEM_USER, organization: None, eyes: Eyes::Auditor };
        let population =
            Population::of(reader, view, filter, &history.log, self.up_to_position).await?;
        let reading = history.begin_read("audit", asked).await?;
        let (rows, digest) = if let Some(path) = &self.export {
            let written = Export::to(path)?.run(&population).await?;
            self.tell_export(&population, &written)?;
            (written.rows, Some(written.digest))
        } else if self.count {
            self.tell_count(&population, &population.count().await?)?;
            (0, None)
        } else {
            let rows = match (self.sample, &self.seed) {
                (Some(rows), Some(seed)) => population.sample(seed, rows).await?,
                _ => population.page(None, true, self.limit).await?,
            };
            self.tell(&rows)?;
            (i64::try_from(rows.len()).unwrap_or(i64::MAX), None)
        };
        history.end_read(reading, rows, digest).await?;
        Ok(Exit::Done)
    }

    fn tell(&self, rows: &[AuditRow]) -> Result<(), Failure> {
        let columns = ["WHEN", "POSITION", "BY", "ACTION", "TABLE", "ENTITY", "BEFORE", "AFTER"];
        let rows: Vec<Value> = rows.iter().map(|row| json!(row)).collect();
        output::rows(self.output, columns, &rows, |row| {
            let cell = |name: &str| row.get(name).map(plain).unwrap_or_default();
            [
                cell("created_at"),
                cell("position"),
                cell("user_id"),
                cell("action"),
                cell("entity_type"),
                cell("entity_id"),
                cell("old_values"),
                cell("new_values"),
            ]
        })?;
        Ok(())
    }

    fn tell_count(&self, population: &Population, counted: &[Counted]) -> Result<(), Failure> {
        let rows: i64 = counted.iter().map(|counted| counted.rows).sum();
        if self.output == Output::Json {
            let told =
                json!({ "rows": rows, "counted": counted, "up_to_position": population.up_to });
            line(serde_json::to_string_pretty(&told)?);
            return Ok(());
        }
        output::rows(Output::Table, ["ROWS", "ACTION", "TABLE"], counted, |counted| {
            let table = counted.table.clone().unwrap_or_default();
            [counted.rows.to_string(), counted.action.clone(), table]
        })?;
        line(format!("{rows} rows, up to position {}", population.up_to));
        Ok(())
    }

    fn tell_export(
        &self,
        population: &Population,
        written: &audit_export::Written,
    ) -> Result<(), Failure> {
        let mut told = Map::new();
        told.insert("rows".to_owned(), written.rows.into());
        told.insert("up_to_position".to_owned(), population.up_to.into());
        told.insert("digest".to_owned(), written.digest.as_str().into());
        line(match self.output {
            Output::Json => serde_json::to_string_pretty(&told)?,
            Output::Table => format!(
                "{} rows, up to position {}\nSHA-256 {}",
                written.rows, population.up_to, written.digest
            ),
        });
        Ok(())
    }
}

/// The form that a file's name says.
pub(super) fn form_of(end: Option<&str>) -> Option<Option<Form>> {
    match end {
        Some("ndjson" | "jsonl") => Some(Some(Form::Ndjson)),
        Some("csv") => Some(Some(Form::Csv)),
        Some("parquet") => Some(None),
        _ => None,
    }
}
