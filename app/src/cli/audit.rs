//! `daybook audit`.

use chrono::{DateTime, Utc};
use clap::Args;
use daybook_domain::context::SYSTEM_USER;
use daybook_http::Params;
use daybook_projector::queries::list::{ListRequest, MAX_LIMIT};
use daybook_projector::queries::reader::{Eyes, Reader, View};
use daybook_projector::queries::tables::ReadTable;
use serde_json::Value;
use uuid::Uuid;

use super::history::{History, text};
use super::output::{self, Output};
use super::state::plain;
use super::{Exit, Failure, Outcome, Session};

/// Show who changed what, newest first
#[derive(Debug, Args)]
#[command(
    after_help = "Each row is one row that one event changed, with its values before and after.\n\nExample: daybook audit --entity 0199a1b2-0000-7000-8000-000000000001 --action UPDATE --limit 20"
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
    /// At or after this RFC 3339 time
    #[arg(long, value_name = "TIME")]
    from: Option<DateTime<Utc>>,
    /// Before this RFC 3339 time
    #[arg(long, value_name = "TIME")]
    to: Option<DateTime<Utc>>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
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

    async fn show(&self, history: &History) -> Outcome {
        let rows = self.rows(history).await?;
        let columns = ["WHEN", "POSITION", "BY", "ACTION", "TABLE", "ENTITY", "BEFORE", "AFTER"];
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
        Ok(Exit::Done)
    }

    /// Page by page; actions are not indexed, and picked out here.
    async fn rows(&self, history: &History) -> Result<Vec<Value>, Failure> {
        let table = ReadTable::at("platform", "audit_logs")
            .ok_or_else(|| Failure::failed("this build has no audit trail"))?;
        let reader = Reader::new(history.pools.reader.clone());
        let view = View { user: SYSTEM_USER, organization: None, eyes: Eyes::Auditor };
        let (mut rows, mut cursor) = (Vec::new(), None::<String>);
        while rows.len() < self.limit {
            let pairs = self.pairs(cursor.take());
            let request = Params::new(pairs)
                .and_then(|params| ListRequest::read(table, params))
                .map_err(|problem| Failure::wrong_use(problem.detail))?;
            let page = request.run(&reader, &view).await?;
            for row in &page.rows {
                let row: Value = serde_json::from_str(row.get())?;
                if self.action.as_ref().is_none_or(|action| {
                    row["action"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(action))
                }) {
                    rows.push(row);
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        rows.truncate(self.limit);
        Ok(rows)
    }

    fn pairs(&self, cursor: Option<String>) -> Vec<(String, String)> {
        let limit = match self.action {
            Some(_) => MAX_LIMIT,
            None => i64::try_from(self.limit).unwrap_or(MAX_LIMIT).clamp(1, MAX_LIMIT),
        };
        let given = [
            ("entity_id", self.entity.map(|id| id.to_string())),
            ("entity_type", self.table.clone()),
            ("user_id", self.actor.map(|id| id.to_string())),
            ("from", self.from.map(text)),
            ("before", self.to.map(text)),
            ("limit", Some(limit.to_string())),
            ("cursor", cursor),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}
