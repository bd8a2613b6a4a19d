//! `daybook rebuild`.

use clap::Args;
use daybook_projector::rebuild::{self, Memory, Progress, Report};
use daybook_store::Log;
use indicatif::ProgressBar;

use super::output::{self, Output, line};
use super::{Exit, Failure, Outcome, Session};
use crate::database::migrate;
use crate::dev::{Database, Preparation, ensure_database};
use crate::import::progress;

/// Make the read tables again from the log, or compare them with it
#[derive(Debug, Args)]
#[command(
    after_help = "Without --check, the tables are emptied and filled in one transaction: readers wait, and never see them half filled; workers go on afterwards. It needs the administrator that migrate_url names. With --check nothing changes: the log is projected into temporary tables at the point that the live ones have reached, and compared row by row.\n\nExit code 3: the tables differ from the log.\n\nExample: daybook rebuild --check"
)]
pub(super) struct Rebuild {
    /// Only compare, and show the rows that differ
    #[arg(long)]
    check: bool,
    /// How many differing rows of each table are shown; all are counted
    #[arg(long, default_value_t = 20, value_name = "ROWS")]
    examples: u32,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Rebuild {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let settings = &session.settings;
        let database = ensure_database(settings, Preparation::MigratePrivate).await?;
        let pools = database.pools(settings).await?;
        let outcome = if self.check {
            self.compare(&pools).await
        } else {
            self.make_again(&database, &pools).await
        };
        pools.close().await;
        database.close().await?;
        outcome
    }

    async fn compare(&self, pools: &crate::database::Pools) -> Outcome {
        let log = Log::new(pools.projector.clone());
        let bar = progress::bar(0, "projecting");
        let tell = |progress| show(&bar, progress);
        let examples = i64::from(self.examples);
        let report =
            rebuild::check(&pools.projector, &log, Memory::default(), examples, &tell).await?;
        bar.finish_and_clear();
        match self.output {
            Output::Json => line(serde_json::to_string_pretty(&report)?),
            Output::Table => print(&report)?,
        }
        Ok(if report.is_same() { Exit::Done } else { Exit::Difference })
    }

    async fn make_again(&self, database: &Database, pools: &crate::database::Pools) -> Outcome {
        let admin = database.admin.as_ref().ok_or_else(|| {
            Failure::wrong_use(
                "filling the tables anew is the owner's work: let DAYBOOK_MIGRATE_URL name an administrator",
            )
        })?;
        let mut connection = migrate::connect_as_migrator(admin).await?;
        let log = Log::new(pools.projector.clone());
        let bar = progress::bar(0, "rebuilding");
        let tell = |progress| show(&bar, progress);
        let rebuilt = rebuild::in_place(&mut connection, &log, Memory::default(), &tell).await?;
        bar.finish_and_clear();
        match self.output {
            Output::Json => line(serde_json::to_string_pretty(&rebuilt)?),
            Output::Table => line(format!(
                "{} rows written, up to position {}; `daybook rebuild --check` compares them with the log",
                rebuilt.rows, rebuilt.position
            )),
        }
        Ok(Exit::Done)
    }
}

fn show(bar: &ProgressBar, Progress { done, total }: Progress) {
    bar.set_length(total.unsigned_abs());
    bar.set_position(done.unsigned_abs());
}

fn print(report: &Report) -> Result<(), Failure> {
    output::rows(
        Output::Table,
        ["TABLE", "LIVE ROWS", "REBUILT ROWS", "DIFFERENT"],
        &report.tables,
        |table| {
            [
                table.table.to_owned(),
                table.live.to_string(),
                table.rebuilt.to_string(),
                table.different.to_string(),
            ]
        },
    )?;
    for table in &report.tables {
        for row in &table.rows {
            line(format!("{} {} differs in {}", table.table, row.key, row.columns.join(", ")));
            let of = |side: &Option<serde_json::Value>| {
                side.as_ref().map_or_else(|| "not there".to_owned(), ToString::to_string)
            };
            line(format!("  live:    {}", of(&row.live)));
            line(format!("  rebuilt: {}", of(&row.rebuilt)));
        }
    }
    line(if report.is_same() {
        format!("The tables are what the log says, up to position {}.", report.position)
    } else {
        "The tables differ from the log; `daybook rebuild` makes them again.".to_owned()
    });
    Ok(())
}
