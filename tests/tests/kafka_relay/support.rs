//! A log of a test's own, relays for it, and the topic as anybody sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use daybook_app::database::Pools;
use daybook_store::kafka::{Arrived, Connection, Naming, TopicSettings};
use daybook_store::{
    AppendRequest, Appender, AppenderOptions, CommandKey, Life, Log, Metadata, NewEvent, Recorded,
    StreamWrite,
};
use daybook_tests::{Daybook, Finished, Kafka, TestDatabase, free_port};
use futures::future::join_all;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{Message as _, OwnedMessage};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::Value;
use sqlx::PgPool;
use tempfile::TempDir;
use uuid::Uuid;

const ACTOR: Uuid = Uuid::from_u128(0xA0);
/// Events of each request of [`Ledger::append`].
pub(crate) const EVENTS: usize = 3;
/// How long a topic may take to be led, to have its transactions ended, and to be read.
const READ_WITHIN: Duration = Duration::from_secs(120);

/// A log that grows as the test wants, without a projector: what events say does not matter here.
pub(crate) struct Ledger {
    pub(crate) database: TestDatabase,
    pub(crate) log: Log,
    pub(crate) prefix: String,
    appender: Appender,
    pub(crate) folder: TempDir,
}

impl Ledger {
    /// A new log, but for the actor.
    pub(crate) async fn new(test: &str) -> Self {
        let database = TestDatabase::fresh().await;
        let Pools { writer, projector, .. } = database.pools().await;
        let options = AppenderOptions::new(Arc::new(Utc::now));
        let ledger = Self {
            database,
            log: Log::new(projector),
            prefix: Kafka::prefix(test),
            appender: Appender::start(writer, options).0,
            folder: tempfile::tempdir().expect("a folder"),
        };
        let opening = NewEvent { life: Life::Opens, ..event("identity.user.registered", 0) };
        ledger.send(request(ACTOR, 0, vec![opening])).await;
        ledger
    }

    async fn send(&self, request: AppendRequest) -> i64 {
        self.appender.append(request).await.expect("appended").position
    }

    /// Appends so many requests, each to a stream of its own; gives the last position.
    pub(crate) async fn append(&self, requests: usize) -> i64 {
        let sent = (0..requests).map(|n| {
            let events = (0..EVENTS).map(|_| event("test.thing.happened", n)).collect();
            self.send(request(Uuid::now_v7(), 0, events))
        });
        join_all(sent).await.into_iter().max().unwrap_or(0)
    }

    pub(crate) fn topic(&self) -> String {
        format!("{}daybook.events", self.prefix)
    }

    /// How the library connects.
    pub(crate) fn connection(&self, kafka: &Kafka) -> Connection {
        let replication = i32::try_from(kafka.brokers().min(3)).expect("few");
        Connection {
            brokers: kafka.bootstrap(),
            client_id: "tests".to_owned(),
            naming: Naming { prefix: self.prefix.clone(), ..Naming::default() },
            topics: TopicSettings {
                replication,
                min_insync: (replication + 1) / 2,
                ..TopicSettings::default()
            },
            ..Connection::default()
        }
    }

    /// A process with the role relay, and more settings.
    pub(crate) fn relay_with(
        &self,
        kafka: &Kafka,
        name: &str,
        settings: &[(&str, &str)],
    ) -> Daybook {
        start_relay(&self.database, self.folder.path(), kafka, &self.prefix, name, settings)
    }

    /// A process with the role relay.
    pub(crate) fn relay(&self, kafka: &Kafka, name: &str) -> Daybook {
        self.relay_with(kafka, name, &[])
    }

    /// Waits until the relay says that the topic has everything up to `position`.
    pub(crate) async fn published(&self, position: i64, within: Duration) {
        published(self.log.pool(), &self.topic(), position, within).await;
    }

    /// How far a relay said that the topic is.
    pub(crate) async fn reached(&self) -> i64 {
        reached(self.log.pool(), &self.topic()).await
    }

    /// A tool of the command line, on this log and these brokers.
    pub(crate) fn tool(&self, kafka: &Kafka, arguments: &[&str]) -> Finished {
        Daybook::run(&mut self.command(kafka, arguments))
    }

    /// The same, not waited for.
    pub(crate) fn start(&self, kafka: &Kafka, name: &str, arguments: &[&str]) -> Daybook {
        Daybook::start(&mut self.command(kafka, arguments), self.folder.path(), name)
    }

    fn command(&self, kafka: &Kafka, arguments: &[&str]) -> Command {
        let url = self.database.service_url();
        let mut all = vec!["--database-url", &url];
        all.extend_from_slice(arguments);
        let mut command = Daybook::command(self.folder.path(), &all);
        command.envs(kafka.settings(&self.prefix));
        command
    }

    /// `daybook reconcile`, and what it found.
    pub(crate) fn reconcile(&self, kafka: &Kafka, arguments: &[&str]) -> (Finished, Value) {
        let mut all = vec!["reconcile"];
        all.extend_from_slice(arguments);
        if !arguments.contains(&"--output") {
            all.extend_from_slice(&["--output", "json"]);
        }
        let finished = self.tool(kafka, &all);
        let report = serde_json::from_str(&finished.stdout).unwrap_or(Value::Null);
        (finished, report)
    }

    /// Asserts that the topic has what the log has, no more and no less.
    pub(crate) fn is_reconciled(&self, kafka: &Kafka) {
        let (finished, _) = self.reconcile(kafka, &[]);
        assert_eq!(finished.code, Some(0), "topic and log differ: {finished:?}");
    }

    /// Every event of the log.
    pub(crate) async fn events(&self) -> Vec<Recorded> {
        let head = self.log.head().await.expect("the head");
        let mut events = Vec::new();
        while events.last().map_or(0, |event: &Recorded| event.position) < head.position {
            let after = events.last().map_or(0, |event: &Recorded| event.position);
            let page = self.log.page(after, &daybook_store::Filter::default(), 10_000).await;
            events.extend(page.expect("a page").events);
        }
        events
    }
}

/// A process with the role relay for a log, to topics with a prefix.
pub(crate) fn start_relay(
    database: &TestDatabase,
    folder: &Path,
    kafka: &Kafka,
    prefix: &str,
    name: &str,
    settings: &[(&str, &str)],
) -> Daybook {
    let listen = format!("127.0.0.1:{}", free_port());
    let url = database.service_url();
    let arguments = ["serve", "--roles", "relay", "--listen", &listen, "--database-url", &url];
    let mut command = Daybook::command(folder, &arguments);
    command.envs(kafka.settings(prefix)).envs(settings.iter().copied());
    Daybook::start(&mut command, folder, name)
}

/// Waits until the relay says that the topic has everything up to `position`.
pub(crate) async fn published(pool: &PgPool, topic: &str, position: i64, within: Duration) {
    let deadline = Instant::now() + within;
    loop {
        let reached = reached(pool, topic).await;
        if reached >= position {
            return;
        }
        assert!(Instant::now() < deadline, "at {reached} of {position} after {within:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn reached(pool: &PgPool, topic: &str) -> i64 {
    let reached: Option<i64> =
        sqlx::query_scalar("SELECT position FROM journal.relays WHERE topic = $1")
            .bind(topic)
            .fetch_optional(pool)
            .await
            .expect("an answer");
    reached.unwrap_or(0)
}

fn event(event_type: &'static str, number: usize) -> NewEvent {
    NewEvent {
        event_type,
        schema_version: 1,
        data: format!(r#"{{"number": {number}, "amount": "12.30", "text": "Žluťoučký kůň"}}"#),
        occurred_at: None,
        life: Life::Goes,
        claims: Vec::new(),
        releases: Vec::new(),
        references: Vec::new(),
        holds: Vec::new(),
        unholds: Vec::new(),
    }
}

fn request(stream_id: Uuid, expected_version: i64, events: Vec<NewEvent>) -> AppendRequest {
    let id = Uuid::now_v7();
    AppendRequest {
        command: CommandKey { scope: ACTOR, id, fingerprint: [7; 32] },
        metadata: Metadata {
            actor_id: ACTOR,
            correlation_id: id,
            user_agent: Some("tests".to_owned()),
            ..Metadata::default()
        },
        writes: vec![StreamWrite { stream_id, kind: "test.thing", expected_version, events }],
        guards: Vec::new(),
        chains: Vec::new(),
    }
}

/// Makes a topic of one partition.
pub(crate) async fn make(kafka: &Kafka, topic: &str, copies: i32) {
    let admin: AdminClient<DefaultClientContext> = kafka.client().create().expect("a client");
    let new = NewTopic::new(topic, 1, TopicReplication::Fixed(copies));
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)));
    let made = admin.create_topics([&new], &options).await.expect("an answer");
    made.into_iter().next().expect("one").expect("made");
}

/// How many partitions a topic has, once all of them have a leader: brokers that have just come back
/// answer before they know who that is.
fn partitions(consumer: &BaseConsumer, topic: &str, deadline: Instant) -> usize {
    loop {
        let answer = consumer.fetch_metadata(Some(topic), Duration::from_secs(10));
        let leaders: Vec<i32> = match &answer {
            Ok(metadata) => {
                let topics = metadata.topics().iter();
                topics.flat_map(|topic| topic.partitions()).map(|one| one.leader()).collect()
            }
            Err(_) => Vec::new(),
        };
        if !leaders.is_empty() && leaders.iter().all(|leader| *leader >= 0) {
            return leaders.len();
        }
        let why = answer.err();
        assert!(Instant::now() < deadline, "{topic} is led by {leaders:?}: {why:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The offset after the last record of each partition, as consumers of that isolation see it.
fn ends(
    kafka: &Kafka,
    topic: &str,
    partitions: &TopicPartitionList,
    isolation: &str,
) -> Result<Vec<Offset>, KafkaError> {
    let mut config = kafka.client();
    config.set("group.id", "tests").set("isolation.level", isolation);
    let consumer: BaseConsumer = config.create()?;
    let mut asked = partitions.clone();
    asked.set_all_offsets(Offset::End)?;
    let answered = consumer.offsets_for_times(asked, Duration::from_secs(10))?;
    let elements = answered.elements_for_topic(topic);
    elements.iter().map(|element| element.error().map(|()| element.offset())).collect()
}

/// Every record of a topic that somebody sees who reads what is committed, by partition. The marks of
/// a transaction are written after its commit was answered: they are waited for, as brokers are that
/// have just come back.
pub(crate) fn read(kafka: &Kafka, topic: &str) -> BTreeMap<i32, Vec<OwnedMessage>> {
    let mut config = kafka.client();
    config.set("group.id", "tests").set("enable.auto.commit", "false");
    config.set("enable.partition.eof", "true").set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let deadline = Instant::now() + READ_WITHIN;
    let partitions = partitions(&consumer, topic, deadline);
    let last = i32::try_from(partitions).expect("few") - 1;
    let mut all = TopicPartitionList::new();
    all.add_partition_range(topic, 0, last);
    all.set_all_offsets(Offset::Beginning).expect("an offset");
    loop {
        let committed = ends(kafka, topic, &all, "read_committed");
        let written = ends(kafka, topic, &all, "read_uncommitted");
        if committed.is_ok() && committed == written {
            break;
        }
        let open = "has a transaction that is not ended";
        assert!(Instant::now() < deadline, "{topic} {open}: {committed:?} of {written:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    consumer.assign(&all).expect("assigned");
    let mut records: BTreeMap<i32, Vec<OwnedMessage>> = BTreeMap::new();
    // A partition says that it ends each time that it does.
    let mut ended = BTreeSet::new();
    let mut said = None;
    while ended.len() < partitions {
        assert!(Instant::now() < deadline, "{topic} is not read in {READ_WITHIN:?}: {said:?}");
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(record)) => {
                records.entry(record.partition()).or_default().push(record.detach());
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                ended.insert(partition);
            }
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => panic!("{topic}: {error}"),
            // A broker that is away for a moment: the client asks again by itself.
            Some(Err(error)) => said = Some(error),
            None => {}
        }
    }
    records
}

/// The events that a topic has, by lane.
pub(crate) fn arrived(kafka: &Kafka, topic: &str) -> BTreeMap<i32, Vec<Arrived>> {
    let of = |record: &OwnedMessage| Arrived::of(record).expect("an event");
    read(kafka, topic)
        .into_iter()
        .map(|(lane, records)| (lane, records.iter().map(of).collect()))
        .collect()
}

/// Somebody else's producer, which writes what it likes.
pub(crate) struct Stranger {
    producer: BaseProducer,
}

impl Stranger {
    pub(crate) fn of(kafka: &Kafka) -> Self {
        Self { producer: kafka.client().create().expect("a producer") }
    }

    pub(crate) fn send(&self, record: BaseRecord<'_, str, str>) {
        self.producer.send(record).map_err(|(error, _)| error).expect("taken");
        self.producer.flush(Duration::from_secs(20)).expect("arrived");
    }
}
