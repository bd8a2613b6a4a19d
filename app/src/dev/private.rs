//! The private server, shared by every `daybook` that works on one data directory.
//!
//! Whoever comes first starts it, whoever leaves last stops it; locks on two files count them, so that a
//! process that was killed is not counted. A server that such a process left behind is taken over.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::DevError;
use super::binaries::{Choice, Source};
use super::cluster::{Cluster, Server, major_of};
use super::download;
use super::finder::Binaries;
use super::home::{Home, Record};
use super::run_as::RunAs;

/// Held while the server is started or stopped.
const TURN: &str = "turn.lock";
/// Held, shared, by each process that uses the server.
const USERS: &str = "users.lock";
const LOG_LIMIT: u64 = 16 << 20;

/// The use of a private server; when the last one is dropped, the server stops.
#[derive(Debug)]
pub struct Private {
    /// Where it lives.
    pub home: Home,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// The superuser's password.
    pub superuser_password: String,
    /// What it runs on.
    pub binaries: Binaries,
    /// The user that it runs as, when we are root.
    pub run_as: Option<RunAs>,
    use_of: Option<(Server, File)>,
}

impl Private {
    /// Uses the server of this data directory, started and even made if it is not there.
    ///
    /// # Errors
    /// When there are no fitting binaries, or the server does not start.
    pub async fn open(data_dir: &Path, source: &Source) -> Result<Self, DevError> {
        let run_as = RunAs::choose()?;
        let home = Home::open(data_dir, run_as.as_ref())?;
        let turn = take_turn(home.clone()).await?;
        let data = home.file("postgres");
        let made_by = major_of(&data).map(|major| (data.as_path(), major));
        let downloads = download::folder();
        let choice = Choice { source, made_by, run_as: run_as.as_ref(), downloads: &downloads };
        let binaries = choice.make().await?;
        blocking(move || {
            let opened = Self::open_in_turn(home, binaries, run_as);
            drop(turn);
            opened
        })
        .await
    }

    fn open_in_turn(
        home: Home,
        binaries: Binaries,
        run_as: Option<RunAs>,
    ) -> Result<Self, DevError> {
        let users = lock_file(&home.file(USERS))?;
        users.lock_shared().map_err(DevError::io(&home.file(USERS)))?;
        let superuser_password = home.secret("superuser.password")?;
        let cluster = Cluster {
            binaries: binaries.clone(),
            data: home.file("postgres"),
            log: home.file("postgres.log"),
            run_as: run_as.clone(),
            settings: Vec::new(),
        };
        let server = match cluster.running()? {
            Some(server) => server,
            None => start(&cluster, &home, &superuser_password)?,
        };
        let port = server.port;
        Ok(Self { home, port, superuser_password, binaries, run_as, use_of: Some((server, users)) })
    }

    /// Ends this use; the last one stops the server, and waits until it is gone.
    ///
    /// # Errors
    /// When the server does not stop.
    pub async fn close(mut self) -> Result<(), DevError> {
        blocking(move || self.end_use()).await
    }

    fn end_use(&mut self) -> Result<(), DevError> {
        let Some((mut server, users)) = self.use_of.take() else { return Ok(()) };
        let path = self.home.file(TURN);
        let turn = lock_file(&path)?;
        turn.lock().map_err(DevError::io(&path))?;
        users.unlock().map_err(DevError::io(&self.home.file(USERS)))?;
        match users.try_lock() {
            Ok(()) => server.stop(),
            Err(fs::TryLockError::WouldBlock) => Ok(()),
            Err(fs::TryLockError::Error(error)) => Err(DevError::io(&self.home.file(USERS))(error)),
        }
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Err(error) = self.end_use() {
            tracing::error!(%error, "the private PostgreSQL was not stopped");
        }
    }
}

fn start(cluster: &Cluster, home: &Home, superuser_password: &str) -> Result<Server, DevError> {
    if !cluster.exists() {
        tracing::info!(postgresql = %cluster.binaries, data = %cluster.data.display(), "making a private database");
        cluster.init(superuser_password)?;
    }
    if cluster.log.metadata().is_ok_and(|log| log.len() > LOG_LIMIT) {
        fs::rename(&cluster.log, cluster.log.with_extension("log.old"))
            .map_err(DevError::io(&cluster.log))?;
    }
    let server = cluster.start(home.record().map(|record| record.port))?;
    let (major, minor) = cluster.binaries.version;
    home.remember(&Record {
        port: server.port,
        version: format!("{major}.{minor}"),
        binaries: cluster.binaries.folder.clone(),
    })?;
    Ok(server)
}

async fn take_turn(home: Home) -> Result<File, DevError> {
    blocking(move || {
        let path: PathBuf = home.file(TURN);
        let turn = lock_file(&path)?;
        turn.lock().map_err(DevError::io(&path))?;
        Ok(turn)
    })
    .await
}

fn lock_file(path: &Path) -> Result<File, DevError> {
    File::options().create(true).append(true).open(path).map_err(DevError::io(path))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DevError> + Send + 'static,
) -> Result<T, DevError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
