//! `daybook migrate`.

use clap::{Args, Subcommand};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

use super::output::{self, Output};
use super::{Exit, Failure, Outcome, Session};
use crate::database::migrate::{self, JOURNAL, Standing};
use crate::dev::private::Private;
use crate::dev::{self, Preparation};

/// The schema: apply, undo, look
#[derive(Debug, Args)]
#[command(
    after_help = "Works as the administrator that migrate_url names (DAYBOOK_MIGRATE_URL), else database_url.\n\nExample: DAYBOOK_MIGRATE_URL=postgres://postgres@db/daybook daybook migrate up"
)]
pub(super) struct Migrate {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make the roles and apply what is missing
    #[command(after_help = "Example: daybook migrate up")]
    Up {
        /// Stop after this migration
        #[arg(long, value_name = "VERSION")]
        to: Option<i64>,
    },
    /// Undo every migration after one
    #[command(after_help = "Example: daybook migrate down --to 5")]
    Down {
        /// The last migration to keep; 0 keeps none
        #[arg(long, value_name = "VERSION")]
        to: i64,
        /// Throw the log away, with every event in it
        #[arg(long)]
        discard_log: bool,
    },
    /// Show what is applied and what is missing; exits with 3 when something is
    #[command(after_help = "Example: daybook migrate status --output json")]
    Status {
        /// How it is printed
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
}

impl Migrate {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let (options, private) = administrator(&session).await?;
        let outcome = self.work(&options).await;
        if let Some(private) = private {
            private.close().await?;
        }
        outcome
    }

    async fn work(self, options: &PgConnectOptions) -> Outcome {
        match self.what {
            What::Up { to } => {
                report("applied", &migrate::up(options, to).await?);
                Ok(Exit::Done)
            }
            What::Down { to, discard_log } => {
                if to < 0 {
                    return Err(Failure::wrong_use(format!("--to {to}: {JOURNAL} is the first")));
                }
                report("undone", &migrate::down(options, to, discard_log).await?);
                Ok(Exit::Done)
            }
            What::Status { output } => status(options, output).await,
        }
    }
}

fn report(what: &str, versions: &[i64]) {
    let names: Vec<_> = versions.iter().map(|version| format!("{version:04}")).collect();
    output::line(if names.is_empty() {
        format!("nothing to do: no migration was {what}")
    } else {
        format!("{what}: {}", names.join(" "))
    });
}

async fn status(options: &PgConnectOptions, output: Output) -> Outcome {
    let mut connection =
        options.connect().await.map_err(crate::database::DatabaseError::Unreachable)?;
    let states = migrate::status(&mut connection).await?;
    output::rows(output, ["MIGRATION", "NAME", "STANDING", "APPLIED AT"], &states, |state| {
        [
            format!("{:04}", state.version),
            state.description.clone(),
            format!("{:?}", state.standing).to_lowercase(),
            state.applied_at.map(|at| at.to_rfc3339()).unwrap_or_default(),
        ]
    })?;
    let as_here = states.iter().all(|state| state.standing == Standing::Applied);
    Ok(if as_here { Exit::Done } else { Exit::Difference })
}

/// Whom migrations connect as. The private server is started, but its schema left as it is.
async fn administrator(session: &Session) -> Result<(PgConnectOptions, Option<Private>), Failure> {
    let settings = &session.settings;
    if let Some(url) = settings.migrate_url.as_ref().or(settings.database_url.as_ref()) {
        return Ok((url.options()?, None));
    }
    let database = dev::ensure_database(settings, Preparation::AsItIs).await?;
    let options = database.admin.clone().ok_or_else(|| {
        Failure::failed("the private database has no administrator; set DAYBOOK_MIGRATE_URL")
    })?;
    Ok((options, database.private))
}
