//! `daybook journal`.

use chrono::{DateTime, Utc};
use clap::Args;
use daybook_domain::context::SYSTEM_USER;
use daybook_projector::queries::journals::{self, Journal, JournalFilter};
use daybook_projector::queries::reader::{Eyes, Reader, View};
use serde_json::{Value, json};
use sqlx::types::ipnetwork::IpNetwork;
use uuid::Uuid;

use super::history::History;
use super::output::{self, Output};
use super::state::plain;
use super::{Exit, Outcome, Session};

/// Show refused commands, attempts to sign in, or who read of everyone's past, newest first
#[derive(Debug, Args)]
#[command(
    after_help = "What people did that made no event is kept in journals of its own, to which rows are only added. `losses` says how much could not be written because more came than could be.\n\nExample: daybook journal refusals --code insufficient-funds --from 2026-01-01T00:00:00Z"
)]
pub(super) struct JournalCommand {
    /// Which
    #[arg(value_enum)]
    journal: Which,
    /// Of this user: who asked, read, or was to be signed in
    #[arg(long, value_name = "ID")]
    user: Option<Uuid>,
    /// With this code; of reads, of this sort, such as replay
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// At or after this RFC 3339 time
    #[arg(long, value_name = "TIME")]
    from: Option<DateTime<Utc>>,
    /// Before this RFC 3339 time
    #[arg(long, value_name = "TIME")]
    to: Option<DateTime<Utc>>,
    /// From this address, or this network
    #[arg(long, value_name = "ADDRESS")]
    address: Option<IpNetwork>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: i64,
    /// How they are printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// A journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    /// Commands that were refused.
    Refusals,
    /// Attempts to sign in.
    SignIns,
    /// Reads of everyone's past.
    Reads,
    /// What could not be written.
    Losses,
}

impl JournalCommand {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let history = History::open(&session).await?;
        let outcome = self.show(&history).await;
        history.close().await?;
        outcome
    }

    async fn show(&self, history: &History) -> Outcome {
        let (journal, columns) = match self.journal {
            Which::Refusals => {
                (Journal::Refusals, ["at", "actor_id", "kind", "command", "code", "ip_address"])
            }
            Which::SignIns => (
                Journal::SignIns,
                ["at", "user_id", "code", "session_id", "ip_address", "user_agent"],
            ),
            Which::Reads => (Journal::Reads, ["at", "actor_id", "what", "phase", "rows", "asked"]),
            Which::Losses => (Journal::Losses, ["at", "lost", "db_user", "", "", ""]),
        };
        let filter = JournalFilter {
            user: self.user,
            code: self.code.clone(),
            from: self.from,
            before: self.to,
            address: self.address,
        };
        let reader = Reader::new(history.pools.reader.clone());
        let view = View { user: SYSTEM_USER, organization: None, eyes: Eyes::Auditor };
        let asked = json!({ "journal": journal.name(), "user": self.user, "code": self.code });
        let reading = history.begin_read("journal", asked).await?;
        let rows = journals::page(&reader, &view, journal, &filter, None, self.limit).await?;
        let rows: Vec<Value> = rows
            .iter()
            .map(|(_, row)| serde_json::from_str(row.get()))
            .collect::<Result<_, _>>()?;
        let heads = columns.map(str::to_uppercase);
        output::rows(self.output, heads.each_ref().map(String::as_str), &rows, |row| {
            columns.map(|name| row.get(name).map(plain).unwrap_or_default())
        })?;
        history.end_read(reading, i64::try_from(rows.len()).unwrap_or(i64::MAX), None).await?;
        Ok(Exit::Done)
    }
}
