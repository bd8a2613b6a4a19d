//! A database around Daybook: MariaDB, and the Kafka Connect worker that fills it from topics of
//! rows through Debezium's JDBC sink. Both real, both run by an ordinary user.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use daybook_app::dev::run_as::{RunAs, command};
use tempfile::TempDir;

use crate::kafka::LOGGING;
use crate::{Kafka, free_port};

/// A MariaDB with a database `copy`; ends when it is dropped.
#[derive(Debug)]
pub struct MariaDb {
    server: Child,
    socket: PathBuf,
    port: u16,
    _folder: TempDir,
}

/// A Kafka Connect worker; ends when it is dropped.
#[derive(Debug)]
pub struct Connect {
    worker: Child,
    folder: TempDir,
}

/// `None`, and loudly so, where it cannot be had; a failure where it is required.
fn or_skip<T>(what: Result<T, String>) -> Option<T> {
    let required = ["DAYBOOK_REQUIRE_KAFKA", "CI"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    match what {
        Ok(value) => Some(value),
        Err(missing) => {
            assert!(!required, "required here: {missing}");
            eprintln!("** SKIPPED: {missing} (DAYBOOK_REQUIRE_KAFKA=1 makes this a failure)");
            None
        }
    }
}

impl MariaDb {
    /// Starts one. `None` where there is none on this machine.
    ///
    /// # Panics
    /// When it does not start, or is missing where it is required.
    #[must_use]
    pub fn start(kafka: &Kafka) -> Option<Self> {
        let program = Path::new("/usr/sbin/mariadbd");
        let there = program.exists().then_some(());
        or_skip(there.ok_or_else(|| {
            "MariaDB is missing. On Debian: apt-get install mariadb-server-core mariadb-client-core"
                .to_owned()
        }))?;
        let user = RunAs::choose().expect("an ordinary user");
        let folder = kafka.folder();
        let data = folder.path().join("data");
        let made = command(Path::new("mariadb-install-db"), user.as_ref())
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={}", data.display()))
            .output()
            .expect("mariadb-install-db starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let socket = folder.path().join("socket");
        let port = free_port();
        let server = command(program, user.as_ref())
            .arg("--no-defaults")
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--pid-file={}", folder.path().join("pid").display()))
            .arg(format!("--port={port}"))
            .args(["--bind-address=127.0.0.1", "--innodb-buffer-pool-size=32M"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mariadbd starts");
        let database = Self { server, socket, port, _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(60);
        while database.try_ask("SELECT 1").is_none() {
            assert!(Instant::now() < deadline, "MariaDB does not answer within a minute");
            std::thread::sleep(Duration::from_millis(200));
        }
        let _ = database.ask(
            "CREATE DATABASE copy CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
             CREATE USER copy@'127.0.0.1' IDENTIFIED BY 'copy';
             GRANT ALL ON copy.* TO copy@'127.0.0.1'",
        );
        Some(database)
    }

    /// What a statement gives: a line a row, tabs between columns, `NULL` for nothing.
    ///
    /// # Panics
    /// When it is refused.
    #[must_use]
    pub fn ask(&self, statement: &str) -> Vec<String> {
        self.try_ask(statement).expect("MariaDB answers")
    }

    /// The same; `None` when it is refused.
    #[must_use]
    pub fn try_ask(&self, statement: &str) -> Option<Vec<String>> {
        let answer = Command::new("mariadb")
            .arg("--no-defaults")
            .arg(format!("--socket={}", self.socket.display()))
            .args(["--user=root", "--default-character-set=utf8mb4"])
            .args(["--batch", "--raw", "--skip-column-names", "-e", statement])
            .output()
            .expect("the client starts");
        let text = String::from_utf8_lossy(&answer.stdout);
        answer.status.success().then(|| text.lines().map(str::to_owned).collect())
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Connect {
    /// Starts a worker that copies these topics into a MariaDB, each into a table of the name that
    /// its topic ends with. `None` where the connector cannot be had.
    ///
    /// # Panics
    /// When it cannot be started, or is missing where it is required.
    #[must_use]
    pub fn start(kafka: &Kafka, database: &MariaDb, prefix: &str, tables: &[&str]) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/kafka-connect");
        let fetched = Command::new("bash").arg(script).output().expect("bash starts");
        let home = String::from_utf8_lossy(&fetched.stdout).trim().to_owned();
        let why = String::from_utf8_lossy(&fetched.stderr).trim().to_owned();
        let home = or_skip(if fetched.status.success() { Ok(home) } else { Err(why) })?;
        let folder = kafka.folder();
        let write = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("a file");
            kafka.give(&path);
            path
        };
        let worker = write(
            "worker.properties",
            format!(
                "bootstrap.servers={}\nplugin.path={home}/plugins\nlisteners=http://127.0.0.1:{}\n\
                 offset.storage.file.filename={}/offsets\noffset.flush.interval.ms=1000\n\
                 key.converter=org.apache.kafka.connect.json.JsonConverter\n\
                 value.converter=org.apache.kafka.connect.json.JsonConverter\n\
                 key.converter.schemas.enable=true\nvalue.converter.schemas.enable=true\n",
                kafka.bootstrap(),
                free_port(),
                folder.path().display(),
            ),
        );
        let topics: Vec<String> =
            tables.iter().map(|table| format!("{prefix}daybook.rows.{table}")).collect();
        let sink = write(
            "sink.properties",
            format!(
                "name={prefix}copy\nconnector.class=io.debezium.connector.jdbc.JdbcSinkConnector\n\
                 topics={}\nconnection.url=jdbc:mariadb://127.0.0.1:{}/copy\n\
                 connection.username=copy\nconnection.password=copy\ninsert.mode=upsert\n\
                 primary.key.mode=record_key\ndelete.enabled=true\nschema.evolution=basic\n\
                 quote.identifiers=true\n\
                 transforms=table\n\
                 transforms.table.type=org.apache.kafka.connect.transforms.RegexRouter\n\
                 transforms.table.regex=.*\\\\.([a-z_]+)\ntransforms.table.replacement=$1\n\
                 consumer.override.auto.offset.reset=earliest\n\
                 consumer.override.isolation.level=read_committed\n\
                 consumer.override.metadata.max.age.ms=2000\n",
                topics.join(","),
                database.port,
            ),
        );
        let logging = write("log4j2.yaml", LOGGING.to_owned());
        let said = std::fs::File::create(folder.path().join("said")).expect("a file");
        let worker = kafka
            .java(384)
            .arg(format!("-Dlog4j2.configurationFile={}", logging.display()))
            .arg("org.apache.kafka.connect.cli.ConnectStandalone")
            .args([worker, sink])
            .stdout(said.try_clone().expect("a file"))
            .stderr(said)
            .spawn()
            .expect("java starts");
        Some(Self { worker, folder })
    }

    /// What it printed, for messages: the end of it.
    #[must_use]
    pub fn said(&self) -> String {
        let text = std::fs::read_to_string(self.folder.path().join("said")).unwrap_or_default();
        let skip = text.len().saturating_sub(6_000);
        text.chars().skip(skip).collect()
    }
}

impl Drop for Connect {
    fn drop(&mut self) {
        let _ = self.worker.kill();
        let _ = self.worker.wait();
    }
}
