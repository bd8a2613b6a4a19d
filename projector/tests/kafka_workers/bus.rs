//! A topic of events, and who publishes to it: as the relay does, and as it should not be.

use std::sync::Arc;
use std::time::Duration;

use daybook_projector::worker::KafkaOptions;
use daybook_store::kafka::{Connection, Naming, Record, TopicSettings};
use daybook_store::{Filter, Log, Recorded};
use daybook_tests::Kafka;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const STEP: Duration = Duration::from_secs(20);

/// A test's own topic.
pub(crate) struct Bus {
    pub(crate) connection: Connection,
    log: Log,
}

/// Publishes until it is dropped.
pub(crate) struct Publishing {
    cancel: CancellationToken,
    published: watch::Receiver<i64>,
}

impl Drop for Publishing {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Publishing {
    /// Until everything up to there is in the topic.
    pub(crate) async fn reached(&self, position: i64) {
        let mut published = self.published.clone();
        let wait = published.wait_for(|at| *at >= position);
        tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap().unwrap();
    }
}

impl Bus {
    pub(crate) async fn new(kafka: &Kafka, log: &Log, test: &str) -> Self {
        let bus = Self {
            connection: connection(&kafka.bootstrap(), &Kafka::prefix(test)),
            log: log.clone(),
        };
        bus.make().await;
        bus
    }

    pub(crate) fn topic(&self) -> String {
        self.connection.naming.events()
    }

    pub(crate) fn options(&self, instance: Option<&str>) -> KafkaOptions {
        KafkaOptions { connection: self.connection.clone(), instance: instance.map(str::to_owned) }
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.connection.config().create().unwrap()
    }

    pub(crate) async fn make(&self) {
        let topic = self.topic();
        let new = NewTopic::new(&topic, 64, TopicReplication::Fixed(1));
        let wait = AdminOptions::new().operation_timeout(Some(STEP));
        for _ in 0..100 {
            match self.admin().create_topics([&new], &wait).await.unwrap().remove(0) {
                Ok(_) => return,
                // Deleting it takes the brokers a moment.
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
        panic!("{topic} cannot be made");
    }

    pub(crate) async fn delete(&self) {
        let wait = AdminOptions::new().operation_timeout(Some(STEP));
        self.admin().delete_topics(&[&self.topic()], &wait).await.unwrap().remove(0).unwrap();
    }

    /// Takes away what a short retention would have: everything that is there.
    pub(crate) async fn expire(&self) {
        let mut all = TopicPartitionList::new();
        for lane in 0..64 {
            all.add_partition_offset(&self.topic(), lane, Offset::End).unwrap();
        }
        let wait = AdminOptions::new().operation_timeout(Some(STEP));
        self.admin().delete_records(&all, &wait).await.unwrap();
    }

    /// Publishes the log from after a position on, in transactions, as the relay does.
    pub(crate) fn publish(&self, after: i64) -> Publishing {
        let cancel = CancellationToken::new();
        let (said, published) = watch::channel(after);
        let stop = cancel.clone();
        let (log, topic) = (self.log.clone(), self.topic());
        let producer = self.transactional();
        tokio::spawn(async move {
            let mut at = after;
            while !stop.is_cancelled() {
                let page = log.page(at, &Filter::default(), 500).await.unwrap();
                if page.events.is_empty() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    continue;
                }
                at = page.scanned_to;
                let (producer, topic) = (Arc::clone(&producer), topic.clone());
                let sent = tokio::task::spawn_blocking(move || {
                    producer.begin_transaction().unwrap();
                    for event in &page.events {
                        send(&producer, &topic, event);
                    }
                    producer.commit_transaction(STEP)
                });
                if sent.await.unwrap().is_err() {
                    return;
                }
                let _ = said.send(at);
            }
        });
        Publishing { cancel, published }
    }

    /// Publishes these, whether or not the log has them, as the relay would: in one transaction.
    pub(crate) async fn commit(&self, events: Vec<Recorded>) {
        let (producer, topic) = (self.transactional(), self.topic());
        let sent = tokio::task::spawn_blocking(move || {
            producer.begin_transaction().unwrap();
            for event in &events {
                send(&producer, &topic, event);
            }
            producer.commit_transaction(STEP).unwrap();
        });
        sent.await.unwrap();
    }

    /// A broker that has just started does not coordinate transactions at once.
    fn transactional(&self) -> Arc<BaseProducer> {
        let begun = || {
            let producer: BaseProducer = self
                .connection
                .config()
                .set("transactional.id", format!("test-relay-{}", self.topic()))
                .set("linger.ms", "2")
                .create()?;
            producer.init_transactions(STEP).map(|()| Arc::new(producer))
        };
        for _ in 0..30 {
            if let Ok(producer) = begun() {
                return producer;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        begun().unwrap()
    }

    /// Writes what nobody should: events again and in any order, and what is no event at all.
    pub(crate) async fn litter(&self, events: &[Recorded]) {
        let producer: BaseProducer = self.connection.config().create().unwrap();
        for (n, event) in events.iter().rev().enumerate() {
            send(&producer, &self.topic(), event);
            let topic = self.topic();
            let junk = BaseRecord::<str, str>::to(&topic)
                .partition(i32::try_from(n % 64).unwrap())
                .payload("{\"junk\":")
                .key("nobody");
            producer.send(junk).map_err(|(error, _)| error).unwrap();
            // An event far ahead of its lane.
            let ahead = Recorded {
                lane_seq: event.lane_seq + 1_000_000,
                position: event.position + 1_000_000,
                ..event.clone()
            };
            send(&producer, &self.topic(), &ahead);
        }
        producer.flush(STEP).unwrap();
    }
}

/// How tests reach a broker.
pub(crate) fn connection(brokers: &str, prefix: &str) -> Connection {
    Connection {
        brokers: brokers.to_owned(),
        client_id: "test".to_owned(),
        naming: Naming { prefix: prefix.to_owned(), generation: 1 },
        topics: TopicSettings { replication: 1, min_insync: 1, ..TopicSettings::default() },
        ..Connection::default()
    }
}

fn send(producer: &BaseProducer, topic: &str, event: &Recorded) {
    let record = Record::of(event, 1).unwrap();
    producer.send(record.to(topic)).map_err(|(error, _)| error).unwrap();
}
