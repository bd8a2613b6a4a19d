//! A PostgreSQL cluster of our own: made once, started, found running, stopped.
//!
//! Everything here blocks; callers in async code go through `spawn_blocking`.

use std::fs;
use std::io::{Read as _, Seek as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::DevError;
use super::finder::Binaries;
use super::run_as::{RunAs, command};

/// The superuser of a cluster of ours; only roles and migrations are made as it.
pub const SUPERUSER: &str = "postgres";

const START_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(60);

/// A data directory, and what runs it.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// The server's programs.
    pub binaries: Binaries,
    /// The data directory.
    pub data: PathBuf,
    /// Where the server writes its log.
    pub log: PathBuf,
    /// The user that the server runs as, when this process is root.
    pub run_as: Option<RunAs>,
    /// More server settings, as `name=value`.
    pub settings: Vec<String>,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its process.
    pub pid: i32,
    /// The process, when it was started here.
    child: Option<Child>,
}

/// What `postmaster.pid` says.
struct PidFile {
    pid: i32,
    port: u16,
    ready: bool,
}

impl Cluster {
    /// Whether the data directory has been made.
    #[must_use]
    pub fn exists(&self) -> bool {
        major_of(&self.data).is_some()
    }

    /// Makes the data directory, whole or not at all.
    ///
    /// # Errors
    /// When `initdb` fails, with what it said.
    pub fn init(&self, superuser_password: &str) -> Result<(), DevError> {
        let fresh = self.data.with_extension("new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(DevError::io(&fresh))?;
        }
        fs::create_dir_all(&fresh).map_err(DevError::io(&fresh))?;
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o700))
            .map_err(DevError::io(&fresh))?;
        let password_file = self.data.with_extension("password");
        write_secret(&password_file, superuser_password)?;
        if let Some(user) = &self.run_as {
            user.give(&fresh)?;
            user.give(&password_file)?;
        }
        let made = self.run_initdb(&fresh, &password_file);
        fs::remove_file(&password_file).map_err(DevError::io(&password_file))?;
        made?;
        fs::rename(&fresh, &self.data).map_err(DevError::io(&self.data))
    }

    fn run_initdb(&self, fresh: &Path, password_file: &Path) -> Result<(), DevError> {
        let mut initdb = self.command("initdb");
        initdb
            .arg("--pgdata")
            .arg(fresh)
            .arg("--pwfile")
            .arg(password_file)
            .args(["--username", SUPERUSER, "--auth", "scram-sha-256", "--encoding", "UTF8"])
            .arg("--data-checksums")
            .current_dir(fresh);
        // The same order of text on every machine, whatever it has installed.
        if self.binaries.major() >= 17 {
            initdb.args(["--locale", "C", "--locale-provider", "builtin"]);
            initdb.args(["--builtin-locale", "C.UTF-8"]);
        } else {
            initdb.arg("--no-locale");
        }
        let output = initdb.output().map_err(DevError::io(&self.binaries.folder.join("initdb")))?;
        if output.status.success() {
            return Ok(());
        }
        Err(DevError::Initdb(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }

    /// The server of this data directory, if one runs: ours, or left behind by a process that was killed.
    /// A `postmaster.pid` that belongs to nobody is taken away.
    ///
    /// # Errors
    /// When it runs, but does not become ready.
    pub fn running(&self) -> Result<Option<Server>, DevError> {
        let path = self.data.join("postmaster.pid");
        let Some(found) = read_pid_file(&path) else { return Ok(None) };
        if !is_alive(found.pid) {
            return Ok(None);
        }
        if !is_server_of(found.pid, &self.data) {
            tracing::warn!(
                pid = found.pid,
                "another process has the number of a server that is gone"
            );
            fs::remove_file(&path).map_err(DevError::io(&path))?;
            return Ok(None);
        }
        let mut server = Server { port: found.port, pid: found.pid, child: None };
        self.wait_until_ready(&mut server)?;
        Ok(Some(server))
    }

    /// Starts the server on 127.0.0.1, on `port` if that is free, else on any.
    ///
    /// # Errors
    /// When it does not start, with the end of its log.
    pub fn start(&self, port: Option<u16>) -> Result<Server, DevError> {
        let mut tried = 0;
        loop {
            let port = free_port(port.filter(|_| tried == 0))?;
            let child = self.spawn(port)?;
            let pid =
                i32::try_from(child.id()).map_err(|_| DevError::Start("no process id".into()))?;
            let mut server = Server { port, pid, child: Some(child) };
            match self.wait_until_ready(&mut server) {
                Ok(()) => return Ok(server),
                // Somebody took the port between the question and the start.
                Err(DevError::Start(log)) if tried < 3 && log.contains("could not bind") => {
                    tried += 1
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn spawn(&self, port: u16) -> Result<Child, DevError> {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.log)
            .map_err(DevError::io(&self.log))?;
        let errors = log.try_clone().map_err(DevError::io(&self.log))?;
        let mut postgres = self.command("postgres");
        postgres.arg("-D").arg(&self.data).arg("-p").arg(port.to_string());
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "logging_collector=off",
            "timezone=UTC",
            "max_wal_size=2GB",
            "shared_buffers=256MB",
        ] {
            postgres.args(["-c", setting]);
        }
        for setting in &self.settings {
            postgres.args(["-c", setting]);
        }
        // A group of its own: Ctrl-C reaches us, and we stop the server when the work on it is done.
        postgres
            .current_dir(&self.data)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(DevError::io(&self.binaries.folder.join("postgres")))
    }

    fn command(&self, program: &str) -> Command {
        command(&self.binaries.folder.join(program), self.run_as.as_ref())
    }

    fn wait_until_ready(&self, server: &mut Server) -> Result<(), DevError> {
        let path = self.data.join("postmaster.pid");
        let deadline = Instant::now() + START_WITHIN;
        loop {
            if read_pid_file(&path).is_some_and(|file| file.pid == server.pid && file.ready) {
                return Ok(());
            }
            if server.is_gone() {
                return Err(DevError::Start(self.end_of_log()));
            }
            if Instant::now() > deadline {
                server.stop()?;
                return Err(DevError::Start(self.end_of_log()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn end_of_log(&self) -> String {
        let text = tail(&self.log, 4096).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        format!(
            "{} (from {})",
            lines[lines.len().saturating_sub(8)..].join("\n"),
            self.log.display()
        )
    }
}

impl Server {
    /// Stops it: connections are cut, what is committed stays. Waits until it is gone.
    ///
    /// # Errors
    /// When it is still there after a minute.
    pub fn stop(&mut self) -> Result<(), DevError> {
        let deadline = Instant::now() + STOP_WITHIN;
        signal(self.pid, Signal::SIGINT);
        while !self.is_gone() {
            if Instant::now() > deadline {
                signal(self.pid, Signal::SIGQUIT);
                return Err(DevError::Stop { pid: self.pid });
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn is_gone(&mut self) -> bool {
        match &mut self.child {
            Some(child) => !matches!(child.try_wait(), Ok(None)),
            None => !is_alive(self.pid),
        }
    }
}

/// The major version of the server that made a data directory.
#[must_use]
pub fn major_of(data: &Path) -> Option<u32> {
    fs::read_to_string(data.join("PG_VERSION")).ok()?.trim().parse().ok()
}

/// Writes a file that only we can read.
///
/// # Errors
/// When the system refuses.
pub(super) fn write_secret(path: &Path, text: &str) -> Result<(), DevError> {
    let _ = fs::remove_file(path);
    fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(DevError::io(path))
}

fn free_port(wanted: Option<u16>) -> Result<u16, DevError> {
    let bind = |port| TcpListener::bind(("127.0.0.1", port)).and_then(|socket| socket.local_addr());
    wanted
        .and_then(|port| bind(port).ok())
        .map_or_else(|| bind(0), Ok)
        .map(|address| address.port())
        .map_err(DevError::io(Path::new("127.0.0.1")))
}

/// Lines: process, data directory, start time, port, socket directory, address, shared memory, status.
fn read_pid_file(path: &Path) -> Option<PidFile> {
    let text = fs::read_to_string(path).ok()?;
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    Some(PidFile {
        pid: lines.first()?.parse().ok().filter(|pid| *pid > 1)?,
        port: lines.get(3).and_then(|port| port.parse().ok()).unwrap_or(0),
        ready: lines.get(7).is_some_and(|status| *status == "ready"),
    })
}

fn is_alive(pid: i32) -> bool {
    !matches!(kill(Pid::from_raw(pid), None), Err(nix::errno::Errno::ESRCH))
}

/// Where the system shows command lines, the server's names its data directory; elsewhere it is believed.
fn is_server_of(pid: i32, data: &Path) -> bool {
    match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(line) => {
            line.split(|byte| *byte == 0).any(|word| word == data.as_os_str().as_encoded_bytes())
        }
        Err(_) => true,
    }
}

fn signal(pid: i32, signal: Signal) {
    // A process that is gone already is what is asked for.
    let _ = kill(Pid::from_raw(pid), signal);
}

fn tail(path: &Path, bytes: u64) -> std::io::Result<String> {
    let mut file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(std::io::SeekFrom::Start(length.saturating_sub(bytes)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    Ok(String::from_utf8_lossy(&end).into_owned())
}
