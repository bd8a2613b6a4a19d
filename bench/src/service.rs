//! The real `daybook serve`, in a process of its own.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Trouble;
use crate::http::Connection;
use crate::server::Database;

const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running service; it ends when this is dropped.
pub(crate) struct Service {
    child: Child,
    pub(crate) address: SocketAddr,
    folder: tempfile::TempDir,
}

/// Memory of a process, in bytes.
pub(crate) struct Memory {
    pub(crate) resident: u64,
    pub(crate) highest: u64,
}

impl Service {
    /// Starts it on a database with these roles, and waits until it says that it is ready.
    pub(crate) async fn start(database: &Database, roles: &str) -> Result<Self, Trouble> {
        let binary = binary()?;
        let folder = tempfile::Builder::new().prefix("daybook-bench-").tempdir()?;
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let mut command = Command::new(binary);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("DAYBOOK_") || text.starts_with("PG") {
                command.env_remove(name);
            }
        }
        let child = command
            .args(["serve", "--roles", roles, "--listen", &address.to_string()])
            .env("DATABASE_URL", database.service_url())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(File::create(folder.path().join("out"))?)
            .stderr(File::create(folder.path().join("err"))?)
            .spawn()?;
        let mut service = Self { child, address, folder };
        service.wait_until_ready().await?;
        Ok(service)
    }

    async fn wait_until_ready(&mut self) -> Result<(), Trouble> {
        let until = Instant::now() + READY_WITHIN;
        let question = b"GET /health/ready HTTP/1.1\r\nHost: daybook\r\n\r\n";
        loop {
            if let Ok(mut connection) = Connection::open(self.address).await
                && connection.ask(question).await.is_ok_and(|status| status == 200)
            {
                return Ok(());
            }
            if self.child.try_wait()?.is_some() || Instant::now() > until {
                return Err(format!("daybook serve is not ready: {}", self.printed()).into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What it holds in memory now, and the most that it ever held.
    pub(crate) fn memory(&self) -> Result<Memory, Trouble> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let of = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse().ok())
                .map(|kibibytes: u64| kibibytes * 1024)
                .ok_or_else(|| format!("/proc does not say {name}"))
        };
        Ok(Memory { resident: of("VmRSS:")?, highest: of("VmHWM:")? })
    }

    fn printed(&self) -> String {
        ["out", "err"]
            .map(|name| std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default())
            .join("\n")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let until = Instant::now() + Duration::from_secs(30);
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `DAYBOOK_BIN`, else the one beside this binary, built now if it is not fresh.
pub(crate) fn binary() -> Result<PathBuf, Trouble> {
    if let Some(path) = std::env::var_os("DAYBOOK_BIN") {
        return Ok(path.into());
    }
    let own = std::env::current_exe()?;
    let profile = own.parent().ok_or("no folder")?;
    let target = profile.parent().ok_or("no target folder")?;
    let mut cargo = Command::new(env!("CARGO"));
    // What the outer cargo says of this package would make other packages' build scripts think that
    // everything has changed.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_this_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_"];
        if of_this_package.iter().any(|prefix| text.starts_with(prefix))
            || ["CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR", "LD_LIBRARY_PATH"].contains(&&*text)
        {
            cargo.env_remove(name);
        }
    }
    cargo
        .args(["build", "--quiet", "--package", "daybook-app", "--bin", "daybook", "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    if !cargo.status()?.success() {
        return Err("daybook does not build".into());
    }
    Ok(profile.join("daybook"))
}
