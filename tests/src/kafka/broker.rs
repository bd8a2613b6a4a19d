//! One node: a broker, a controller, or both.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::installation::Installation;
use super::secured::{PASSWORD, Secured, USER};
use crate::free_port;

/// What Java programs log: warnings, to their output.
pub(crate) const LOGGING: &str = r#"Configuration:
  Appenders:
    Console:
      name: out
      PatternLayout:
        pattern: "%d{ISO8601} %p %c: %m%n"
  Loggers:
    Root:
      level: WARN
      AppenderRef:
        ref: out
"#;

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is a cluster by itself.
    Both,
    /// It keeps records; others control.
    Broker,
    /// It says who leads what, and keeps no records.
    Controller,
}

impl Role {
    const fn names(self) -> &'static str {
        match self {
            Self::Both => "broker,controller",
            Self::Broker => "broker",
            Self::Controller => "controller",
        }
    }

    /// How much memory its Java machine takes for itself.
    const fn heap_mib(self) -> u32 {
        match self {
            Self::Both | Self::Broker => 384,
            Self::Controller => 128,
        }
    }
}

/// Where one node listens on 127.0.0.1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    client: u16,
    controller: u16,
    internal: u16,
    mutual: u16,
}

impl Ports {
    /// Some that are free.
    pub(super) fn free() -> Self {
        Self {
            client: free_port(),
            controller: free_port(),
            internal: free_port(),
            mutual: free_port(),
        }
    }

    /// Where clients connect.
    pub(super) fn client(self) -> String {
        format!("127.0.0.1:{}", self.client)
    }

    /// Where the other nodes ask a controller.
    pub(super) fn controller(self) -> String {
        format!("127.0.0.1:{}", self.controller)
    }

    /// Where clients connect that show a certificate.
    pub(super) fn mutual(self) -> String {
        format!("127.0.0.1:{}", self.mutual)
    }
}

#[derive(Debug)]
pub(super) struct Broker {
    pub(super) ports: Ports,
    role: Role,
    folder: PathBuf,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// Ends the broker when this process ends, however that happens.
    watcher: Child,
}

impl Broker {
    /// Writes its files; the node ids count from 1.
    pub(super) fn new(
        installation: &Installation,
        home: &Path,
        index: usize,
        all: &[(Ports, Role)],
        secured: Option<&Secured>,
    ) -> Self {
        let (ports, role) = all[index];
        let folder = home.join(format!("node-{}", index + 1));
        fs::create_dir(&folder).expect("its folder");
        let properties = properties(&folder, index, all, secured);
        fs::write(folder.join("server.properties"), properties).expect("its settings");
        fs::write(folder.join("log4j2.yaml"), LOGGING).expect("what it logs");
        installation.give(&folder);
        Self { ports, role, folder, running: None }
    }

    /// Whether clients have anything to ask of it.
    pub(super) fn is_broker(&self) -> bool {
        self.role != Role::Controller
    }

    /// Makes its data directory.
    pub(super) fn format(&self, installation: &Installation) -> Result<(), String> {
        let mut tool = installation.java(128);
        tool.arg("kafka.tools.StorageTool")
            .args(["format", "--cluster-id", "ZGF5Ym9vay10ZXN0cy0xMQ", "--config"])
            .arg(self.folder.join("server.properties"))
            .arg("--add-scram")
            .arg(format!("SCRAM-SHA-512=[name={USER},password={PASSWORD},iterations=4096]"))
            .current_dir(&self.folder);
        let output = tool.output().map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Starts it; it is not ready yet.
    pub(super) fn start(&mut self, installation: &Installation) {
        assert!(self.running.is_none(), "it runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .expect("its log");
        let mut java = installation.java(self.role.heap_mib());
        java.arg(format!("-Dlog4j2.configurationFile={}/log4j2.yaml", self.folder.display()))
            .arg("kafka.Kafka")
            .arg(self.folder.join("server.properties"))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("its log"))
            .stderr(log)
            // An interrupt of the tests is for the tests; the watcher does the rest.
            .process_group(0);
        let child = java.spawn().expect("java starts");
        let watcher = watch(&child, &self.folder);
        self.running = Some(Running { child, watcher });
    }

    /// Whether its process is there.
    pub(super) fn runs(&self) -> bool {
        self.running.as_ref().is_some_and(|running| {
            // Not reaped here: a zombie counts as gone.
            let stat = fs::read_to_string(format!("/proc/{}/stat", running.child.id()));
            stat.is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").starts_with(" Z"))
        })
    }

    pub(super) fn signal(&self, signal: Signal) {
        let running = self.running.as_ref().expect("a running broker");
        let pid = i32::try_from(running.child.id()).expect("a process id");
        kill(Pid::from_raw(pid), signal).expect("a running broker");
    }

    /// kill -9.
    pub(super) fn kill(&mut self) {
        self.end(Signal::SIGKILL);
    }

    /// Asks it to stop, and waits until it has.
    pub(super) fn stop(&mut self) {
        self.end(Signal::SIGTERM);
    }

    fn end(&mut self, signal: Signal) {
        if self.running.is_none() {
            return;
        }
        self.signal(signal);
        if let Some(mut running) = self.running.take() {
            let _ = running.child.wait();
            // Its id may be another process's from now on.
            let _ = running.watcher.kill();
            let _ = running.watcher.wait();
        }
    }

    /// The end of its log, for messages.
    pub(super) fn printed(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A process that waits until the pipe from this one closes, then ends the broker and takes its
/// folder away.
fn watch(broker: &Child, folder: &Path) -> Child {
    let script = "cat >/dev/null; kill -KILL $0; while kill -0 $0 2>/dev/null; do sleep 0.05; done; \
                  rm -rf \"$1\"; rmdir \"$(dirname \"$1\")\"";
    Command::new("/bin/sh")
        .args(["-c", script, &broker.id().to_string()])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("a shell")
}

/// Takes the folder of all nodes away when this process ends, however that happens: a node that was
/// killed by then has nobody who does.
#[derive(Debug)]
pub(super) struct Sweeper(Child);

impl Sweeper {
    pub(super) fn over(home: &Path) -> Self {
        // The nodes' own watchers end them first.
        let script = "cat >/dev/null; sleep 3; rm -rf \"$0\"";
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script]).arg(home).stdin(Stdio::piped()).process_group(0);
        Self(shell.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a shell"))
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        // Whoever drops it takes the folder away.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn properties(
    folder: &Path,
    index: usize,
    all: &[(Ports, Role)],
    secured: Option<&Secured>,
) -> String {
    let (ports, role) = all[index];
    let voters: Vec<_> = (1..)
        .zip(all)
        .filter(|(_, (_, role))| *role != Role::Broker)
        .map(|(id, (ports, _)): (u32, _)| format!("{id}@{}", ports.controller()))
        .collect();
    let brokers = all.iter().filter(|(_, role)| *role != Role::Controller).count();
    let replicas = brokers.min(3);
    let in_sync = replicas.div_ceil(2);
    // One copy is enough for whoever coordinates transactions: where too few copies are in sync, it is
    // those of the topics.
    let mut text = format!(
        "process.roles={roles}
node.id={id}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
log.dirs={data}
default.replication.factor={replicas}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
log.retention.check.interval.ms=1000
log.initial.task.delay.ms=1000
log.segment.delete.delay.ms=1000
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=2
num.io.threads=2
",
        roles = role.names(),
        id = index + 1,
        voters = voters.join(","),
        data = folder.join("data").display(),
    );
    text += &listeners(ports, role, secured);
    text
}

fn listeners(ports: Ports, role: Role, secured: Option<&Secured>) -> String {
    let client = ports.client();
    let controller = format!("CONTROLLER://{}", ports.controller());
    let plain = "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT";
    match (secured, role) {
        (_, Role::Controller) => format!("listeners={controller}\n{plain}\n"),
        (None, Role::Broker | Role::Both) => {
            let own = if role == Role::Both { format!(",{controller}") } else { String::new() };
            format!(
                "listeners=PLAINTEXT://{client}{own}
advertised.listeners=PLAINTEXT://{client}
{plain}
"
            )
        }
        (Some(secured), Role::Broker | Role::Both) => format!(
            "listeners=SASL_SSL://{client},SSL://{mutual},INTERNAL://{internal},{controller}
advertised.listeners=SASL_SSL://{client},SSL://{mutual},INTERNAL://{internal}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
inter.broker.listener.name=INTERNAL
{}",
            secured.properties(),
            mutual = ports.mutual(),
            internal = format_args!("127.0.0.1:{}", ports.internal),
        ),
    }
}
