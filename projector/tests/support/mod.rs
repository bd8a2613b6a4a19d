//! A migrated database, a log to append to, and workers as in production.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use daybook_domain::context::SYSTEM_USER;
use daybook_projector::as_of::digest_statement;
use daybook_projector::catalog::TABLES;
use daybook_projector::rebuild::{self, Memory, Options};
use daybook_projector::{Posted, Worker, WorkerError, WorkerOptions};
use daybook_store::{
    AppendRequest, Appended, Appender, AppenderOptions, ClaimKey, CommandKey, Life, Log, Metadata,
    NewEvent, StreamWrite, lane_of,
};
use daybook_tests::TestDatabase;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// One test's database and log.
pub struct World {
    pub database: TestDatabase,
    pub writer: PgPool,
    pub projector: PgPool,
    /// Looks at the tables as the projector does, who sees every row.
    pub reader: PgPool,
    pub appender: Appender,
    pub log: Log,
    pub posted: Posted,
}

/// A worker under way in this process.
pub struct Running {
    pub id: Uuid,
    pub cancel: CancellationToken,
    pub task: JoinHandle<Result<(), WorkerError>>,
}

impl Running {
    pub async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap().unwrap();
    }
}

impl World {
    pub async fn new() -> Self {
        let database = TestDatabase::fresh().await;
        let pools = database.pools().await;
        let options = AppenderOptions::new(Arc::new(Utc::now));
        let (appender, _) = Appender::start(pools.writer.clone(), options);
        let log = Log::new(pools.projector.clone());
        let posted = Posted::new(pools.projector.clone());
        let world = Self {
            database,
            writer: pools.writer,
            reader: pools.projector.clone(),
            projector: pools.projector,
            appender,
            log,
            posted,
        };
        world.write(SYSTEM_USER, "identity.user", 0, vec![registered("system")]).await;
        world
    }

    /// Starts a worker with leases short enough for a test.
    pub fn worker(&self) -> Running {
        self.worker_with(WorkerOptions::new(Uuid::now_v7()))
    }

    pub fn worker_with(&self, options: WorkerOptions) -> Running {
        let id = options.id;
        let head = self.log.follow(Duration::from_millis(5));
        let worker = Worker::new(self.projector.clone(), self.log.clone(), head.head(), options);
        let cancel = CancellationToken::new();
        let token = cancel.clone();
        let task = tokio::spawn(async move {
            let result = worker.run(token).await;
            drop(head);
            result
        });
        Running { id, cancel, task }
    }

    pub async fn write(
        &self,
        stream: Uuid,
        kind: &'static str,
        version: i64,
        events: Vec<NewEvent>,
    ) -> Appended {
        self.append(vec![StreamWrite {
            stream_id: stream,
            kind,
            expected_version: version,
            events,
        }])
        .await
    }

    pub async fn append(&self, writes: Vec<StreamWrite>) -> Appended {
        let request = AppendRequest {
            command: CommandKey { scope: SYSTEM_USER, id: Uuid::now_v7(), fingerprint: [7; 32] },
            metadata: Metadata {
                actor_id: SYSTEM_USER,
                correlation_id: Uuid::now_v7(),
                ip_address: Some("192.0.2.7".parse().unwrap()),
                user_agent: Some("tests".to_owned()),
                ..Metadata::default()
            },
            writes,
            guards: Vec::new(),
            chains: Vec::new(),
        };
        self.appender.append(request).await.unwrap()
    }

    /// Registers a user whose stream is in a lane of the test's choosing.
    pub async fn user(&self, name: &str, lane: Option<i16>) -> Uuid {
        let id = id_in(lane);
        self.write(id, "identity.user", 0, vec![registered(name)]).await;
        id
    }

    /// Opens an account.
    pub async fn account(&self, owner: Uuid, number: &str, lane: Option<i16>) -> Uuid {
        let id = id_in(lane);
        self.write(id, "banking.account", 0, vec![opened(owner, number)]).await;
        id
    }

    /// Deposits 1.00 until the account's stream has this many events more; gives the last position.
    pub async fn deposits(&self, account: Uuid, from_version: i64, count: i64) -> i64 {
        let mut position = 0;
        for n in 0..count {
            let balance = (from_version + n) * 100;
            position = self
                .write(account, "banking.account", from_version + n, vec![deposited(100, balance)])
                .await
                .position;
        }
        position
    }

    /// Connections that work as the tables' owner.
    pub async fn migrators(&self) -> PgPool {
        self.database.migrators().await
    }

    /// The live tables are what a rebuild makes.
    pub async fn is_what_the_log_says(&self) {
        let memory = Memory::default();
        let report = rebuild::check(&self.projector, &self.log, memory, 10, &|_| {}).await.unwrap();
        assert!(report.is_same(), "{report:#?}");
    }

    pub async fn caught_up(&self) {
        let head = self.log.head().await.unwrap().position;
        self.wait_posted(head).await;
    }

    pub async fn wait_posted(&self, position: i64) {
        if let Err(error) = self.posted.wait_for(position, Duration::from_secs(20)).await {
            let parked = daybook_projector::parked::parked(&self.projector).await.unwrap();
            let waiting = daybook_projector::parked::waiting(&self.projector).await.unwrap();
            panic!("{error}; parked {parked:#?}, waiting {waiting:#?}");
        }
    }

    pub async fn count(&self, table: &str) -> i64 {
        sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
            .fetch_one(&self.projector)
            .await
            .unwrap()
    }

    /// How many lanes each worker owns.
    pub async fn shares(&self) -> Vec<(Uuid, i64)> {
        sqlx::query_as(
            "SELECT owner, count(*) FROM projector.lanes WHERE owner IS NOT NULL GROUP BY owner ORDER BY owner",
        )
        .fetch_all(&self.projector)
        .await
        .unwrap()
    }
}

/// A fresh id, of a stream in `lane` if that matters.
/// A rebuild that holds little in memory, so that it writes and reads again.
pub fn small_rebuild() -> Options {
    let memory = Memory { kept: 20, gathered: 100 };
    Options { memory, patience: Duration::from_secs(90), ..Options::new(Uuid::now_v7(), "this") }
}

pub fn id_in(lane: Option<i16>) -> Uuid {
    loop {
        let id = Uuid::now_v7();
        if lane.is_none_or(|lane| lane_of(id) == lane) {
            return id;
        }
    }
}

pub fn event(event_type: &'static str, data: &Value) -> NewEvent {
    NewEvent {
        event_type,
        schema_version: 1,
        data: data.to_string(),
        occurred_at: None,
        life: Life::Goes,
        claims: Vec::new(),
        releases: Vec::new(),
        references: Vec::new(),
        holds: Vec::new(),
        unholds: Vec::new(),
    }
}

pub fn email_claim(name: &str) -> ClaimKey {
    ClaimKey { scope: "user.email", key: format!("{name}@example.com") }
}

pub fn registered(name: &str) -> NewEvent {
    let data = json!({
        "username": name, "email": format!("{name}@example.com"), "full_name": name,
        "first_name": name, "last_name": "", "password_hash": "!", "role": "user",
    });
    NewEvent {
        life: Life::Opens,
        claims: vec![email_claim(name)],
        ..event("identity.user.registered", &data)
    }
}

pub fn opened(owner: Uuid, number: &str) -> NewEvent {
    let data = json!({
        "user_id": owner, "account_name": "Daily", "account_type": "checking",
        "account_number": number, "currency": "CZK", "overdraft_limit": "0.00",
    });
    NewEvent {
        life: Life::Opens,
        references: vec![owner],
        ..event("banking.account.opened", &data)
    }
}

pub fn money(hundredths: i64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

pub fn entry(
    event_type: &'static str,
    sort: &str,
    status: &str,
    (id, amount, balance): (Uuid, i64, i64),
) -> NewEvent {
    let direction = if sort == "deposit" { "credit" } else { "debit" };
    let data = json!({
        "transaction_id": id, "transaction_type": sort, "direction": direction,
        "amount": money(amount), "currency": "CZK", "status": status,
        "balance_after": money(balance), "description": "with \"quotes\" and \\",
    });
    event(event_type, &data)
}

pub fn deposited(amount: i64, balance: i64) -> NewEvent {
    entry("banking.account.deposited", "deposit", "completed", (Uuid::now_v7(), amount, balance))
}

pub fn at(event: NewEvent, occurred_at: DateTime<Utc>) -> NewEvent {
    NewEvent { occurred_at: Some(occurred_at), ..event }
}

pub async fn until<F: Future<Output = bool>>(
    what: &str,
    limit: Duration,
    mut holds: impl FnMut() -> F,
) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// All rows of the read tables of a schema, as text, by table: the same columns as what is summed up.
pub async fn rows(schema: &str, connection: &mut PgConnection) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for table in TABLES {
        let copy = digest_statement(table, schema);
        let select = copy.trim_start_matches("COPY (").trim_end_matches(") TO STDOUT");
        let query = format!("SELECT r::text FROM ({select}) AS r ORDER BY 1");
        let rows = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut *connection).await;
        all.insert(table.name.to_owned(), rows.unwrap());
    }
    all
}

/// How far an unfinished replay is that keeps its state in this file; `None`: it has not begun.
pub fn reached(state: &Path) -> Option<i64> {
    let state: Value = serde_json::from_slice(&std::fs::read(state).ok()?).ok()?;
    state["reached"].as_i64().filter(|reached| *reached > 0)
}
