//! `daybook dev` and its private server, as a user sees them.
//!
//! Run by root, these tests are about root; run by anybody else, about an ordinary user. Root also
//! tries being an ordinary user.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use daybook_app::dev::run_as::RunAs;
use daybook_tests::{Daybook, TestDatabase, WithoutSchema, binary_path};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, PgConnection};

const SOON: Duration = Duration::from_secs(90);

/// A folder that everybody may go through, as a project's is.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(mode: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode))
            .expect("its mode");
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the private server's files are.
    fn home(&self) -> PathBuf {
        let data_dir = self.path().join(".daybook");
        std::fs::read_to_string(data_dir.join("elsewhere")).map_or(data_dir, PathBuf::from)
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.home().join(name)).expect(name)
    }

    fn server_pid(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.home().join("postgres/postmaster.pid")).ok()?;
        Some(Pid::from_raw(text.lines().next()?.parse().expect("a process id")))
    }

    async fn superuser(&self) -> PgConnection {
        let pid_file = self.file("postgres/postmaster.pid");
        let port = pid_file.lines().nth(3).and_then(|line| line.trim().parse().ok());
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(port.expect("a port"))
            .username("postgres")
            .password(&self.file("superuser.password"))
            .database("daybook")
            .ssl_mode(PgSslMode::Disable)
            .connect()
            .await
            .expect("the private server")
    }

    fn dev(&self) -> Daybook {
        let mut command = Daybook::command(self.path(), &["dev", "--listen", "127.0.0.1:0"]);
        self.start(&mut command)
    }

    fn start(&self, command: &mut Command) -> Daybook {
        let mut dev = Daybook::start(command, self.path(), "dev");
        dev.wait_for_line(|line| line.starts_with("Ctrl-C stops"), SOON);
        dev
    }
}

/// What stood in for the data directory is not in the folder that is taken away.
impl Drop for Folder {
    fn drop(&mut self) {
        let home = self.home();
        if !home.starts_with(self.path()) {
            let _ = std::fs::remove_dir_all(home);
        }
    }
}

fn runs(pid: Pid) -> bool {
    kill(pid, None).is_ok()
}

#[tokio::test]
async fn data_stays_between_runs_and_each_signal_stops_the_server() {
    let folder = Folder::new(0o755);
    for (run, signal) in [(0_i32, Signal::SIGINT), (1, Signal::SIGTERM), (2, Signal::SIGHUP)] {
        let mut dev = folder.dev();
        let server = folder.server_pid().expect("a running server");
        let mut connection = folder.superuser().await;
        sqlx::raw_sql("CREATE TABLE IF NOT EXISTS public.kept (run int)")
            .execute(&mut connection)
            .await
            .unwrap();
        let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM public.kept")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(kept, i64::from(run));
        sqlx::query("INSERT INTO public.kept VALUES ($1)")
            .bind(run)
            .execute(&mut connection)
            .await
            .unwrap();
        dev.signal(signal);
        assert_eq!(dev.wait(SOON).code(), Some(0), "{signal}: {}", dev.printed());
        assert!(!runs(server), "{signal} left the server running");
        assert_eq!(folder.server_pid(), None);
    }
}

#[tokio::test]
async fn the_service_is_no_superuser_and_the_server_is_durable_and_not_roots() {
    let folder = Folder::new(0o755);
    let mut dev = folder.dev();
    let mut connection = folder.superuser().await;
    let (superuser, bypass): (bool, bool) = sqlx::query_as(
        "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'daybook_service'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert!(!superuser && !bypass);
    let (fsync, commit, address): (String, String, String) = sqlx::query_as(
        "SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('listen_addresses')",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!((fsync.as_str(), commit.as_str(), address.as_str()), ("on", "on", "127.0.0.1"));
    if Uid::effective().is_root() {
        let pid = folder.server_pid().expect("a running server");
        let owner = std::os::unix::fs::MetadataExt::uid(
            &std::fs::metadata(format!("/proc/{pid}")).expect("a process"),
        );
        assert_ne!(owner, 0, "the server runs as root");
    }
    for secret in ["superuser.password", "service.password"] {
        let mode = folder.home().join(secret).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
        assert!(!dev.printed().contains(&folder.file(secret)), "{secret} was printed");
    }
    dev.signal(Signal::SIGINT);
    dev.wait(SOON);
}

#[tokio::test]
async fn a_server_left_behind_is_taken_over_and_stopped() {
    let folder = Folder::new(0o755);
    let mut dev = folder.dev();
    let server = folder.server_pid().expect("a running server");
    dev.signal(Signal::SIGKILL);
    dev.wait(SOON);
    assert!(runs(server), "nobody could have stopped it");
    let mut dev = folder.dev();
    assert_eq!(folder.server_pid(), Some(server));
    dev.signal(Signal::SIGINT);
    assert_eq!(dev.wait(SOON).code(), Some(0));
    assert!(!runs(server));
}

#[tokio::test]
async fn a_server_that_was_killed_starts_again() {
    let folder = Folder::new(0o755);
    let mut dev = folder.dev();
    let server = folder.server_pid().expect("a running server");
    dev.signal(Signal::SIGKILL);
    dev.wait(SOON);
    kill(server, Signal::SIGQUIT).unwrap();
    let killed = Instant::now();
    while runs(server) {
        assert!(killed.elapsed() < SOON, "{server} does not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // As after a power cut: the file names a process that is another one by now.
    let pid_file = folder.home().join("postgres/postmaster.pid");
    std::fs::write(&pid_file, format!("{}\n/nowhere\n0\n1\n", std::process::id())).unwrap();
    let mut dev = folder.dev();
    folder.superuser().await;
    dev.signal(Signal::SIGINT);
    assert_eq!(dev.wait(SOON).code(), Some(0), "{}", dev.printed());
}

#[tokio::test]
async fn tools_share_the_server_or_start_it_for_themselves() {
    let folder = Folder::new(0o755);
    let doctor = || Daybook::run(&mut Daybook::command(folder.path(), &["doctor"]));
    let status = || Daybook::run(&mut Daybook::command(folder.path(), &["migrate", "status"]));
    let alone = status();
    assert_eq!(alone.code, Some(3), "nothing was migrated yet: {alone:?}");
    assert_eq!(folder.server_pid(), None, "it stops with the tool that started it");
    let mut dev = folder.dev();
    let server = folder.server_pid().expect("a running server");
    let beside = doctor();
    assert_eq!(beside.code, Some(0), "{beside:?}");
    assert!(runs(server), "a tool stopped the server of `dev`");
    dev.signal(Signal::SIGINT);
    dev.wait(SOON);
    assert!(!runs(server));
    let after = status();
    assert_eq!(after.code, Some(0), "{after:?}");
    assert_eq!(folder.server_pid(), None);
}

#[tokio::test]
async fn without_installed_binaries_they_are_downloaded() {
    let folder = Folder::new(0o755);
    let mut command = Daybook::command(folder.path(), &["dev", "--listen", "127.0.0.1:0"]);
    let mut dev = folder.start(command.env("DAYBOOK_POSTGRES", "download"));
    let version: String = sqlx::query_scalar("SELECT current_setting('server_version')")
        .fetch_one(&mut folder.superuser().await)
        .await
        .unwrap();
    assert!(version.starts_with("18."), "{version}");
    dev.signal(Signal::SIGINT);
    assert_eq!(dev.wait(SOON).code(), Some(0), "{}", dev.printed());
}

#[tokio::test]
async fn another_versions_data_is_refused_with_both_versions() {
    let folder = Folder::new(0o755);
    let mut dev = folder.dev();
    dev.signal(Signal::SIGINT);
    dev.wait(SOON);
    std::fs::write(folder.home().join("postgres/PG_VERSION"), "99\n").unwrap();
    let mut command = Daybook::command(folder.path(), &["dev"]);
    let refused = Daybook::run(command.env("DAYBOOK_POSTGRES", "installed"));
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("made by PostgreSQL 99"), "{}", refused.stderr);
}

#[tokio::test]
async fn a_folder_that_only_we_may_enter_does() {
    let folder = Folder::new(0o700);
    let mut dev = folder.dev();
    let stands_in = !folder.home().starts_with(folder.path());
    assert_eq!(stands_in, Uid::effective().is_root(), "{}", dev.printed());
    dev.signal(Signal::SIGINT);
    assert_eq!(dev.wait(SOON).code(), Some(0));
}

#[tokio::test]
async fn an_ordinary_user_needs_nothing_of_roots() {
    // Whoever is not root has tried it in every other test.
    let Some(user) = RunAs::choose().unwrap() else { return };
    let folder = Folder::new(0o755);
    let copy = folder.path().join("daybook");
    std::fs::copy(binary_path(), &copy).unwrap();
    let work = folder.path().join("work");
    std::fs::create_dir(&work).unwrap();
    user.give(&work).unwrap();
    let mut command = Command::new(&copy);
    command
        .args(["dev", "--listen", "127.0.0.1:0"])
        .current_dir(&work)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", &work)
        .uid(user.uid)
        .gid(user.gid);
    let mut dev = folder.start(&mut command);
    assert!(work.join(".daybook/postgres/PG_VERSION").exists());
    dev.signal(Signal::SIGINT);
    assert_eq!(dev.wait(SOON).code(), Some(0), "{}", dev.printed());
}

#[tokio::test]
async fn an_administrators_database_is_prepared_and_never_served_from_as_such() {
    let database = TestDatabase::empty(WithoutSchema).await;
    let folder = Folder::new(0o755);
    let url = database.admin_url();

    let mut serve = Daybook::command(folder.path(), &["serve"]);
    let refused = Daybook::run(serve.env("DATABASE_URL", &url));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("superuser"), "{}", refused.stderr);

    // The tests' server has the role already, with a password that only the tests know.
    let mut dev = Daybook::command(folder.path(), &["dev"]);
    let refused = Daybook::run(dev.env("DATABASE_URL", &url));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("DAYBOOK_MIGRATE_URL"), "{}", refused.stderr);

    let mut dev = Daybook::command(folder.path(), &["dev", "--listen", "127.0.0.1:0"]);
    dev.env("DATABASE_URL", database.service_url()).env("DAYBOOK_MIGRATE_URL", &url);
    let mut dev = folder.start(&mut dev);
    dev.signal(Signal::SIGTERM);
    assert_eq!(dev.wait(SOON).code(), Some(0), "{}", dev.printed());
    assert!(!folder.path().join(".daybook/postgres").exists());
}
