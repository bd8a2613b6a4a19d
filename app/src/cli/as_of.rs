//! `daybook as-of`.

use std::sync::Mutex;
use std::time::Duration;

use clap::{Args, Subcommand};
use daybook_projector::as_of::{self, Order, State};
use daybook_projector::catalog::TABLES;
use daybook_projector::queries::known::{Named, UnknownName};
use sqlx::PgPool;

use super::history::{History, Moment, text};
use super::output::{self, Output, line};
use super::rebuild::{migrators, show};
use super::{Exit, Failure, Outcome, Session};
use crate::config::Settings;
use crate::import::progress;
use crate::world;

/// Make all read tables as they stood at an instant, in a schema of their own, for SQL
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "The schema has the same tables, keys and indexes; auditors (daybook_auditor) read it, nobody writes it, and it goes when its time is up. A digest of each table says what is in it: the same moment has the same digests, whenever it is made. With --keep it stays, and later states are made from it where that is shorter. It needs the administrator that migrate_url names.\n\nExample: daybook as-of 2026-01-31T23:59:59Z --schema january"
)]
pub(super) struct AsOf {
    #[command(subcommand)]
    action: Option<Action>,
    /// The instant, as an RFC 3339 time; or say --position
    #[arg(value_name = "TIME", required_unless_present_any = ["position"])]
    time: Option<chrono::DateTime<chrono::Utc>>,
    /// A position of the log, instead of an instant
    #[arg(long, value_name = "N", conflicts_with = "time")]
    position: Option<i64>,
    /// The schema to make
    #[arg(long, value_name = "NAME", required = true)]
    schema: Option<String>,
    #[command(flatten)]
    stay: Stay,
    /// Fold from the beginning, whatever earlier states there are
    #[arg(long)]
    from_the_beginning: bool,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// For how long a schema of the past stays.
#[derive(Debug, Args)]
pub(super) struct Stay {
    /// How many hours the schema stays
    #[arg(long, default_value_t = 24, value_name = "HOURS", requires = "schema", value_parser = clap::value_parser!(u32).range(1..=8760))]
    hours: u32,
    /// The schema stays until it is dropped by name
    #[arg(long, requires = "schema", conflicts_with = "hours")]
    keep: bool,
}

impl Stay {
    /// What is to be made in `schema`: everything up to `position`, from the beginning.
    pub(super) fn order(&self, schema: &str, position: i64, settings: &Settings) -> Order {
        Order {
            schema: schema.to_owned(),
            position,
            instant: None,
            lasts: (!self.keep).then(|| Duration::from_secs(3600 * u64::from(self.hours))),
            quota: i64::from(settings.as_of_quota),
            build: world::build(),
            from_earlier: false,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the states that there are
    #[command(after_help = "Example: daybook as-of list")]
    List {
        /// How it is printed
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Make the states at every so many positions that there are not yet, for later ones to be made from
    #[command(
        after_help = "Their names are every_POSITION; each is made from the one before, and they stay. Those of another build are made anew. Run it from a timer; a run that finds nothing to do does nothing.\n\nExample: daybook as-of every 1000000 --last 3"
    )]
    Every {
        /// How many positions lie between two
        #[arg(value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
        positions: i64,
        /// How many stay; older ones are dropped
        #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(i64).range(1..=1000))]
        last: i64,
        /// How it is printed
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Print the statement whose output a table's digest is the SHA-256 of
    #[command(
        after_help = "Example: psql -q -c \"SET timezone = 'UTC'\" -c \"SET datestyle = 'ISO'\" -c \"$(daybook as-of statement january accounts)\" | sha256sum"
    )]
    Statement {
        /// The schema
        name: String,
        /// The table
        table: String,
    },
    /// Drop a state
    #[command(after_help = "Example: daybook as-of drop january")]
    Drop {
        /// Its schema
        name: String,
    },
}

impl AsOf {
    pub(super) async fn run(self, session: Session) -> Outcome {
        // A text: no database is opened, or made, for it.
        if let Some(Action::Statement { name, table }) = &self.action {
            return statement(name, table);
        }
        let history = History::open(&session).await?;
        let outcome = match &self.action {
            Some(Action::List { output }) => list(*output, &history).await,
            Some(Action::Drop { name }) => drop(name, &history).await,
            Some(Action::Every { positions, last, output }) => {
                every((*positions, *last), *output, &history).await
            }
            Some(Action::Statement { name, table }) => statement(name, table),
            None => self.make(&session, &history).await,
        };
        history.close().await?;
        outcome
    }

    async fn make(&self, session: &Session, history: &History) -> Outcome {
        let moment = match (self.time, self.position) {
            (_, Some(position)) => Moment::Position(position),
            (Some(time), None) => Moment::Time(time),
            (None, None) => return Err(Failure::wrong_use("say which instant, or --position")),
        };
        let schema = self.schema.as_ref().ok_or_else(|| Failure::wrong_use("say --schema NAME"))?;
        let migrators = migrators(&history.database).await?;
        let position = history.position(moment).await?;
        let asked = serde_json::json!({ "position": position, "schema": schema });
        history.note_read("as-of", asked).await?;
        let order = Order {
            instant: self.time,
            from_earlier: !self.from_the_beginning,
            ..self.stay.order(schema, position, &session.settings)
        };
        let state = build(&order, &migrators, history).await?;
        migrators.close().await;
        match self.output {
            Output::Json => line(serde_json::to_string_pretty(&state)?),
            Output::Table => print(&state),
        }
        Ok(Exit::Done)
    }
}

/// Makes a state, and shows how far it is.
async fn build(order: &Order, migrators: &PgPool, history: &History) -> Result<State, Failure> {
    let bar = progress::bar(0, "folding");
    let stage = Mutex::new("");
    let tell = |progress| show(&bar, &stage, progress);
    let state = as_of::build(migrators, &history.log, order, &tell).await?;
    bar.finish_and_clear();
    Ok(state)
}

async fn list(output: Output, history: &History) -> Outcome {
    show_states(output, &as_of::states(&history.pools.projector).await?)
}

fn show_states(output: Output, states: &[State]) -> Outcome {
    let columns = ["SCHEMA", "HOLDS", "POSITION", "INSTANT", "COMPLETE", "MADE BY", "EXPIRES"];
    output::rows(output, columns, states, |state| {
        [
            state.schema_name.clone(),
            match (state.from_position, &state.slice) {
                (Some(since), _) => format!("changes since {since}"),
                (None, Some(_)) => "a slice".to_owned(),
                (None, None) => "everything".to_owned(),
            },
            state.position.to_string(),
            text(state.instant),
            state.complete.to_string(),
            state.made_by.clone(),
            state.expires_at.map_or_else(|| "never".to_owned(), text),
        ]
    })?;
    Ok(Exit::Done)
}

fn statement(schema: &str, table: &str) -> Outcome {
    let known = TABLES.iter().find(|known| known.name == table);
    let unknown = || UnknownName { of: Named::Table, name: table.to_owned() };
    let table = known.ok_or_else(|| Failure::wrong_use(unknown().to_string()))?;
    line(as_of::digest_statement(table, schema));
    Ok(Exit::Done)
}

/// What the names of states begin with that are made at every so many positions.
const EVERY: &str = "every_";

/// Makes the last so many states at multiples of `positions`, and drops older ones.
async fn every((positions, last): (i64, i64), output: Output, history: &History) -> Outcome {
    let head = history.log.head().await?.position;
    let newest = head / positions;
    let wanted: Vec<i64> =
        ((newest - last + 1).max(1)..=newest).map(|number| number * positions).collect();
    let migrators = migrators(&history.database).await?;
    let known = as_of::states(&history.pools.projector).await?;
    let build_now = world::build();
    let mut made = Vec::new();
    for position in &wanted {
        let schema = format!("{EVERY}{position}");
        if let Some(there) =
            known.iter().find(|state| state.schema_name == schema && state.complete)
        {
            // Nothing is made from what another build folded.
            if there.build == build_now {
                continue;
            }
            let mut connection = migrators.acquire().await?;
            as_of::drop(&schema, &mut connection).await?;
        }
        let order = Order {
            schema,
            position: *position,
            instant: None,
            lasts: None,
            quota: 0,
            build: build_now.clone(),
            from_earlier: true,
        };
        made.push(build(&order, &migrators, history).await?);
    }
    let mut connection = migrators.acquire().await?;
    for state in &known {
        // What somebody else named alike is theirs.
        let is_ours = state.schema_name == format!("{EVERY}{}", state.position)
            && state.expires_at.is_none()
            && state.from_position.is_none()
            && state.slice.is_none();
        if is_ours && !wanted.contains(&state.position) {
            as_of::drop(&state.schema_name, &mut connection).await?;
        }
    }
    std::mem::drop(connection);
    migrators.close().await;
    show_states(output, &made)
}

async fn drop(name: &str, history: &History) -> Outcome {
    let migrators = migrators(&history.database).await?;
    let mut connection = migrators.acquire().await?;
    as_of::drop(name, &mut connection).await?;
    std::mem::drop(connection);
    migrators.close().await;
    line(format!("{name} is dropped."));
    Ok(Exit::Done)
}

fn print(state: &State) {
    line(format!(
        "{}: position {}, {}, epoch {} of the log, version {} of the read model",
        state.schema_name,
        state.position,
        text(state.instant),
        state.log_epoch,
        state.model_version
    ));
    line(match state.made_from {
        Some(position) => format!("made from the state at position {position}"),
        None => "made from the beginning".to_owned(),
    });
    line(match state.expires_at {
        Some(at) => format!("goes at {}", text(at)),
        None => "stays until it is dropped".to_owned(),
    });
    let digests = state.digests.as_ref().and_then(serde_json::Value::as_object);
    for (table, digest) in digests.into_iter().flatten() {
        line(format!("{}  {table}", digest.as_str().unwrap_or_default()));
    }
}
