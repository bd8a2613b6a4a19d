//! Java and Kafka's jars on this machine.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use daybook_app::dev::run_as::{RunAs, command};
use tempfile::TempDir;

/// What brokers are started from.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    pub(super) home: PathBuf,
    pub(super) run_as: Option<RunAs>,
    /// Whether what is started is to run long, and fast in the end, rather than to start quickly.
    pub(super) lasting: bool,
}

/// The installation, fetched now if it was not. `None`, and loudly so, where it cannot be had.
pub(super) fn found() -> Option<Installation> {
    static FOUND: OnceLock<Result<Installation, String>> = OnceLock::new();
    match FOUND.get_or_init(obtain) {
        Ok(installation) => Some(installation.clone()),
        Err(missing) => {
            let required = ["DAYBOOK_REQUIRE_KAFKA", "CI"]
                .iter()
                .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
            assert!(!required, "Kafka is required here, and cannot be had: {missing}");
            eprintln!("********************************************************");
            eprintln!("** SKIPPED, because there is no Kafka: {missing}");
            eprintln!("** (DAYBOOK_REQUIRE_KAFKA=1 makes this a failure)");
            eprintln!("********************************************************");
            None
        }
    }
}

fn obtain() -> Result<Installation, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/kafka");
    let fetched = Command::new("bash").arg(script).output().map_err(|error| error.to_string())?;
    if !fetched.status.success() {
        return Err(String::from_utf8_lossy(&fetched.stderr).trim().to_owned());
    }
    let home = PathBuf::from(String::from_utf8_lossy(&fetched.stdout).trim());
    let java = Command::new("java").arg("-version").output();
    if !java.is_ok_and(|output| output.status.success()) {
        return Err("java is missing. On Debian: apt-get install default-jre-headless".to_owned());
    }
    let run_as = RunAs::choose().map_err(|error| error.to_string())?;
    if let Some(user) = run_as.as_ref().filter(|user| !user.may_reach(&home.join("libs"))) {
        return Err(format!("{} may not reach {}", user.name, home.display()));
    }
    Ok(Installation { home, run_as, lasting: false })
}

impl Installation {
    /// The jars.
    pub(super) fn libraries(&self) -> PathBuf {
        self.home.join("libs")
    }

    /// `java` with the jars and a small heap, as the ordinary user.
    pub(super) fn java(&self, heap_mib: u32) -> Command {
        let mut java = command(Path::new("java"), self.run_as.as_ref());
        if !self.lasting {
            java.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        }
        java.arg(format!("-Xmx{heap_mib}m"))
            .arg("-XX:-UsePerfData")
            .arg("-cp")
            .arg(format!("{}/*", self.libraries().display()));
        java
    }

    /// A folder that the ordinary user may reach and write in.
    pub(super) fn folder(&self) -> TempDir {
        let folder = tempfile::Builder::new().prefix("daybook-kafka-").tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))
            .expect("its mode");
        self.give(folder.path());
        folder
    }

    /// Gives a file or folder to the ordinary user.
    pub(super) fn give(&self, path: &Path) {
        if let Some(user) = &self.run_as {
            user.give(path).expect("root may give");
        }
    }
}
