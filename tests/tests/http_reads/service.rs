//! Both sides in one router, over a database of the test's own.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use chrono::Utc;
use daybook_app::database::Pools;
use daybook_command::founding::NewUser;
use daybook_command::{Engine, World};
use daybook_domain::context::Actor;
use daybook_domain::values::UserRole;
use daybook_http::Caller;
use daybook_projector::http::{Reads, router};
use daybook_projector::{Posted, Worker, WorkerOptions};
use daybook_store::{Appender, AppenderOptions, Log, Records};
use daybook_tests::TestDatabase;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use uuid::Uuid;

/// Whether the tables are posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posting {
    Runs,
    Stands,
}

pub struct Service {
    pub database: TestDatabase,
    pub pools: Pools,
    pub engine: Arc<Engine>,
    pub log: Log,
    router: Router,
    cancel: CancellationToken,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text);
        self
    }

    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["type"], format!("/problems/{code}"), "{problem}");
        problem
    }

    #[track_caller]
    pub fn position(&self) -> i64 {
        self.headers["daybook-position"].to_str().unwrap().parse().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Service {
    pub async fn start() -> Self {
        Self::with(Posting::Runs).await
    }

    pub async fn with(posting: Posting) -> Self {
        let database = TestDatabase::fresh().await;
        let pools = database.pools().await;
        let cancel = CancellationToken::new();
        let (appender, _) =
            Appender::start(pools.writer.clone(), AppenderOptions::new(Arc::new(Utc::now)));
        let world = World { now: Arc::new(Utc::now), fresh_id: Arc::new(Uuid::now_v7) };
        let head = appender.head();
        let records = Records::start(pools.writer.clone());
        let engine = Engine::new(Log::new(pools.writer.clone()), appender, world, 1_000);
        let engine = Arc::new(engine.with_records(records));
        engine.found().await.expect("the first events");
        let log = Log::new(pools.projector.clone());
        let mut posted = Posted::new(pools.projector.clone());
        if posting == Posting::Runs {
            let options = WorkerOptions::new(Uuid::now_v7());
            let worker = Worker::new(pools.projector.clone(), log.clone(), head, options);
            posted = posted.with_worker(worker.posted());
            tokio::spawn(worker.run(cancel.clone()));
        }
        let follow = log.follow(Duration::from_millis(10));
        let reads = Arc::new(Reads::new(
            pools.reader.clone(),
            pools.projector.clone(),
            posted,
            follow,
            cancel.clone(),
        ));
        let router = daybook_command::http::router(Arc::clone(&engine)).merge(router(reads));
        Self { database, pools, engine, log, router, cancel }
    }

    /// A user with this role, registered by the system.
    pub async fn user(&self, name: &str, role: UserRole) -> Actor {
        let user = NewUser {
            username: name.to_owned(),
            email: format!("{name}@Example.org"),
            full_name: format!("{name} Someone"),
            role: role.to_string(),
            password: None,
        };
        let accepted = self.engine.register(&user).await.expect("a user");
        Actor::new(accepted.appended.stream_id, role)
    }

    /// An account of this user, opened by the system.
    pub async fn account(&self, owner: &Actor, number: &str) -> Uuid {
        let body = json!({
            "user_id": owner.id, "account_name": "Everyday", "account_type": "checking",
            "account_number": number, "currency": "EUR",
        });
        let opened = self.post(&Actor::system(), "/v1/banking/accounts", body).await.ok();
        serde_json::from_value(opened.json()["stream_id"].clone()).unwrap()
    }

    /// Pays in; gives the answer.
    pub async fn deposit(&self, account: Uuid, amount: &str) -> Answer {
        let path = format!("/v1/banking/accounts/{account}/deposit");
        self.post(&Actor::system(), &path, json!({ "amount": amount })).await.ok()
    }

    pub async fn post(&self, actor: &Actor, path: &str, body: Value) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        self.ask(actor, request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub async fn get(&self, actor: &Actor, path: &str) -> Answer {
        self.get_with(actor, path, &[]).await
    }

    pub async fn get_with(&self, actor: &Actor, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(actor, request.body(Body::empty()).unwrap()).await
    }

    /// Reads once everything in the log is posted.
    pub async fn get_posted(&self, actor: &Actor, path: &str) -> Answer {
        let head = self.log.head().await.unwrap().position.to_string();
        let headers = [("daybook-min-position", head.as_str()), ("prefer", "wait=20")];
        self.get_with(actor, path, &headers).await
    }

    async fn ask(&self, actor: &Actor, request: Request<Body>) -> Answer {
        let response = self.send(actor, request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, bytes, text }
    }

    async fn send(&self, actor: &Actor, mut request: Request<Body>) -> axum::response::Response {
        request.extensions_mut().insert(Caller {
            actor: actor.clone(),
            ip_address: Some("192.0.2.7".parse().unwrap()),
            user_agent: Some("a test".to_owned()),
            correlation_id: Uuid::now_v7(),
            session_id: None,
            traceparent: None,
        });
        self.router.clone().oneshot(request).await.expect("infallible")
    }

    /// Listens to server-sent events.
    pub async fn listen(&self, actor: &Actor, path: &str, last: Option<i64>) -> Listening {
        let mut request = Request::get(path).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = self.send(actor, request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Listening { body: response.into_body(), read: String::new() }
    }
}

/// A live subscription.
pub struct Listening {
    body: Body,
    read: String,
}

impl Listening {
    /// The next event: its id, its type, its data. Blocks without data are passed over.
    pub async fn next(&mut self) -> (i64, String, Value) {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.read = rest;
                let field = |name: &str| {
                    block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
                };
                if let Some(data) = field("data: ") {
                    let id = field("id: ").expect("an id").parse().unwrap();
                    let data = serde_json::from_str(&data).unwrap();
                    return (id, field("event: ").expect("a type"), data);
                }
                continue;
            }
            let chunk = self.chunk().await;
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn chunk(&mut self) -> Bytes {
        let next = tokio::time::timeout(Duration::from_secs(20), self.body.frame());
        let frame = next.await.expect("in time").expect("no end").expect("no error");
        frame.into_data().expect("data")
    }
}
