//! A private PostgreSQL for these tests, and small requests to append.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::Utc;
use daybook_store::{
    AppendRequest, Appender, AppenderOptions, CommandKey, Life, Log, Metadata, NewEvent, Pending,
    StreamWrite,
};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, PgPool};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// The actor of every request here; its stream is begun with each log.
pub(crate) const ACTOR: Uuid = Uuid::from_u128(0xA0);

/// A server of this process's own. It ends with the process, however that ends: a shell waits for
/// the end of a pipe that only this process holds.
struct Server {
    administrator: PgConnectOptions,
    _lifeline: std::process::ChildStdin,
}

static SERVER: OnceCell<Server> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

fn binaries() -> PathBuf {
    if let Some(given) = std::env::var_os("DAYBOOK_TEST_PG_BIN") {
        return given.into();
    }
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL's binaries; name their folder in DAYBOOK_TEST_PG_BIN")
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            Some((version, path.join("bin")))
        })
        .collect();
    found.sort();
    found.pop().expect("a version of PostgreSQL").1
}

/// The user that runs the server: this one, but for root, whom it refuses.
fn unprivileged() -> Option<(u32, u32)> {
    let id = |flag: &str, name: &[&str]| {
        let output = Command::new("id").arg(flag).args(name).output().expect("id");
        String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok()
    };
    (id("-u", &[]) == Some(0)).then(|| {
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| Some((id("-u", &[name])?, id("-g", &[name])?)))
            .expect("an unprivileged user")
    })
}

fn run(command: &mut Command, user: Option<(u32, u32)>) {
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    let output = command.current_dir("/tmp").output().expect("a program of PostgreSQL's");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

async fn start() -> Server {
    let bin = binaries();
    let user = unprivileged();
    let home = tempfile::Builder::new().prefix("daybook-log-").tempdir().expect("a folder").keep();
    if let Some((uid, gid)) = user {
        std::os::unix::fs::chown(&home, Some(uid), Some(gid)).expect("chown");
    }
    let data = home.join("data");
    run(
        Command::new(bin.join("initdb"))
            .args(["-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C", "-D"])
            .arg(&data),
        user,
    );
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let port = port.expect("a free port").port();
    let options = format!(
        "-p {port} -k {} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200",
        home.display()
    );
    let mut pg_ctl = Command::new(bin.join("pg_ctl"));
    pg_ctl.args(["-w", "-o", &options, "-l"]).arg(home.join("log")).arg("-D").arg(&data);
    run(pg_ctl.arg("start").stdout(Stdio::null()), user);

    let stop = format!(
        "read _; {} -D {} -m immediate stop; rm -rf {}",
        bin.join("pg_ctl").display(),
        data.display(),
        home.display()
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &stop]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some((uid, gid)) = user {
        shell.uid(uid).gid(gid);
    }
    let mut shell = shell.process_group(0).current_dir("/tmp").spawn().expect("sh");
    let administrator = PgConnectOptions::new()
        .host("127.0.0.1")
        .port(port)
        .username("postgres")
        .database("postgres");
    let template = administrator.clone().database("daybook_template");
    execute(&administrator, "CREATE DATABASE daybook_template").await;
    execute(&template, include_str!("../../../app/src/database/bootstrap.sql")).await;
    let mut migrator = template.connect().await.expect("a connection");
    sqlx::raw_sql("SET ROLE daybook_migrator").execute(&mut migrator).await.expect("the role");
    Migrator::new(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations")))
        .await
        .expect("migrations")
        .run(&mut migrator)
        .await
        .expect("migrated");
    Server { administrator, _lifeline: shell.stdin.take().expect("a pipe") }
}

/// Runs statements as whoever `options` names.
pub(crate) async fn execute(options: &PgConnectOptions, statements: &str) {
    try_execute(options, statements).await.expect(statements);
}

/// Runs statements, and gives the error code where there is one.
pub(crate) async fn try_execute(
    options: &PgConnectOptions,
    statements: &str,
) -> Result<(), sqlx::Error> {
    let mut connection: PgConnection = options.connect().await?;
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await?;
    Ok(())
}

/// The SQLSTATE with which `statements` are refused.
pub(crate) async fn refusal(options: &PgConnectOptions, statements: &str) -> String {
    let error = try_execute(options, statements).await.expect_err(statements);
    error.as_database_error().and_then(|error| error.code()).expect("a code").into_owned()
}

/// A log of one test's own.
pub(crate) struct TestLog {
    pub(crate) administrator: PgConnectOptions,
}

impl TestLog {
    /// A new, empty log, but for the actor.
    pub(crate) async fn new() -> Self {
        let server = SERVER.get_or_init(start).await;
        let name = format!("log_{}", DATABASES.fetch_add(1, Ordering::SeqCst));
        static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let turn = ONE_AT_A_TIME.lock().await;
        execute(
            &server.administrator,
            &format!("CREATE DATABASE {name} TEMPLATE daybook_template"),
        )
        .await;
        drop(turn);
        let log = Self { administrator: server.administrator.clone().database(&name) };
        let (appender, _) = log.appender();
        let actor = request(vec![write(ACTOR, 0, vec![opening("identity.user.registered")])]);
        appender.append(actor).await.expect("the actor");
        log
    }

    /// The log that another process made.
    pub(crate) fn at(url: &str) -> Self {
        Self { administrator: PgConnectOptions::from_str(url).expect("a URL") }
    }

    /// For another process.
    pub(crate) fn url(&self) -> String {
        self.administrator.to_url_lossy().to_string()
    }

    /// How the service connects in a role.
    pub(crate) fn role(&self, role: &str) -> PgConnectOptions {
        self.administrator.clone().username("daybook_service").options([("role", role)])
    }

    pub(crate) fn pool(&self, role: &str) -> PgPool {
        PgPoolOptions::new().max_connections(4).connect_lazy_with(self.role(role))
    }

    pub(crate) fn log(&self) -> Log {
        Log::new(self.pool("daybook_writer"))
    }

    pub(crate) fn appender(&self) -> (Appender, tokio::task::JoinHandle<()>) {
        Appender::start(self.pool("daybook_writer"), options())
    }

    /// Gives the log another clock: an SQL expression.
    pub(crate) async fn set_clock(&self, expression: &str) {
        let statement = format!(
            "SET ROLE daybook_migrator; CREATE OR REPLACE FUNCTION journal.clock() RETURNS timestamptz
             LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$ SELECT {expression} $$"
        );
        execute(&self.administrator, &statement).await;
    }

    /// The number of the last batch.
    pub(crate) async fn batches(&self) -> i64 {
        self.ask("SELECT max(batch) FROM journal.batches").await
    }

    /// One value, asked for by the administrator.
    pub(crate) async fn ask<T>(&self, query: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        let mut connection = self.administrator.connect().await.expect("a connection");
        sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .fetch_one(&mut connection)
            .await
            .expect(query)
    }
}

/// Puts them all into the queue, before anything is awaited.
pub(crate) fn put(
    appender: &Appender,
    requests: impl IntoIterator<Item = AppendRequest>,
) -> Vec<Pending> {
    requests.into_iter().map(|request| appender.enqueue(request).unwrap()).collect()
}

pub(crate) fn options() -> AppenderOptions {
    let mut options = AppenderOptions::new(Arc::new(Utc::now));
    options.lock_timeout = Duration::from_secs(30);
    options.call_timeout = Duration::from_secs(40);
    options
}

/// A request of a fresh command.
pub(crate) fn request(writes: Vec<StreamWrite>) -> AppendRequest {
    let id = Uuid::now_v7();
    AppendRequest {
        command: CommandKey { scope: ACTOR, id, fingerprint: [7; 32] },
        metadata: Metadata { actor_id: ACTOR, correlation_id: id, ..Metadata::default() },
        writes,
        guards: Vec::new(),
        chains: Vec::new(),
    }
}

pub(crate) fn write(stream_id: Uuid, expected_version: i64, events: Vec<NewEvent>) -> StreamWrite {
    StreamWrite { stream_id, kind: "test.thing", expected_version, events }
}

/// An event that only goes.
pub(crate) fn event(event_type: &'static str) -> NewEvent {
    NewEvent {
        event_type,
        schema_version: 1,
        data: r#"{"amount": "12.30", "text": "Žluťoučký kůň"}"#.to_owned(),
        occurred_at: None,
        life: Life::Goes,
        claims: Vec::new(),
        releases: Vec::new(),
        references: Vec::new(),
        holds: Vec::new(),
        unholds: Vec::new(),
    }
}

/// An event that opens its stream.
pub(crate) fn opening(event_type: &'static str) -> NewEvent {
    NewEvent { life: Life::Opens, ..event(event_type) }
}

/// Appends one event to a stream.
pub(crate) fn one(stream: Uuid, expected_version: i64) -> AppendRequest {
    request(vec![write(stream, expected_version, vec![event("test.thing.happened")])])
}

/// Says something that a test's transcript should show.
pub(crate) fn say(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
