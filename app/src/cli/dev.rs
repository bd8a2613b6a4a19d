//! `daybook dev`.

use std::time::Duration;

use clap::Args;
use daybook_command::Engine;
use daybook_command::founding::{NewKey, NewUser};
use daybook_projector::Posted;

use super::output::line;
use super::{Exit, Outcome, Session};
use crate::config::Settings;
use crate::dev::{Database, Preparation, ensure_database};
use crate::serve::{Runtime, close, run, sides};

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
        // Before anything is made: what is in its way would show only once all of it runs.
        if let Err(error) = std::net::TcpListener::bind(settings.listen) {
            return Err(super::Failure::failed(format!(
                "cannot listen on {}: {error}; choose another address with --listen",
                settings.listen
            )));
        }
        // Told to stop while it starts: what has been started is stopped as this is dropped.
        let started = tokio::select! {
            started = start(&settings) => started?,
            () = cancel.cancelled() => return Ok(Exit::Done),
        };
        let (database, pools) = started;
        let runtime = Runtime { pools, settings, cancel };
        let sides = sides(&runtime).await?;
        greet(&database, &runtime.settings);
        let greeting = async {
            let key = match &sides.engine {
                Some(engine) => first_key(engine, &runtime).await,
                None => Ok(None),
            };
            if let Ok(key) = &key {
                what_next(&runtime.settings, key.as_ref());
            }
            key
        };
        // Served meanwhile: a key is worth showing once it is posted, and opens something.
        let serving = run(&runtime, sides.tasks);
        tokio::pin!(serving);
        let served = tokio::select! {
            served = &mut serving => served,
            greeted = greeting => {
                if greeted.is_err() {
                    runtime.cancel.cancel();
                }
                let served = serving.await;
                greeted?;
                served
            }
        };
        close(sides.engine).await;
        runtime.pools.close().await;
        database.close().await?;
        served?;
        line("Stopped. `daybook dev` goes on where this ended.");
        Ok(Exit::Done)
    }
}

/// How long the first key is held back until it is posted.
const POSTED_WITHIN: Duration = Duration::from_secs(10);

/// Makes the first administrator of a new log, and a key for them that works at once.
async fn first_key(engine: &Engine, runtime: &Runtime) -> Result<Option<NewKey>, super::Failure> {
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
    let user = registered.appended.stream_id;
    let key = engine.issue_key(user, "daybook dev", &scopes).await?;
    let position = *engine.appender().head().borrow();
    if let Err(late) =
        Posted::new(runtime.pools.projector.clone()).wait_for(position, POSTED_WITHIN).await
    {
        tracing::warn!(%late, "the key works once it is posted");
    }
    Ok(Some(key))
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
