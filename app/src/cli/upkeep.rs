//! `daybook upkeep`.

use clap::Args;

use super::output::{self, Output, line};
use super::{Exit, Outcome, Session};
use crate::dev::{Preparation, ensure_database};
use crate::upkeep;

/// Do now what every process with the role command does once an hour
#[derive(Debug, Args)]
#[command(
    after_help = "One round: makes partitions of the log and of the read tables three months ahead, closes months of the log that are over, drops states of the read model (daybook as-of) whose time is up, and takes away command ids, append batches and refusals that are past their time, in bounded steps. Any number may run at once, beside the service or without one; a second round finds nothing to do.\n\nExample: daybook upkeep --output json"
)]
pub(super) struct Upkeep {
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Upkeep {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let settings = &session.settings;
        let database = ensure_database(settings, Preparation::MigratePrivate).await?;
        let pools = database.pools(settings).await?;
        let done = upkeep::once(&pools.maintenance).await;
        pools.close().await;
        database.close().await?;
        let done = done?;
        if done.is_empty() && self.output == Output::Table {
            line("Nothing was due.");
        } else {
            output::rows(self.output, ["WHAT", "TO", "COUNT"], &done, |did| {
                [did.what.words().to_owned(), did.to.clone(), did.count.to_string()]
            })?;
        }
        Ok(Exit::Done)
    }
}
