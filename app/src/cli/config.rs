//! `daybook config show`.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::output::{self, Output};
use super::{Exit, Outcome, Session};

/// Settings, and where each came from
#[derive(Debug, Args)]
#[command(after_help = "Example: daybook config show --output json")]
pub(super) struct Config {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show each setting, its value and where it came from; secrets are masked
    #[command(after_help = "Example: DAYBOOK_LISTEN=0.0.0.0:80 daybook config show")]
    Show {
        /// How it is printed
        #[arg(long, value_enum, default_value_t)]
        output: Output,
        /// With what each setting means
        #[arg(long)]
        explain: bool,
    },
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    value: String,
    origin: String,
    meaning: &'static str,
}

impl Config {
    pub(super) fn run(self, session: &Session) -> Outcome {
        let What::Show { output, explain } = self.what;
        let rows: Vec<Row> = session
            .loaded
            .explained()
            .map(|(key, value, origin)| Row {
                name: key.name,
                value,
                origin: origin.to_string(),
                meaning: key.meaning.trim(),
            })
            .collect();
        if explain {
            output::rows(output, ["SETTING", "VALUE", "FROM", "MEANING"], &rows, |row| {
                [row.name.into(), row.value.clone(), row.origin.clone(), row.meaning.into()]
            })?;
        } else {
            output::rows(output, ["SETTING", "VALUE", "FROM"], &rows, |row| {
                [row.name.into(), row.value.clone(), row.origin.clone()]
            })?;
        }
        Ok(Exit::Done)
    }
}
