//! `daybook dev`.

use clap::Args;
use daybook_command::Engine;
use daybook_command::founding::{NewKey, NewUser};

use super::output::line;
use super::{Exit, Outcome, Session};
use crate::config::Settings;
use crate::dev::{Database, Preparation, ensure_database};
use crate::serve::{Runtime, run, sides};

/// Run everything on this machine, with nothing to install first
#[derive(Debug, Args)]
#[command(
    after_help = "Uses DATABASE_URL if it is set; else starts a PostgreSQL of its own in --data-dir: the newest that is installed (15 or newer), or a download. It stops with the last daybook that uses it, and its data stays.\n\nExample: daybook dev --listen 127.0.0.1:9000"
)]
pub(super) struct Dev {
    /// Where HTTP is served [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

impl Dev {
    pub(super) fn flags(&self) -> Vec<(String, String)> {
        self.listen.iter().map(|value| ("listen".to_owned(), value.clone())).collect()
    }

    pub(super) async fn run(self, session: Session) -> Outcome {
        let Session { settings, cancel, .. } = session;
        // Told to stop while it starts: what has been started is stopped as this is dropped.
        let started = tokio::select! {
            started = start(&settings) => started?,
            () = cancel.cancelled() => return Ok(Exit::Done),
        };
        let (database, pools) = started;
        let runtime = Runtime { pools, settings, cancel };
        let sides = sides(&runtime).await?;
        greet(&database, &runtime.settings);
        let key = match &sides.engine {
            Some(engine) => first_key(engine).await?,
            None => None,
        };
        what_next(&runtime.settings, key.as_ref());
        let served = run(&runtime, sides.tasks).await;
        drop(sides.engine);
        runtime.pools.close().await;
        database.close().await?;
        served?;
        line("Stopped. `daybook dev` goes on where this ended.");
        Ok(Exit::Done)
    }
}

/// Makes the first administrator of a new log, and a key for them.
async fn first_key(engine: &Engine) -> Result<Option<NewKey>, super::Failure> {
    if engine.has_administrator().await? {
        return Ok(None);
    }
    let admin = NewUser {
        username: "admin".to_owned(),
        email: "admin@daybook.example".to_owned(),
        full_name: "First Administrator".to_owned(),
        role: "admin".to_owned(),
        password: None,
    };
    let registered = engine.register(&admin).await?;
    let scopes = ["*".to_owned()];
    Ok(Some(engine.issue_key(registered.appended.stream_id, "daybook dev", &scopes).await?))
}

fn what_next(settings: &Settings, key: Option<&NewKey>) {
    match key {
        Some(key) => {
            line("Administrator `admin`, whose key is shown this once:");
            line(format!("  export DAYBOOK_KEY={}", key.secret));
        }
        None => line("Keys: `daybook admin issue-key admin` makes another one."),
    }
    line("Next, in another terminal:");
    line(format!(
        "  curl -H \"Authorization: Bearer $DAYBOOK_KEY\" http://{}/v1/identity/users",
        settings.listen
    ));
    line("  daybook events --follow");
    line("  daybook import berka DIR");
    line("Ctrl-C stops everything; the data stays.");
}

async fn start(settings: &Settings) -> Result<(Database, crate::database::Pools), super::Failure> {
    let database = ensure_database(settings, Preparation::Migrate).await?;
    let pools = database.pools(settings).await?;
    Ok((database, pools))
}

fn greet(database: &Database, settings: &Settings) {
    line(format!("Daybook runs. HTTP: http://{0} (http://{0}/docs explains it)", settings.listen));
    match &database.private {
        Some(private) => {
            let server = match &private.run_as {
                Some(user) => format!("{}, as user {}", private.binaries, user.name),
                None => private.binaries.to_string(),
            };
            line(format!("Database: {server}"));
            line(format!("  data:  {}", private.home.file("postgres").display()));
            if let Some(instead_of) = &private.home.instead_of {
                line(format!("         (its user cannot reach {})", instead_of.display()));
            }
            line(format!(
                "  psql:  PGPASSWORD=$(cat {}) psql -h 127.0.0.1 -p {} -U postgres daybook",
                private.home.file("superuser.password").display(),
                private.port
            ));
        }
        None => line("Database: the one that DATABASE_URL names"),
    }
}
