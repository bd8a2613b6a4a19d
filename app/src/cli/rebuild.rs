//! `daybook rebuild`.

use std::sync::Mutex;
use std::time::Duration;

use clap::Args;
use daybook_projector::parked::ParkedEvent;
use daybook_projector::rebuild::{self, Memory, Options, Progress, Report, Scope, Unit};
use daybook_store::{Log, kind_of};
use indicatif::ProgressBar;
use sqlx::PgPool;

use super::output::{self, Output, line};
use super::stands_still::StandsStill;
use super::{Exit, Failure, Outcome, Session};
use crate::database::{Pools, migrate};
use crate::dev::{Database, Preparation, ensure_database};
use crate::import::progress;
use crate::world;

/// Make the read tables again from the log, or compare them with it
#[derive(Debug, Args)]
#[command(
    after_help = "New tables are filled beside the live ones while everything goes on, compared with them row by row, and take their place in one short transaction; the ones before are kept for --rollback. Where rows differ, the new tables wait: look at the report, then accept them with --force. It needs the administrator that migrate_url names. Run again after an interruption, it goes on with what is complete and clears away what is not. With --check nothing changes: the log is projected into temporary tables at the point that the live ones have reached.\n\nExit code 3: the tables differ from the log, or lack an event that cannot be posted.\n\nWith names, only those projections' rows are made again from the log (those that make rows of one table go together), and --check looks at those alone.\n\nExample: daybook rebuild --throttle 2000\nExample: daybook rebuild --check banking.account"
)]
pub(super) struct Rebuild {
    /// Only these projections, such as banking.account, by name or by a table of theirs; the rows of all others are copied as they are [default: everything]
    #[arg(value_name = "PROJECTION", conflicts_with_all = ["rollback", "status"])]
    projections: Vec<String>,
    /// Only compare, and show the rows that differ
    #[arg(long, group = "what")]
    check: bool,
    /// Go back at once to the tables that were live before the last rebuild
    #[arg(long, group = "what")]
    rollback: bool,
    /// Show what rebuilds there were, and how far the one under way is
    #[arg(long, group = "what")]
    status: bool,
    /// Take the new tables even where rows differ from the live ones
    #[arg(long, conflicts_with = "what")]
    force: bool,
    /// The most events to fold a second while the tables are filled; what comes then is gentle too
    #[arg(long, value_name = "EVENTS_PER_SECOND", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "what")]
    throttle: Option<u32>,
    /// How long to wait for others to let go of the tables, in seconds
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    patience: u64,
    /// How many differing rows of each table are shown; all are counted
    #[arg(long, default_value_t = 20, value_name = "ROWS")]
    examples: u32,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Rebuild {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let scope = Scope::named(&self.projections)
            .map_err(|unknown| Failure::wrong_use(unknown.to_string()))?;
        let settings = &session.settings;
        let database = ensure_database(settings, Preparation::MigratePrivate).await?;
        let pools = database.pools(settings).await?;
        let outcome = if self.check {
            self.compare(&scope, &pools).await
        } else if self.status {
            self.list(&pools).await
        } else if self.rollback {
            self.go_back(&database, &pools).await
        } else {
            self.make_again(scope, &database, &pools).await
        };
        pools.close().await;
        database.close().await?;
        outcome
    }

    fn options(&self) -> Options {
        Options {
            throttle: self.throttle,
            force: self.force,
            examples: i64::from(self.examples),
            patience: Duration::from_secs(self.patience),
            ..Options::new(world::fresh_id(), &world::build())
        }
    }

    async fn compare(&self, scope: &Scope, pools: &Pools) -> Outcome {
        let log = Log::new(pools.projector.clone());
        let bar = progress::bar(0, "filling");
        let stage = Mutex::new("");
        let tell = |progress| show(&bar, &stage, progress);
        let examples = i64::from(self.examples);
        let (pool, memory) = (&pools.projector, Memory::default());
        let report = rebuild::check_of(scope, pool, &log, memory, examples, &tell).await?;
        bar.finish_and_clear();
        let kinds = scope.kinds();
        let is_in_scope = |event: &ParkedEvent| {
            kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind_of(&event.event_type)))
        };
        let stands_still = StandsStill::now(pool, is_in_scope).await?;
        match self.output {
            Output::Json => line(stands_still.beside(&report)?),
            Output::Table => {
                print(&report)?;
                stands_still.tell();
                line(if report.is_same() {
                    format!(
                        "The tables are what the log says{}, up to position {}.",
                        stands_still.but_for(),
                        report.position
                    )
                } else {
                    "The tables differ from the log; `daybook rebuild` makes them again.".to_owned()
                });
            }
        }
        Ok(stands_still.exit(report.is_same()))
    }

    async fn make_again(&self, scope: Scope, database: &Database, pools: &Pools) -> Outcome {
        let migrators = migrators(database).await?;
        let log = Log::new(pools.projector.clone());
        let bar = progress::bar(0, "filling");
        let stage = Mutex::new("");
        let tell = |progress| show(&bar, &stage, progress);
        let options = Options { scope, ..self.options() };
        let rebuilt = rebuild::blue_green(&migrators, &log, &options, &tell).await?;
        bar.finish_and_clear();
        migrators.close().await;
        match self.output {
            Output::Json => line(serde_json::to_string_pretty(&rebuilt)?),
            Output::Table => {
                if !rebuilt.report.is_same() {
                    print(&rebuilt.report)?;
                }
                let copied = match rebuilt.copied {
                    0 => String::new(),
                    copied => format!(" and {copied} rows of others copied"),
                };
                line(match (rebuilt.live, rebuilt.rows + rebuilt.copied) {
                    (false, _) => "The new tables differ from the live ones and wait. To take them, run it again with --force; nothing is filled twice.".to_owned(),
                    (true, 0) => format!("The tables that were filled before are live, up to position {}. `daybook rebuild --rollback` goes back.", rebuilt.position),
                    (true, _) => format!("{} rows filled in{copied}; the new tables are live, up to position {}. `daybook rebuild --rollback` goes back.", rebuilt.rows, rebuilt.position),
                });
            }
        }
        Ok(if rebuilt.live { Exit::Done } else { Exit::Difference })
    }

    async fn go_back(&self, database: &Database, pools: &Pools) -> Outcome {
        let migrators = migrators(database).await?;
        let log = Log::new(pools.projector.clone());
        let position = rebuild::roll_back(&migrators, &log, &self.options(), &|_| ()).await?;
        migrators.close().await;
        line(format!(
            "The tables from before are live again, posted up to position {position}; the projector posts what came since."
        ));
        Ok(Exit::Done)
    }

    async fn list(&self, pools: &Pools) -> Outcome {
        let rebuilds = rebuild::rebuilds(&pools.projector).await?;
        let columns = [
            "STARTED",
            "PROJECTIONS",
            "STATE",
            "LIVE NOW",
            "DONE",
            "OF",
            "WHAT",
            "A SECOND",
            "SECONDS LEFT",
            "DIFFERENT",
            "MESSAGE",
        ];
        output::rows(self.output, columns, &rebuilds, |row| {
            let number =
                |number: Option<f64>| number.map_or_else(String::new, |n| format!("{n:.0}"));
            [
                super::history::text(row.started_at),
                row.projections.as_ref().map_or_else(|| "all".to_owned(), |names| names.join(" ")),
                row.state.clone(),
                if row.live_now { "yes".to_owned() } else { String::new() },
                row.events_done.to_string(),
                row.events_total.to_string(),
                row.unit.clone(),
                number(Some(row.events_per_second)),
                number(row.seconds_left),
                row.rows_different.map_or_else(String::new, |n| n.to_string()),
                row.message.clone().unwrap_or_default(),
            ]
        })?;
        Ok(Exit::Done)
    }
}

pub(super) async fn migrators(database: &Database) -> Result<PgPool, Failure> {
    let admin = database.admin.as_ref().ok_or_else(|| {
        Failure::wrong_use(
            "making tables is the owner's work: let DAYBOOK_MIGRATE_URL name an administrator",
        )
    })?;
    Ok(migrate::migrators(admin).await?)
}

pub(super) fn show(bar: &ProgressBar, stage: &Mutex<&'static str>, now: Progress) {
    if let Ok(mut stage) = stage.lock()
        && *stage != now.stage
    {
        *stage = now.stage;
        progress::count_in(bar, now.unit == Unit::Bytes);
        bar.set_message(now.stage);
        bar.reset_eta();
    }
    bar.set_length(now.total.unsigned_abs());
    bar.set_position(now.done.unsigned_abs());
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
            if let Some(event) = &row.event {
                line(format!(
                    "  by:      position {}, {} (version {} of {})",
                    event.position, event.event_type, event.version, event.stream_id
                ));
            }
        }
    }
    Ok(())
}
