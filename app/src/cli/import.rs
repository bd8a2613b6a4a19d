//! `daybook import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::output::{Output, line};
use super::{Exit, Failure, Outcome, Session};
use crate::import::api_contracts::read::Contracts;
use crate::import::berka::read::Berka;
use crate::import::cloudwatch::read::CloudWatch;
use crate::import::incidents::read::Incidents;
use crate::import::stackexchange::read::Site;
use crate::import::{Report, Source};
use crate::workbench::Workbench;

/// Import real data through real commands
#[derive(Debug, Args)]
#[command(
    after_help = "Safe to interrupt and to repeat: every command has an id made from the data, and is applied once.\n\nExample: daybook import berka ./berka --dry-run"
)]
pub(super) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Accounts and transactions of a Czech bank, 1993 to 1994 (PKDD'99): accounts.tsv and transactions.tsv
    #[command(after_help = "Example: daybook import berka ./berka")]
    Berka(From),
    /// Questions and answers of coffee.stackexchange.com, 2015, as posts and comments: posts.ndjson
    #[command(after_help = "Example: daybook import stackexchange ./coffee-stackexchange")]
    Stackexchange(From),
    /// Incidents of a ServiceNow process with their whole histories, 2016 (UCI): incident_event_log.csv
    #[command(after_help = "Example: daybook import incidents ./incidents")]
    Incidents(From),
    /// Metrics of servers at five-minute steps, 2014 (Numenta Anomaly Benchmark): <sort>_<metric>_<host>.csv
    #[command(after_help = "Example: daybook import cloudwatch ./cloudwatch")]
    Cloudwatch(From),
    /// Public API contracts: name, version, base URL and description in contracts.tsv; titles and counts
    /// of paths are passed over
    #[command(after_help = "Example: daybook import api-contracts ./api-contracts --dry-run")]
    ApiContracts(From),
}

#[derive(Debug, Args)]
struct From {
    /// The folder with the files
    folder: PathBuf,
    /// Read and check the files, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Import {
    pub(super) async fn run(self, session: Session) -> Outcome {
        match self.what {
            What::Berka(from) => import::<Berka>(from, session).await,
            What::Stackexchange(from) => import::<Site>(from, session).await,
            What::Incidents(from) => import::<Incidents>(from, session).await,
            What::Cloudwatch(from) => import::<CloudWatch>(from, session).await,
            What::ApiContracts(from) => import::<Contracts>(from, session).await,
        }
    }
}

async fn import<S: Source>(from: From, session: Session) -> Outcome {
    let source = S::read(&from.folder)?;
    if from.dry_run {
        let told = source.told();
        print(&told, from.output)?;
        if from.output == Output::Table {
            line(format!("Nothing was sent. Without --dry-run: {}.", source.summary()));
        }
        return outcome(told.as_ref());
    }
    let bench =
        Workbench::open(&session.settings).await.map_err(|e| Failure::failed(e.to_string()))?;
    let mut told = source.import(bench.engine.clone()).await;
    let posted = bench.posted(told.as_ref().position).await;
    if posted.is_ok() {
        told.as_mut().checks = source.compare(&bench.pools.projector).await?;
    }
    bench.close().await.map_err(|e| Failure::failed(e.to_string()))?;
    print(&told, from.output)?;
    posted.map_err(|error| {
        Failure::failed(format!("all is in the log, but not posted yet: {error}"))
    })?;
    outcome(told.as_ref())
}

fn print(
    report: &(impl std::fmt::Display + serde::Serialize),
    output: Output,
) -> Result<(), Failure> {
    match output {
        Output::Table => line(report.to_string().trim_end()),
        Output::Json => line(serde_json::to_string_pretty(report)?),
    }
    Ok(())
}

/// Lines left out are a failure; figures that differ are a difference.
fn outcome(report: &Report) -> Outcome {
    if report.checks.iter().any(|check| check.different > 0) {
        return Ok(Exit::Difference);
    }
    if !report.wrong.is_empty() {
        return Err(Failure::failed(format!(
            "{} lines were left out or refused; mend them and run the same command again",
            report.wrong.len()
        )));
    }
    Ok(Exit::Done)
}
