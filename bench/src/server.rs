//! A private PostgreSQL for one run, with everything durable, and databases on it.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use daybook_app::config::Settings;
use daybook_app::database::{self, PoolSizes, Pools, migrate};
use daybook_app::dev::binaries::{Choice, Source};
use daybook_app::dev::cluster::{self, Cluster, SUPERUSER};
use daybook_app::dev::{download, run_as::RunAs};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

use crate::{Trouble, facts};

const PASSWORD: &str = "only-for-benchmarks";

/// The server's settings that are not defaults: room for 256 clients, and large enough a log that
/// checkpoints do not fall into a measurement by chance, and whose files are kept for the next round
/// of it. Floors and ours have the same.
const SETTINGS: &[&str] = &[
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "max_connections=400",
    "max_wal_size=8GB",
    "min_wal_size=8GB",
    "checkpoint_timeout=15min",
];

/// All of them. A quarter of the memory is the server's own, as its manual advises.
fn settings() -> Vec<String> {
    let buffers = (facts::memory() / 4).max(1);
    let buffers = format!("shared_buffers={buffers}GB");
    SETTINGS.iter().map(ToString::to_string).chain([buffers]).collect()
}

/// The server. It stops, and its folder goes, when this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Server {
    running: cluster::Server,
    watcher: Child,
    pub(crate) version: String,
}

/// A database on it.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    port: u16,
    pub(crate) name: String,
}

impl Server {
    /// Starts one, of the newest binaries installed, or downloaded.
    pub(crate) async fn start() -> Result<Self, Trouble> {
        let source: Source = match std::env::var("DAYBOOK_POSTGRES") {
            Ok(text) => text.parse()?,
            Err(_) => Source::Auto,
        };
        let run_as = RunAs::choose()?;
        let downloads = download::folder();
        let choice = Choice {
            source: &source,
            made_by: None,
            run_as: run_as.as_ref(),
            downloads: &downloads,
        };
        let binaries = choice.make().await?;
        let version = binaries.to_string();
        let home = tempfile::Builder::new().prefix("daybook-bench-").tempdir()?;
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755))?;
        let cluster = Cluster {
            binaries,
            data: home.path().join("postgres"),
            log: home.path().join("postgres.log"),
            run_as,
            settings: settings(),
        };
        let started = tokio::task::spawn_blocking(move || {
            cluster.init(PASSWORD)?;
            cluster.start(None)
        })
        .await??;
        let watcher = stop_when_this_process_ends(started.pid, &home.keep())?;
        let server = Self { running: started, watcher, version };
        server.fill_log().await?;
        Ok(server)
    }

    /// A server that has run for a while writes its log into files that it made long ago. A new one
    /// makes each when it gets there, 16 MB of zeros at a time, and who writes most would wait most.
    async fn fill_log(&self) -> Result<(), Trouble> {
        let mut administrator = self.of("postgres").admin().connect().await?;
        sqlx::raw_sql(include_str!("fill_log.sql")).execute(&mut administrator).await?;
        self.settle().await
    }

    /// Writes out what was done so far, so that it does not fall to who is measured next, and makes
    /// the files of the log free for use again.
    pub(crate) async fn settle(&self) -> Result<(), Trouble> {
        let mut administrator = self.of("postgres").admin().connect().await?;
        sqlx::raw_sql("CHECKPOINT").execute(&mut administrator).await?;
        Ok(())
    }

    /// A new database, empty but for what its template has.
    pub(crate) async fn database(&self, name: &str, template: &str) -> Result<Database, Trouble> {
        let mut administrator = self.of("postgres").admin().connect().await?;
        self.drop_in(&mut administrator, name).await?;
        let statement = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut administrator).await?;
        let made = self.of(name);
        if template != "template0" {
            // Rights on a database do not come with its template.
            database::bootstrap(&mut made.admin().connect().await?).await?;
        }
        Ok(made)
    }

    /// A new database with roles and schema.
    pub(crate) async fn migrated(&self, name: &str) -> Result<Database, Trouble> {
        let made = self.database(name, "template0").await?;
        migrate::up(&made.admin(), None).await?;
        let mut administrator = made.admin().connect().await?;
        database::set_service_password(&mut administrator, PASSWORD).await?;
        Ok(made)
    }

    /// Takes a database away, and gives its room back.
    pub(crate) async fn drop(&self, database: Database) -> Result<(), Trouble> {
        self.drop_named(&database.name).await
    }

    /// The same by its name, if there is one.
    pub(crate) async fn drop_named(&self, name: &str) -> Result<(), Trouble> {
        let mut administrator = self.of("postgres").admin().connect().await?;
        self.drop_in(&mut administrator, name).await
    }

    async fn drop_in(&self, connection: &mut PgConnection, name: &str) -> Result<(), Trouble> {
        let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await?;
        Ok(())
    }

    fn of(&self, name: &str) -> Database {
        Database { port: self.running.port, name: name.to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.running.stop() {
            eprintln!("{error}");
        }
        // Its end of the pipe is closed; the folder is gone when it ends.
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}

impl Database {
    /// How to connect as the superuser: for floors, and to prepare.
    pub(crate) fn admin(&self) -> PgConnectOptions {
        self.options(SUPERUSER)
    }

    /// How to connect as the service.
    pub(crate) fn service(&self) -> PgConnectOptions {
        self.options("daybook_service")
    }

    /// The service's URL, for `DATABASE_URL`.
    pub(crate) fn service_url(&self) -> String {
        self.url("daybook_service")
    }

    /// The service's pools, as large as the settings say.
    pub(crate) async fn pools(&self, settings: &Settings) -> Result<Pools, Trouble> {
        let sizes = PoolSizes {
            writer: settings.writer_connections,
            projector: settings.projector_connections,
            reader: settings.reader_connections,
        };
        Ok(Pools::connect(&self.service(), sizes).await?)
    }

    fn options(&self, user: &str) -> PgConnectOptions {
        PgConnectOptions::new()
            .host("127.0.0.1")
            .port(self.port)
            .username(user)
            .password(PASSWORD)
            .database(&self.name)
            .ssl_mode(sqlx::postgres::PgSslMode::Disable)
    }

    fn url(&self, user: &str) -> String {
        let Self { port, name } = self;
        format!("postgres://{user}:{PASSWORD}@127.0.0.1:{port}/{name}?sslmode=disable")
    }
}

/// This process may be killed: one of its own waits until the pipe from this one closes, then stops
/// the server and takes its folder away.
fn stop_when_this_process_ends(pid: i32, home: &Path) -> Result<Child, Trouble> {
    let script = "cat >/dev/null; kill -INT $0; while kill -0 $0 2>/dev/null; do sleep 0.05; done; rm -rf \"$1\"";
    let home: PathBuf = home.to_path_buf();
    Ok(Command::new("/bin/sh")
        .args(["-c", script, &pid.to_string()])
        .arg(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?)
}
