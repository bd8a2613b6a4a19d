//! The command line: one file a subcommand.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong use, 3 a check found a difference.

mod admin;
mod as_of;
mod audit;
mod audit_export;
mod compare;
mod completions;
mod config;
mod dev;
mod diff;
mod doctor;
mod events;
mod failure;
mod history;
mod import;
mod journal;
mod log_filter;
mod migrate;
pub mod output;
mod ownership;
mod rebuild;
mod reconcile;
mod replay;
mod serve;
mod stands_still;
mod state;
mod submit;
mod upkeep;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use tokio_util::sync::CancellationToken;

pub use failure::{Exit, Failure, Outcome};

use crate::config::{Loaded, Settings, Sources};
use crate::telemetry;

/// Every command, and what it ends with.
const AFTER_HELP: &str = "\
Settings come from built-in defaults, then a file (--config, DAYBOOK_CONFIG or ./daybook.toml), then \
DAYBOOK_* environment variables (and DATABASE_URL), then flags; `daybook config show` tells which counted.

Exit codes: 0 done, 1 failed, 2 wrong use, 3 a check found a difference.

Example: daybook dev";

/// An event-sourced platform: one log of what happened, tables and an audit trail posted from it.
#[derive(Debug, Parser)]
#[command(name = "daybook", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Args)]
struct Common {
    /// The file with settings [default: ./daybook.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The database to work on [default: the one that `daybook dev` keeps]
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Where the private database is kept
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// Any setting, by its name in `daybook config show`
    #[arg(long = "set", global = true, value_name = "NAME=VALUE", value_parser = name_and_value)]
    set: Vec<(String, String)>,
    /// Who looks into the past, by their key or session token; better in DAYBOOK_KEY, where nobody else sees it [default: the system]
    #[arg(long, global = true, value_name = "KEY")]
    as_key: Option<String>,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("not of the form NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

#[derive(Debug, Subcommand)]
enum Command {
    Dev(dev::Dev),
    Serve(serve::Serve),
    Migrate(migrate::Migrate),
    Submit(submit::Submit),
    Import(import::Import),
    Rebuild(rebuild::Rebuild),
    Replay(replay::ReplayCommand),
    Reconcile(reconcile::Reconcile),
    AsOf(as_of::AsOf),
    Compare(compare::Compare),
    Admin(admin::Admin),
    Events(events::Events),
    State(state::State),
    Diff(diff::Diff),
    Audit(audit::Audit),
    Journal(journal::JournalCommand),
    Doctor(doctor::Doctor),
    Upkeep(upkeep::Upkeep),
    Config(config::Config),
    Completions(completions::Completions),
}

impl Command {
    /// Flags of this command that are settings.
    fn flags(&self) -> Vec<(String, String)> {
        match self {
            Self::Dev(dev) => dev.flags(),
            Self::Serve(serve) => serve.flags(),
            Self::Migrate(_)
            | Self::Submit(_)
            | Self::Import(_)
            | Self::Rebuild(_)
            | Self::Replay(_)
            | Self::Reconcile(_)
            | Self::AsOf(_)
            | Self::Compare(_)
            | Self::Admin(_)
            | Self::Events(_)
            | Self::State(_)
            | Self::Diff(_)
            | Self::Audit(_)
            | Self::Journal(_)
            | Self::Doctor(_)
            | Self::Upkeep(_)
            | Self::Config(_)
            | Self::Completions(_) => Vec::new(),
        }
    }
}

/// What a command works with.
struct Session {
    loaded: Loaded,
    settings: Arc<Settings>,
    cancel: CancellationToken,
    /// Who looks into the past; `None`: whoever can reach the database as the service.
    key: Option<String>,
}

/// Where the key is looked for that no flag gives.
const KEY: &str = "DAYBOOK_KEY";

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; clap's own code for wrong use is 2 as well.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match run(cli) {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Difference) => ExitCode::from(3),
        Err(failure) => {
            eprintln!("daybook: {failure}");
            ExitCode::from(failure.code)
        }
    }
}

fn run(cli: Cli) -> Outcome {
    let loaded = load(&cli).map_err(|error| Failure::wrong_use(error.to_string()))?;
    let settings = Arc::new(loaded.settings.clone());
    telemetry::start(&settings).map_err(Failure::wrong_use)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let cancel = CancellationToken::new();
    let given = cli.common.as_key.or_else(|| std::env::var(KEY).ok());
    let key = given.filter(|key| !key.is_empty());
    runtime.block_on(async {
        let signals = crate::signals::listen(cancel.clone())?;
        let outcome = dispatch(cli.command, Session { loaded, settings, cancel, key }).await;
        signals.abort();
        outcome
    })
}

fn load(cli: &Cli) -> Result<Loaded, crate::config::ConfigError> {
    let mut flags = cli.command.flags();
    let named = [("database_url", &cli.common.database_url), ("data_dir", &cli.common.data_dir)];
    for (name, value) in named {
        flags.extend(value.clone().map(|value| (name.to_owned(), value)));
    }
    flags.extend(cli.common.set.iter().cloned());
    Settings::load(&Sources::gather(cli.common.config.as_deref(), flags)?)
}

async fn dispatch(command: Command, session: Session) -> Outcome {
    let cancel = session.cancel.clone();
    match command {
        // These end their work in order when they are told to stop.
        Command::Dev(dev) => dev.run(session).await,
        Command::Serve(serve) => serve.run(session).await,
        Command::Migrate(migrate) => until(cancel, migrate.run(session)).await,
        Command::Submit(submit) => until(cancel, submit.run(session)).await,
        Command::Rebuild(rebuild) => until(cancel, rebuild.run(session)).await,
        Command::Replay(replay) => until(cancel, replay.run(session)).await,
        Command::Reconcile(reconcile) => until(cancel, reconcile.run(session)).await,
        Command::AsOf(as_of) => until(cancel, as_of.run(session)).await,
        Command::Compare(compare) => until(cancel, compare.run(session)).await,
        Command::Import(import) => until(cancel, import.run(session)).await,
        Command::Admin(admin) => until(cancel, admin.run(session)).await,
        // Follows until it is told to stop: that is its ordinary end.
        Command::Events(events) => events.run(session).await,
        Command::State(state) => until(cancel, state.run(session)).await,
        Command::Diff(diff) => until(cancel, diff.run(session)).await,
        Command::Audit(audit) => until(cancel, audit.run(session)).await,
        Command::Journal(journal) => until(cancel, journal.run(session)).await,
        Command::Doctor(doctor) => until(cancel, doctor.run(session)).await,
        Command::Upkeep(upkeep) => until(cancel, upkeep.run(session)).await,
        Command::Config(config) => config.run(&session),
        Command::Completions(completions) => Ok(completions.run()),
    }
}

/// Drops the work where it is when it is told to stop; a private server that was started for it stops
/// with it.
async fn until(cancel: CancellationToken, work: impl Future<Output = Outcome>) -> Outcome {
    tokio::select! {
        outcome = work => outcome,
        () = cancel.cancelled() => Err(Failure::failed("interrupted")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound_and_every_command_shows_an_example() {
        let cli = Cli::command();
        cli.clone().debug_assert();
        for command in cli.get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{} has no example", command.get_name());
        }
    }

    /// One would be read as the other, and the program would break off.
    #[test]
    fn no_command_has_a_flag_of_its_own_under_a_name_that_all_have() {
        fn walk(command: &clap::Command, common: &[&str]) {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                assert!(!common.contains(&id), "{} {id}", command.get_name());
            }
            command.get_subcommands().for_each(|below| walk(below, common));
        }
        let cli = Cli::command();
        let common: Vec<&str> = cli
            .get_arguments()
            .filter(|argument| argument.is_global_set())
            .map(|argument| argument.get_id().as_str())
            .collect();
        assert!(common.len() > 3, "{common:?}");
        cli.get_subcommands().for_each(|below| walk(below, &common));
    }
}
