//! One PostgreSQL a test process, and a database of its own for each test.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use daybook_app::database::{self, PoolSizes, Pools, migrate};
use daybook_app::dev::binaries::{Choice, Source};
use daybook_app::dev::cluster::{Cluster, SUPERUSER};
use daybook_app::dev::{download, run_as::RunAs};
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use tokio::sync::{Mutex, OnceCell};

pub(crate) const PASSWORD: &str = "only-for-tests";
const TEMPLATE: &str = "daybook_template";

/// A running server that lives as long as the test process, however that ends.
#[derive(Debug)]
pub struct Postgres {
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its major version.
    pub major: u32,
    /// The folder of its binaries.
    pub binaries: PathBuf,
}

/// Marks a database that has roles, and nothing else.
#[derive(Debug, Clone, Copy)]
pub struct WithoutSchema;

impl Postgres {
    /// The process's server; the first caller starts it.
    ///
    /// # Panics
    /// When no server can be had.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Postgres> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    async fn start() -> Self {
        let home = home("daybook-test-");
        let cluster = cluster(&home).await;
        let binaries = cluster.binaries.clone();
        let server = tokio::task::spawn_blocking(move || {
            cluster.init(PASSWORD).expect("initdb");
            cluster.start(None).expect("the server")
        })
        .await
        .expect("no panic");
        // Statics are not dropped: the pipe closes when this process ends, however it does.
        std::mem::forget(Watcher::over(&home));
        let postgres =
            Self { port: server.port, major: binaries.major(), binaries: binaries.folder };
        postgres.make_template().await;
        postgres
    }

    async fn make_template(&self) {
        let mut administrator = self.connect_as_superuser("postgres").await;
        execute(&mut administrator, &format!("CREATE DATABASE {TEMPLATE}")).await;
        let options = self.superuser(TEMPLATE);
        migrate::up(&options, None).await.expect("the migrations");
        database::set_service_password(&mut administrator, PASSWORD).await.expect("the password");
    }

    /// How to connect as the superuser; tests only prepare and break things as it.
    #[must_use]
    pub fn superuser(&self, database: &str) -> PgConnectOptions {
        self.options(SUPERUSER, database)
    }

    /// How to connect as the service.
    #[must_use]
    pub fn service(&self, database: &str) -> PgConnectOptions {
        self.options("daybook_service", database)
    }

    fn options(&self, user: &str, database: &str) -> PgConnectOptions {
        options(self.port, user, database)
    }

    fn url(&self, user: &str, database: &str) -> String {
        url(self.port, user, database)
    }

    async fn connect_as_superuser(&self, database: &str) -> PgConnection {
        self.superuser(database).connect().await.expect("the superuser's connection")
    }
}

/// The last position of the log in a database.
///
/// # Panics
/// When it does not answer.
pub async fn head(database: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT position FROM journal.batches ORDER BY batch DESC LIMIT 1")
        .fetch_one(database)
        .await
        .expect("the head")
}

/// A database of one test's own.
#[derive(Debug)]
pub struct TestDatabase {
    /// The server that it is on.
    pub postgres: &'static Postgres,
    /// Its name.
    pub name: String,
}

impl TestDatabase {
    /// A migrated database with nothing in it.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn fresh() -> Self {
        let made = Self::make(TEMPLATE).await;
        // Rights on a database do not come with its template.
        let mut administrator = made.admin().connect().await.expect("the superuser's connection");
        database::bootstrap(&mut administrator).await.expect("the roles");
        made
    }

    /// A database without roles' rights and without a schema.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn empty(_: WithoutSchema) -> Self {
        Self::make("template0").await
    }

    async fn make(template: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // A template may be copied by one at a time.
        static COPYING: Mutex<()> = Mutex::const_new(());
        let postgres = Postgres::shared().await;
        let name = format!("daybook_{}", COUNT.fetch_add(1, Ordering::SeqCst));
        let copying = COPYING.lock().await;
        let mut administrator = postgres.connect_as_superuser("postgres").await;
        execute(&mut administrator, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        drop(copying);
        Self { postgres, name }
    }

    /// How to connect as the superuser.
    #[must_use]
    pub fn admin(&self) -> PgConnectOptions {
        self.postgres.superuser(&self.name)
    }

    /// How to connect as the service.
    #[must_use]
    pub fn service(&self) -> PgConnectOptions {
        self.postgres.service(&self.name)
    }

    /// The superuser's URL, for `DAYBOOK_MIGRATE_URL`.
    #[must_use]
    pub fn admin_url(&self) -> String {
        self.postgres.url(SUPERUSER, &self.name)
    }

    /// The service's URL, for `DATABASE_URL`.
    #[must_use]
    pub fn service_url(&self) -> String {
        self.postgres.url("daybook_service", &self.name)
    }

    /// One pool a role, as in production.
    ///
    /// # Panics
    /// When the service may not connect.
    pub async fn pools(&self) -> Pools {
        let sizes = PoolSizes { writer: 8, projector: 8, reader: 4 };
        Pools::connect(&self.service(), sizes).await.expect("the service's pools")
    }

    /// Connections that work as the tables' owner, as a rebuild does.
    ///
    /// # Panics
    /// When they cannot be had.
    pub async fn migrators(&self) -> PgPool {
        migrate::migrators(&self.admin()).await.expect("the owner's pool")
    }

    /// A connection as the superuser, to prepare and to break things.
    ///
    /// # Panics
    /// When it cannot be had.
    pub async fn superuser(&self) -> PgConnection {
        self.postgres.connect_as_superuser(&self.name).await
    }
}

async fn execute(connection: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// A folder that the server's user may enter; it stays until a [`Watcher`] takes it.
pub(crate) fn home(prefix: &str) -> PathBuf {
    let home = tempfile::Builder::new().prefix(prefix).tempdir().expect("a folder").keep();
    std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    home
}

/// A cluster in a folder, not made yet, of the server that the tests are to run on.
pub(crate) async fn cluster(home: &Path) -> Cluster {
    let source: Source = std::env::var("DAYBOOK_TEST_PG_BIN")
        .map_or(Source::Auto, |text| text.parse().expect("DAYBOOK_TEST_PG_BIN"));
    let run_as = RunAs::choose().expect("an ordinary user to run PostgreSQL as");
    let downloads = download::folder();
    let choice =
        Choice { source: &source, made_by: None, run_as: run_as.as_ref(), downloads: &downloads };
    let binaries = choice.make().await.expect("PostgreSQL's server binaries");
    Cluster {
        binaries,
        data: home.join("postgres"),
        log: home.join("postgres.log"),
        run_as,
        // Tests kill processes, never the machine.
        settings: ["fsync=off", "max_connections=300", "shared_buffers=128MB"]
            .map(String::from)
            .to_vec(),
    }
}

/// How to connect to a server of ours.
pub(crate) fn options(port: u16, user: &str, database: &str) -> PgConnectOptions {
    url(port, user, database).parse().expect("a URL")
}

/// The same as a URL.
pub(crate) fn url(port: u16, user: &str, database: &str) -> String {
    format!("postgres://{user}:{PASSWORD}@127.0.0.1:{port}/{database}?sslmode=disable")
}

/// A process of its own, since tests may be killed: it waits until the pipe from this one closes, with
/// this value or with the process, then stops the server that runs in a folder, and takes the folder
/// away, unless a file `keep` is in it. Processes whose ids are in a file `processes` are killed before.
/// Whoever drops it has stopped the server: one whose end this process has not seen is there for ever.
#[derive(Debug)]
pub(crate) struct Watcher(Child);

impl Watcher {
    pub(crate) fn over(home: &Path) -> Self {
        Self(watch(home))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn watch(home: &Path) -> Child {
    let script = "cat >/dev/null; cd \"$0\"
        for pid in $(cat processes 2>/dev/null); do kill -KILL $pid 2>/dev/null; done
        pid=$(head -n 1 postgres/postmaster.pid); kill -INT $pid
        while kill -0 $pid 2>/dev/null; do sleep 0.05; done
        [ -e keep ] || rm -rf \"$0\"";
    Command::new("/bin/sh")
        .args(["-c", script])
        .arg(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("a shell")
}
