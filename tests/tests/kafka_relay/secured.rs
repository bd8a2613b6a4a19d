//! Brokers that want TLS and a password: everything that speaks to them works so, and says what to do
//! where they do not let it in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use daybook_tests::{Daybook, Finished, Kafka, Secured, Service, TestDatabase, free_port};
use rdkafka::Message as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Ledger, read};

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_publishes_over_tls_with_a_password() {
    let Some(kafka) = Kafka::secured().await else { return };
    let ledger = Ledger::new("secured").await;
    let last = ledger.append(20).await;
    let relay = ledger.relay(&kafka, "relay");
    ledger.published(last, Duration::from_secs(30)).await;
    ledger.is_reconciled(&kafka);
    assert!(!relay.printed().contains(Secured::PASSWORD));
}

const ROWS: [&str; 3] = ["users", "accounts", "transactions"];
const ACCOUNTS: usize = 6;
const DEPOSITS: usize = 5;
/// A password that nobody has.
const WRONG: &str = "not-the-one";

/// Opens accounts and pays into them; gives the last position.
async fn work(service: &Service) -> Value {
    let owner = service.register("tess").await;
    let mut last = Value::Null;
    for n in 0..ACCOUNTS {
        let fields = json!({
            "user_id": owner, "account_name": "Daily", "account_type": "checking",
            "account_number": format!("T-{n}"), "currency": "EUR",
        });
        let opened = service.command("/v1/banking/accounts", fields).await.accepted();
        let account = opened["stream_id"].as_str().expect("an id").to_owned();
        for _ in 0..DEPOSITS {
            let path = format!("/v1/banking/accounts/{account}/deposit");
            last = service.command(&path, json!({ "amount": "10.00" })).await.accepted();
        }
    }
    last["position"].clone()
}

/// The ids of the rows that a topic of rows says there are.
fn ids(kafka: &Kafka, topic: &str) -> BTreeSet<String> {
    let mut latest = BTreeMap::new();
    for record in read(kafka, topic).into_values().flatten() {
        let key: Value = serde_json::from_slice(record.key().expect("a key")).expect("JSON");
        let id = key["payload"]["id"].as_str().expect("an id").to_owned();
        latest.insert(id, record.payload().is_some());
    }
    latest.into_iter().filter_map(|(id, is_there)| is_there.then_some(id)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_service_works_over_tls_with_a_password() {
    let Some(kafka) = Kafka::secured().await else { return };
    let prefix = Kafka::prefix("whole");
    let mut settings = kafka.settings(&prefix);
    settings.push(("DAYBOOK_KAFKA_ROW_TOPICS", ROWS.join(",")));
    let service = Service::start_with(settings).await;
    let last = work(&service).await;
    let accounts = service.read_after("/v1/banking/accounts", &last).await.accepted();
    assert_eq!(accounts["data"].as_array().map(Vec::len), Some(ACCOUNTS), "{accounts}");

    // It was the group that gave out the lanes, and Kafka that brought events.
    assert_eq!(service.tool(&["admin", "ownership"]).stdout.trim(), "kafka");
    let metrics = service.ask_openly(Method::GET, "/metrics", None).await.body;
    let brought = metrics.as_str().expect("text").lines().find_map(|line| {
        line.strip_prefix("daybook_kafka_records_total ")?.trim().parse::<f64>().ok()
    });
    assert!(brought.is_some_and(|records| records >= 1.0), "Kafka brought nothing: {metrics}");

    let mut database = service.database.superuser().await;
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let (topics, at): (i64, Option<i64>) =
            sqlx::query_as("SELECT count(*), min(position) FROM projector.row_topics")
                .fetch_one(&mut database)
                .await
                .expect("an answer");
        if topics == 3 && at >= last.as_i64() {
            break;
        }
        assert!(Instant::now() < deadline, "{topics} topics of rows are at {at:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for table in ROWS {
        let question = format!("SELECT id::text FROM public.{table}");
        let ours: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(question))
            .fetch_all(&mut database)
            .await
            .expect("the rows");
        let published = ids(&kafka, &format!("{prefix}daybook.rows.{table}"));
        assert_eq!(published, ours.into_iter().collect(), "{table}");
    }
    service.same_when_rebuilt();
    let reconciled = service.tool(&["reconcile"]);
    assert_eq!(reconciled.code, Some(0), "{reconciled:?}");
    assert!(!service.printed().contains(Secured::PASSWORD));
}

/// A process and tools whose settings are wrong in one place.
struct Shut {
    database: TestDatabase,
    folder: tempfile::TempDir,
    settings: Vec<(&'static str, String)>,
}

impl Shut {
    async fn new(kafka: &Kafka, name: &'static str, wrong: String) -> Self {
        let mut settings = kafka.settings(&Kafka::prefix("shut"));
        settings.retain(|(setting, _)| *setting != name);
        settings.push((name, wrong));
        settings.push(("DAYBOOK_KAFKA_ROW_TOPICS", ROWS.join(",")));
        let folder = tempfile::tempdir().expect("a folder");
        Self { database: TestDatabase::fresh().await, folder, settings }
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let url = self.database.service_url();
        let mut all = vec!["--database-url", &url];
        all.extend_from_slice(arguments);
        let mut command = Daybook::command(self.folder.path(), &all);
        command.envs(self.settings.iter().cloned());
        command
    }

    fn tool(&self, arguments: &[&str]) -> Finished {
        Daybook::run(&mut self.command(arguments))
    }

    /// Asserts that all say what to do: `mend` names the setting, `what` what the brokers say.
    async fn says(&self, what: &str, mend: &str) {
        let doctor = self.tool(&["doctor", "--output", "json"]);
        let findings: Vec<Value> = serde_json::from_str(&doctor.stdout).expect("JSON findings");
        let brokers = findings.iter().find(|finding| finding["check"] == "kafka brokers");
        let brokers = brokers.expect("a finding");
        assert_eq!(brokers["state"], "fail", "{brokers}");
        let says = |place: &str, text: &str| brokers[place].to_string().contains(text);
        assert!(says("detail", what) && says("mend", mend), "{brokers}");

        let reconcile = self.tool(&["reconcile"]);
        assert_eq!(reconcile.code, Some(1), "{reconcile:?}");
        assert!(
            reconcile.stderr.contains(what) && reconcile.stderr.contains(mend),
            "{reconcile:?}"
        );

        let listen = format!("127.0.0.1:{}", free_port());
        let roles = ["serve", "--roles", "relay,projector", "--listen", &listen];
        let shut = Daybook::start(&mut self.command(&roles), self.folder.path(), "shut");
        let deadline = Instant::now() + Duration::from_secs(60);
        // Relay, publisher of rows, and the consumer of events.
        for part in
            ["not publishing", "rows could not be published", "does not let this process in"]
        {
            while !shut
                .printed()
                .lines()
                .any(|line| line.contains(part) && line.contains(what) && line.contains(mend))
            {
                assert!(Instant::now() < deadline, "nothing of {part:?} in {}", shut.printed());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        assert!(!shut.printed().contains(WRONG), "{}", shut.printed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_named_with_what_to_do() {
    let Some(kafka) = Kafka::secured().await else { return };
    let shut = Shut::new(&kafka, "DAYBOOK_KAFKA_PASSWORD", WRONG.to_owned()).await;
    shut.says("refuse this user and password", "DAYBOOK_KAFKA_PASSWORD").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_not_the_brokers_is_named_with_what_to_do() {
    let Some(kafka) = Kafka::secured().await else { return };
    let other = kafka.security().expect("secured").untrusted.display().to_string();
    let shut = Shut::new(&kafka, "DAYBOOK_KAFKA_CA_FILE", other).await;
    shut.says("TLS with the brokers fails", "DAYBOOK_KAFKA_CA_FILE").await;
}
