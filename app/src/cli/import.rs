//! `daybook import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::output::{Output, line};
use super::{Exit, Failure, Outcome, Session};
use crate::import::{Report, berka, incidents, stackexchange};
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
            What::Berka(from) => import_berka(from, session).await,
            What::Stackexchange(from) => import_stackexchange(from, session).await,
            What::Incidents(from) => import_incidents(from, session).await,
        }
    }
}

async fn import_berka(from: From, session: Session) -> Outcome {
    let read = berka::read(&from.folder)?;
    if from.dry_run {
        let report = Report { wrong: read.wrong.clone(), ..Report::default() };
        print(&report, from.output)?;
        if from.output == Output::Table {
            line(format!(
                "Nothing was sent. Without --dry-run: {} accounts, {} transactions.",
                read.accounts.len(),
                read.transactions.len()
            ));
        }
        return outcome(&report);
    }
    let bench =
        Workbench::open(&session.settings).await.map_err(|e| Failure::failed(e.to_string()))?;
    let mut report = berka::import(bench.engine.clone(), &read).await;
    let posted = bench.posted(report.position).await;
    if posted.is_ok() {
        report.checks = berka::compare(&bench.pools.projector, &read).await?;
    }
    bench.close().await.map_err(|e| Failure::failed(e.to_string()))?;
    print(&report, from.output)?;
    posted.map_err(|error| {
        Failure::failed(format!("all is in the log, but not posted yet: {error}"))
    })?;
    outcome(&report)
}

async fn import_stackexchange(from: From, session: Session) -> Outcome {
    let site = stackexchange::read(&from.folder)?;
    if from.dry_run {
        let report = stackexchange::report(&site);
        print(&report, from.output)?;
        if from.output == Output::Table {
            let (questions, answers) = site.counts();
            line(format!(
                "Nothing was sent. Without --dry-run: {questions} posts, {answers} comments."
            ));
        }
        return outcome(&report);
    }
    let bench =
        Workbench::open(&session.settings).await.map_err(|e| Failure::failed(e.to_string()))?;
    let mut report = stackexchange::import(bench.engine.clone(), &site).await;
    let posted = bench.posted(report.position).await;
    if posted.is_ok() {
        report.checks = stackexchange::compare(&bench.pools.projector, &site).await?;
    }
    bench.close().await.map_err(|e| Failure::failed(e.to_string()))?;
    print(&report, from.output)?;
    posted.map_err(|error| {
        Failure::failed(format!("all is in the log, but not posted yet: {error}"))
    })?;
    outcome(&report)
}

async fn import_incidents(from: From, session: Session) -> Outcome {
    let read = incidents::read(&from.folder)?;
    if from.dry_run {
        let told = incidents::IncidentsReport::of(&read);
        print(&told, from.output)?;
        if from.output == Output::Table {
            line(format!(
                "Nothing was sent. Without --dry-run: {} tickets, {} changes, {} commands.",
                read.incidents.len(),
                read.changes(),
                incidents::plan::commands(&read).len()
            ));
        }
        return outcome(&told.report);
    }
    let bench =
        Workbench::open(&session.settings).await.map_err(|e| Failure::failed(e.to_string()))?;
    let mut told = incidents::import(bench.engine.clone(), &read).await;
    let posted = bench.posted(told.report.position).await;
    if posted.is_ok() {
        told.report.checks = incidents::compare(&bench.pools.projector, &read).await?;
    }
    bench.close().await.map_err(|e| Failure::failed(e.to_string()))?;
    print(&told, from.output)?;
    posted.map_err(|error| {
        Failure::failed(format!("all is in the log, but not posted yet: {error}"))
    })?;
    outcome(&told.report)
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
