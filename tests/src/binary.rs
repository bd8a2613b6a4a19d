//! The real `daybook`, as a user starts it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The binary: `DAYBOOK_BIN`, else the one that belongs to this test's build, built now if it is not fresh.
///
/// # Panics
/// When it cannot be built.
pub fn binary_path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        if let Some(path) = std::env::var_os("DAYBOOK_BIN") {
            return PathBuf::from(path);
        }
        // target/<profile>/deps/<test>
        let test = std::env::current_exe().expect("the test's own path");
        let profile = test.ancestors().nth(2).expect("target/<profile>");
        let mut cargo = Command::new(env!("CARGO"));
        // What the outer cargo says of this package would make build scripts (ring's) think that
        // everything has changed, and build all of it again.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let of_this_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_"];
            if of_this_package.iter().any(|prefix| text.starts_with(prefix))
                || ["CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR", "LD_LIBRARY_PATH"]
                    .contains(&&*text)
            {
                cargo.env_remove(name);
            }
        }
        cargo
            // The same selection as `cargo test --workspace` makes: another one would give the
            // dependencies other features, and build all of them a second time.
            .args(["build", "--quiet", "--workspace", "--all-targets"])
            .arg("--target-dir")
            .arg(profile.parent().expect("target"))
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().expect("cargo runs").success(), "daybook does not build");
        profile.join("daybook")
    })
}

/// What a command that ended left.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// A running `daybook`, in a folder of its own; killed when dropped.
#[derive(Debug)]
pub struct Daybook {
    child: Child,
    folder: PathBuf,
    name: String,
}

impl Daybook {
    /// A command that sees none of this process's `DAYBOOK_*` and `PG*` settings. It works in `folder`.
    #[must_use]
    pub fn command(folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary_path());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("DAYBOOK_") || text.starts_with("PG") || text == "DATABASE_URL" {
                command.env_remove(name);
            }
        }
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn run(command: &mut Command) -> Finished {
        let output = command.output().expect("daybook starts");
        Finished {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Starts a command that stays; what it prints goes to `<name>.out` and `<name>.err` in `folder`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command, folder: &Path, name: &str) -> Self {
        let file = |end: &str| File::create(folder.join(format!("{name}.{end}"))).expect("a log");
        let child =
            command.stdout(file("out")).stderr(file("err")).spawn().expect("daybook starts");
        Self { child, folder: folder.to_path_buf(), name: name.to_owned() }
    }

    /// Its process.
    ///
    /// # Panics
    /// Never on Unix, where process ids are positive.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"))
    }

    /// Whether it has not ended.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("a running daybook");
    }

    /// Waits until a line of what it printed satisfies `wanted`, and returns that line.
    ///
    /// # Panics
    /// When it ends before, or `within` passes; with all that it printed.
    pub fn wait_for_line(&mut self, wanted: impl Fn(&str) -> bool, within: Duration) -> String {
        let deadline = Instant::now() + within;
        loop {
            if let Some(line) = self.lines("out").into_iter().find(|line| wanted(line)) {
                return line;
            }
            let ended = self.child.try_wait().expect("its state");
            assert!(ended.is_none(), "daybook ended with {ended:?}: {}", self.printed());
            assert!(Instant::now() < deadline, "not printed in {within:?}: {}", self.printed());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it ends.
    ///
    /// # Panics
    /// When `within` passes first.
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "still running after {within:?}: {}",
                self.printed()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// All that it printed, for messages.
    #[must_use]
    pub fn printed(&self) -> String {
        [self.lines("out").join("\n"), self.lines("err").join("\n")].join("\n--\n")
    }

    fn lines(&self, end: &str) -> Vec<String> {
        File::open(self.folder.join(format!("{}.{end}", self.name)))
            .map(|file| BufReader::new(file).lines().map_while(Result::ok).collect())
            .unwrap_or_default()
    }
}

impl Drop for Daybook {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.printed());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
