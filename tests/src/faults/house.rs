//! The servers and processes of one run.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use daybook_app::database::{self, migrate};
use daybook_app::dev::cluster::{Cluster, Server};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{ConnectOptions as _, PgConnection};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::bus::{Bus, Harmed};
use super::proxy::Proxy;
use crate::postgres::{self, PASSWORD, Watcher};
use crate::{Daybook, Finished, free_port};

/// A name, and the roles that it has.
const PROCESSES: [(&str, &str); 4] = [
    ("command-1", "command,query"),
    ("command-2", "command,query"),
    ("projector-1", "projector"),
    ("projector-2", "projector"),
];
/// Those that there are besides with Kafka.
const RELAYS: [(&str, &str); 2] = [("relay-1", "relay"), ("relay-2", "relay")];
/// How many projectors join the group at once, and leave it again.
const PASSERS_BY: u32 = 3;

/// A process of ours, started again whenever it is not there.
#[derive(Debug)]
struct Part {
    name: &'static str,
    roles: &'static str,
    address: String,
    running: Option<Daybook>,
    /// How often it was started.
    starts: u32,
    stopped: bool,
}

/// PostgreSQL, the proxy before it, and the processes behind that.
#[derive(Debug)]
pub(super) struct House {
    folder: PathBuf,
    cluster: Cluster,
    server: Mutex<Server>,
    pub(super) proxy: Proxy,
    parts: Mutex<Vec<Part>>,
    /// The brokers, where there are some.
    pub(super) bus: Option<Bus>,
    /// What processes and tools have in their environment besides the database.
    settings: Vec<(&'static str, String)>,
    /// An administrator's key.
    pub(super) key: String,
    /// The administrator, to whom all accounts belong.
    pub(super) owner: Uuid,
    /// Last: what it takes away is used by the others.
    _watcher: Watcher,
}

impl Drop for House {
    fn drop(&mut self) {
        for part in self.parts.get_mut() {
            part.running = None;
        }
        // It says what it says in its log; the next run has a server of its own.
        let _ = self.server.get_mut().stop();
    }
}

impl House {
    /// Starts everything, and waits until commands are taken. `None` when there can be no Kafka, which
    /// is wanted.
    pub(super) async fn open(with_kafka: bool) -> Option<Self> {
        let bus = if with_kafka { Some(Bus::open().await?) } else { None };
        let settings = match &bus {
            Some(bus) => bus.settings().await,
            None => Vec::new(),
        };
        let folder = postgres::home("daybook-faults-");
        let mut cluster = postgres::cluster(&folder).await;
        // As in production: the doctor looks.
        cluster.settings.push("fsync=on".to_owned());
        let starting = cluster.clone();
        let server = tokio::task::spawn_blocking(move || {
            starting.init(PASSWORD).expect("initdb");
            // One that it finds again after a crash.
            starting.start(Some(free_port())).expect("the server")
        })
        .await
        .expect("no panic");
        let watcher = Watcher::over(&folder);
        let superuser = postgres::options(server.port, "postgres", "postgres");
        migrate::up(&superuser, None).await.expect("the migrations");
        let mut administrator = superuser.connect().await.expect("the superuser's connection");
        database::bootstrap(&mut administrator).await.expect("the roles");
        database::set_service_password(&mut administrator, PASSWORD).await.expect("the password");
        let proxy = Proxy::start(server.port).await;
        let relays = if with_kafka { RELAYS.as_slice() } else { &[] };
        let parts = PROCESSES.iter().chain(relays).map(|(name, roles)| Part {
            name,
            roles,
            address: format!("127.0.0.1:{}", free_port()),
            running: None,
            starts: 0,
            stopped: false,
        });
        let (server, parts) = (Mutex::new(server), Mutex::new(parts.collect()));
        let (key, owner) = (String::new(), Uuid::nil());
        let mut house = Self {
            folder,
            cluster,
            server,
            proxy,
            parts,
            bus,
            settings,
            key,
            owner,
            _watcher: watcher,
        };
        (house.key, house.owner) = house.make_owner().await;
        house.heal().await;
        house.know_the_owner().await;
        Some(house)
    }

    /// Waits until all who take commands know the owner's key, which is posted like everything else.
    async fn know_the_owner(&self) {
        let client = crate::client();
        for address in self.addresses().await {
            let ask = || {
                let address = format!("http://{address}/v1/identity/users/{}", self.owner);
                client.get(address).bearer_auth(&self.key).send()
            };
            let until = Instant::now() + Duration::from_secs(120);
            while !ask().await.is_ok_and(|answer| answer.status().is_success()) {
                assert!(Instant::now() < until, "the owner's key is not posted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn make_owner(&self) -> (String, Uuid) {
        let made = self
            .tool(&[
                "admin",
                "create-user",
                "--username",
                "teller",
                "--email",
                "teller@example.org",
                "--name",
                "Tess Teller",
                "--role",
                "admin",
                "--key",
            ])
            .await;
        let mut words = made.stdout.split_whitespace();
        let owner = words.clone().find_map(|word| Uuid::parse_str(word).ok());
        let key = words.find_map(|word| word.find("dbk_").map(|at| word[at..].to_owned()));
        key.zip(owner).unwrap_or_else(|| panic!("no key: {made:?}"))
    }

    /// Runs a tool of the command line, straight on PostgreSQL.
    pub(super) async fn tool(&self, arguments: &[&str]) -> Finished {
        let port = self.server.lock().await.port;
        let url = postgres::url(port, "daybook_service", "postgres");
        let mut command = Daybook::command(&self.folder, arguments);
        command.env("DATABASE_URL", url).envs(self.settings.iter().cloned());
        tokio::task::spawn_blocking(move || Daybook::run(&mut command)).await.expect("no panic")
    }

    /// A connection as the superuser, straight to PostgreSQL.
    pub(super) async fn superuser(&self) -> PgConnection {
        let port = self.server.lock().await.port;
        postgres::options(port, "postgres", "postgres").connect().await.expect("a connection")
    }

    /// The addresses that take commands.
    pub(super) async fn addresses(&self) -> Vec<String> {
        let parts = self.parts.lock().await;
        let takes = parts.iter().filter(|part| part.roles.contains("command"));
        takes.map(|part| part.address.clone()).collect()
    }

    /// How many processes there are.
    pub(super) async fn processes(&self) -> usize {
        self.parts.lock().await.len()
    }

    /// Projectors that nobody looks after join the group, and are killed: `for_a_while` later.
    pub(super) async fn storm(&self, number: u64, for_a_while: Duration) {
        let mut passing = Vec::new();
        for which in 0..PASSERS_BY {
            let address = format!("127.0.0.1:{}", free_port());
            let name = format!("passing-{number}-{which}");
            passing.push(self.start(&name, "projector", &address));
        }
        tokio::time::sleep(for_a_while).await;
    }

    /// Kills a process; it is started again by [`Self::supervise`].
    pub(super) async fn kill(&self, which: usize) {
        let mut parts = self.parts.lock().await;
        parts[which].running = None;
        parts[which].stopped = false;
    }

    /// Stops a process where it stands. False when it is not running, or is stopped already.
    pub(super) async fn stop(&self, which: usize) -> bool {
        let part = &mut self.parts.lock().await[which];
        if part.stopped {
            return false;
        }
        if let Some(running) = &mut part.running
            && running.is_running()
        {
            running.signal(Signal::SIGSTOP);
            part.stopped = true;
        }
        part.stopped
    }

    /// Lets a stopped process go on.
    pub(super) async fn go_on(&self, which: usize) {
        let part = &mut self.parts.lock().await[which];
        if let Some(running) = &mut part.running
            && running.is_running()
        {
            running.signal(Signal::SIGCONT);
        }
        part.stopped = false;
    }

    /// Starts what is not running, as whoever looks after services does.
    pub(super) async fn supervise(&self) {
        for part in self.parts.lock().await.iter_mut() {
            if part.running.as_mut().is_some_and(|running| running.is_running()) {
                continue;
            }
            part.starts += 1;
            part.stopped = false;
            let name = format!("{}-{}", part.name, part.starts);
            part.running = Some(self.start(&name, part.roles, &part.address));
        }
    }

    /// Starts a process behind the proxy; it ends with this process at the latest.
    fn start(&self, name: &str, roles: &str, address: &str) -> Daybook {
        let arguments = ["serve", "--roles", roles, "--listen", address];
        let mut command = Daybook::command(&self.folder, &arguments);
        let url = postgres::url(self.proxy.port, "daybook_service", "postgres");
        command.env("DATABASE_URL", url).envs(self.settings.iter().cloned());
        let started = Daybook::start(&mut command, &self.folder, name);
        let mut ids = std::fs::OpenOptions::new();
        let mut ids = ids.create(true).append(true).open(self.folder.join("processes"));
        writeln!(ids.as_mut().expect("a file"), "{}", started.pid()).expect("a line");
        started
    }

    /// Ends the server as a crash does, and starts it again.
    pub(super) async fn crash_postgres(&self) {
        let mut server = self.server.lock().await;
        let (cluster, pid, port) = (self.cluster.clone(), server.pid, server.port);
        let _ = kill(Pid::from_raw(pid), Signal::SIGQUIT);
        let started = tokio::task::block_in_place(|| {
            server.stop().expect("it ends");
            cluster.start(Some(port)).expect("it starts again")
        });
        *server = started;
        assert_eq!(server.port, port, "somebody took the server's port");
    }

    /// Lets everything run, and waits until every process that takes commands says that it is ready.
    /// Tells what was done to Kafka.
    pub(super) async fn heal(&self) -> Harmed {
        let harmed = match &self.bus {
            Some(bus) => bus.heal().await,
            None => Harmed::default(),
        };
        for which in 0..self.processes().await {
            self.go_on(which).await;
        }
        let client = crate::client();
        for _ in 0..1200 {
            self.supervise().await;
            let mut ready = true;
            for address in self.addresses().await {
                let asked = client
                    .get(format!("http://{address}/health/ready"))
                    .timeout(Duration::from_secs(2))
                    .send()
                    .await;
                ready &= asked.is_ok_and(|answer| answer.status().is_success());
            }
            if ready {
                return harmed;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not ready within a minute: see {}", self.folder.display());
    }

    /// Leaves what the processes printed where it is; gives the folder.
    pub(super) fn keep(&self) -> &Path {
        let _ = std::fs::write(self.folder.join("keep"), "");
        &self.folder
    }
}
