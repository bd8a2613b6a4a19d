//! Apache Kafka 4 (KRaft), from its published jars: one broker, three of them with a controller of
//! their own, or one that is reached through TLS and passwords, as in real deployments.
//!
//! `scripts/kafka` fetches the jars once. Where Java or Maven are missing, what needs a broker is
//! skipped, loudly; with `DAYBOOK_REQUIRE_KAFKA=1`, and in CI, that is a failure.

mod broker;
mod installation;
mod secured;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tempfile::TempDir;
use tokio::sync::OnceCell;

pub(crate) use self::broker::LOGGING;
use self::broker::{Broker, Ports, Role, Sweeper};
use self::installation::Installation;
pub use self::secured::Secured;

/// Brokers that live as long as this value, and never longer than the test process.
#[derive(Debug)]
pub struct Kafka {
    brokers: Vec<Broker>,
    /// The controller, where it is no broker.
    controller: Option<Broker>,
    secured: Option<Secured>,
    installation: Installation,
    _sweeper: Sweeper,
    _home: TempDir,
}

impl Kafka {
    /// The test process's broker; the first caller starts it. Topics are kept apart by
    /// [`Kafka::prefix`]. `None` where there can be none.
    ///
    /// # Panics
    /// When it does not start, or when there can be none and it is required.
    pub async fn shared() -> Option<&'static Self> {
        static SHARED: OnceCell<Option<Kafka>> = OnceCell::const_new();
        SHARED.get_or_init(Self::alone).await.as_ref()
    }

    /// One broker of one's own, to be killed. `None` where there can be none.
    ///
    /// # Panics
    /// When it does not start, or when there can be none and it is required.
    pub async fn alone() -> Option<Self> {
        Self::start(&[Role::Both], false, false).await
    }

    /// The same, with all that makes a broker fast once it has run for a while, as in production.
    /// `None` where there can be none.
    ///
    /// # Panics
    /// When it does not start, or when there can be none and it is required.
    pub async fn lasting() -> Option<Self> {
        Self::start(&[Role::Both], false, true).await
    }

    /// Three brokers and a controller, replication factor 3, two in-sync replicas wanted: with two
    /// brokers killed the cluster works on, and takes nothing. `None` where there can be none.
    ///
    /// # Panics
    /// When they do not start, or when there can be none and they are required.
    pub async fn cluster() -> Option<Self> {
        Self::start(&[Role::Broker, Role::Broker, Role::Broker, Role::Controller], false, false)
            .await
    }

    /// One broker that is reached through TLS with a password (SCRAM), or with a client's
    /// certificate, and not otherwise. `None` where there can be none.
    ///
    /// # Panics
    /// When it does not start, or when there can be none and it is required.
    pub async fn secured() -> Option<Self> {
        Self::start(&[Role::Both], true, false).await
    }

    async fn start(nodes: &'static [Role], secured: bool, lasting: bool) -> Option<Self> {
        tokio::task::spawn_blocking(move || {
            let installation = Installation { lasting, ..installation::found()? };
            // A port that was free a moment ago may be taken by now.
            let mut said = String::new();
            for _ in 0..3 {
                match Self::start_once(&installation, nodes, secured) {
                    Ok(kafka) => return Some(kafka),
                    Err(reason) => said = reason,
                }
            }
            panic!("Kafka does not start: {said}");
        })
        .await
        .expect("no panic")
    }

    fn start_once(
        installation: &Installation,
        nodes: &[Role],
        secured: bool,
    ) -> Result<Self, String> {
        let home = installation.folder();
        let sweeper = Sweeper::over(home.path());
        let secured = secured.then(|| Secured::make(home.path()));
        let nodes: Vec<_> = nodes.iter().map(|role| (Ports::free(), *role)).collect();
        let mut made = Vec::new();
        for index in 0..nodes.len() {
            made.push(Broker::new(installation, home.path(), index, &nodes, secured.as_ref()));
        }
        // Each takes a Java machine that starts: side by side.
        std::thread::scope(|scope| {
            let formatting: Vec<_> =
                made.iter().map(|broker| scope.spawn(|| broker.format(installation))).collect();
            formatting.into_iter().try_for_each(|done| done.join().expect("no panic"))
        })?;
        for broker in &mut made {
            broker.start(installation);
        }
        let controller = made.pop_if(|last| !last.is_broker());
        let installation = installation.clone();
        let mut kafka = Self {
            brokers: made,
            controller,
            secured,
            installation,
            _sweeper: sweeper,
            _home: home,
        };
        for index in 0..kafka.brokers.len() {
            kafka.wait_until_ready(index, Duration::from_secs(90))?;
        }
        Ok(kafka)
    }

    /// Where clients begin: all brokers' addresses, dead ones too.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        let each: Vec<_> = self.brokers.iter().map(|broker| broker.ports.client()).collect();
        each.join(",")
    }

    /// What a client needs to know of this broker, where that is more than its address.
    #[must_use]
    pub fn security(&self) -> Option<&Secured> {
        self.secured.as_ref()
    }

    /// Where a client begins that shows a certificate of its own; only of [`Kafka::secured`].
    #[must_use]
    pub fn bootstrap_with_certificate(&self) -> String {
        self.brokers[0].ports.mutual()
    }

    /// The beginning of any client's configuration.
    #[must_use]
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.bootstrap());
        if let Some(secured) = &self.secured {
            secured.configure(&mut config);
        }
        config
    }

    /// What `daybook` needs in its environment to publish to and read from these brokers, to topics
    /// with this prefix.
    #[must_use]
    pub fn settings(&self, prefix: &str) -> Vec<(&'static str, String)> {
        let replicas = self.brokers.len().min(3);
        let mut settings = vec![
            ("DAYBOOK_KAFKA_BROKERS", self.bootstrap()),
            ("DAYBOOK_KAFKA_TOPIC_PREFIX", prefix.to_owned()),
            ("DAYBOOK_KAFKA_REPLICATION", replicas.to_string()),
            ("DAYBOOK_KAFKA_MIN_INSYNC", replicas.div_ceil(2).to_string()),
        ];
        if let Some(secured) = &self.secured {
            settings.extend([
                ("DAYBOOK_KAFKA_CA_FILE", secured.authority.display().to_string()),
                ("DAYBOOK_KAFKA_SASL", Secured::MECHANISM.to_owned()),
                ("DAYBOOK_KAFKA_USER", Secured::USER.to_owned()),
                ("DAYBOOK_KAFKA_PASSWORD", Secured::PASSWORD.to_owned()),
            ]);
        }
        settings
    }

    /// A topic prefix that no other test of this process has.
    #[must_use]
    pub fn prefix(test: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        format!("{test}-{}.", COUNT.fetch_add(1, Ordering::SeqCst))
    }

    /// How many brokers there are.
    #[must_use]
    pub fn brokers(&self) -> usize {
        self.brokers.len()
    }

    /// kill -9 of one broker, counted from 0.
    pub fn kill(&mut self, broker: usize) {
        self.brokers[broker].kill();
    }

    /// Stops one broker as an operator would.
    pub fn stop(&mut self, broker: usize) {
        self.brokers[broker].stop();
    }

    /// Starts a broker that was killed or stopped, on its old port with what it had, and waits until
    /// it answers.
    ///
    /// # Panics
    /// When it does not within a minute and a half.
    pub async fn restart(&mut self, broker: usize) {
        tokio::task::block_in_place(|| {
            self.brokers[broker].start(&self.installation);
            let ready = self.wait_until_ready(broker, Duration::from_secs(90));
            ready.unwrap_or_else(|said| panic!("broker {broker} did not come back: {said}"));
        });
    }

    /// kill -9 of the controller of [`Kafka::cluster`]: brokers go on, and nobody says who leads.
    pub fn kill_controller(&mut self) {
        if let Some(controller) = &mut self.controller {
            controller.kill();
        }
    }

    /// Starts the controller again, and waits until it answers.
    ///
    /// # Panics
    /// When it does not within a minute and a half.
    pub async fn restart_controller(&mut self) {
        let Some(controller) = &mut self.controller else { return };
        controller.start(&self.installation);
        let until = Instant::now() + Duration::from_secs(90);
        while tokio::net::TcpStream::connect(controller.ports.controller()).await.is_err() {
            assert!(Instant::now() < until, "no controller: {}", controller.printed());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends a signal to one broker, such as SIGSTOP and SIGCONT.
    ///
    /// # Panics
    /// When it does not run.
    pub fn signal(&self, broker: usize, signal: Signal) {
        self.brokers[broker].signal(signal);
    }

    /// The folder with Kafka's jars, Kafka Connect's among them.
    #[must_use]
    pub fn libraries(&self) -> PathBuf {
        self.installation.libraries()
    }

    /// `java` with Kafka's jars, as the user that brokers run as: for Kafka Connect and Kafka's tools.
    #[must_use]
    pub fn java(&self, heap_mib: u32) -> Command {
        self.installation.java(heap_mib)
    }

    /// A folder that such a Java program may write in; taken away when dropped.
    #[must_use]
    pub fn folder(&self) -> TempDir {
        self.installation.folder()
    }

    /// Gives a file or folder to the user that brokers and tools run as.
    pub fn give(&self, path: &Path) {
        self.installation.give(path);
    }

    /// Runs one of Kafka's own tools to its end, by its class.
    ///
    /// # Panics
    /// When Java cannot be started.
    #[must_use]
    pub fn tool(&self, class: &str, arguments: &[&str]) -> Output {
        self.java(256).arg(class).args(arguments).output().expect("java starts")
    }

    /// Until the broker itself answers and knows of all that run.
    fn wait_until_ready(&mut self, index: usize, within: Duration) -> Result<(), String> {
        let deadline = Instant::now() + within;
        let alive = self.brokers.iter().filter(|broker| broker.runs()).count();
        let mut config = self.client();
        config.set("bootstrap.servers", self.brokers[index].ports.client());
        config.set("log_level", "0");
        let consumer: BaseConsumer = config.create().map_err(|error| error.to_string())?;
        loop {
            let answer = consumer.fetch_metadata(None, Duration::from_millis(500));
            match answer {
                Ok(metadata) if metadata.brokers().len() >= alive => return Ok(()),
                Ok(_) | Err(_) => {}
            }
            if !self.brokers[index].runs() {
                return Err(format!("it ended: {}", self.brokers[index].printed()));
            }
            if Instant::now() > deadline {
                return Err(format!("no answer: {}", self.brokers[index].printed()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
