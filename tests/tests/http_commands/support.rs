//! Any number of `daybook serve` on one database, and clients with keys of their own.

use std::sync::Arc;
use std::time::Duration;

use daybook_app::config::Settings;
use daybook_app::database::Pools;
use daybook_command::Engine;
use daybook_command::founding::NewUser;
use daybook_tests::{Daybook, TestDatabase, free_port};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

pub const USERS: &str = "/v1/identity/users";
pub const KEYS: &str = "/v1/identity/api_keys";
pub const ACCOUNTS: &str = "/v1/banking/accounts";
pub const PASSWORD: &str = "correct horse battery staple";

/// A database with an administrator, and an engine in this process to prepare things with.
pub struct House {
    pub database: TestDatabase,
    pub pools: Pools,
    pub engine: Arc<Engine>,
    pub admin: Person,
    folder: TempDir,
}

/// A user and their key.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: Uuid,
    pub key_id: Uuid,
    pub key: String,
}

/// A running `daybook serve`, and a client of it.
pub struct Server {
    pub process: Daybook,
    pub address: String,
    client: Client,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl House {
    pub async fn new() -> Self {
        let database = TestDatabase::fresh().await;
        let pools = database.pools().await;
        let engine =
            daybook_app::sides::write(&pools, &Settings::default()).await.expect("an engine");
        let folder = tempfile::tempdir().expect("a folder");
        let mut house = Self {
            database,
            pools,
            engine,
            admin: Person { id: Uuid::nil(), key_id: Uuid::nil(), key: String::new() },
            folder,
        };
        house.admin = house.person("admin", "admin", &["*"]).await;
        house
    }

    /// A database with an administrator and one server that is ready.
    pub async fn served() -> (Self, Server) {
        let house = Self::new().await;
        let server = house.serve("one", &[]).await;
        (house, server)
    }

    /// A user with this role and a key with these scopes.
    pub async fn person(&self, name: &str, role: &str, scopes: &[&str]) -> Person {
        let user = NewUser {
            username: name.to_owned(),
            email: format!("{name}@example.org"),
            full_name: format!("{name} Example"),
            role: role.to_owned(),
            password: None,
        };
        let registered = self.engine.register(&user).await.expect("a user");
        self.key_of(registered.appended.stream_id, scopes).await
    }

    /// Another key of a user.
    pub async fn key_of(&self, user: Uuid, scopes: &[&str]) -> Person {
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let key = self.engine.issue_key(user, "test", &scopes).await.expect("a key");
        Person { id: user, key_id: key.key_id, key: key.secret }
    }

    /// Starts a server; `settings` are its environment.
    pub async fn serve(&self, name: &str, settings: &[(&str, &str)]) -> Server {
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = Daybook::command(self.folder.path(), &["serve", "--listen", &address]);
        command.env("DATABASE_URL", self.database.service_url());
        command.envs(settings.iter().copied());
        let process = Daybook::start(&mut command, self.folder.path(), name);
        let server = Server { process, address, client: daybook_tests::client() };
        server.wait_until_ready().await;
        self.posted().await;
        server
    }

    /// All that a server printed so far.
    pub fn printed(&self, name: &str) -> String {
        ["out", "err"]
            .iter()
            .filter_map(|end| {
                std::fs::read_to_string(self.folder.path().join(format!("{name}.{end}"))).ok()
            })
            .collect()
    }

    /// A number out of the database, as the superuser sees it.
    pub async fn number(&self, statement: &'static str) -> i64 {
        let mut superuser = self.database.superuser().await;
        sqlx::query_scalar(statement).fetch_one(&mut superuser).await.expect(statement)
    }

    /// How many events the log has.
    pub async fn events(&self) -> i64 {
        self.number("SELECT count(*) FROM journal.events").await
    }

    /// Waits until the read tables include all that is in the log now.
    pub async fn posted(&self) {
        let head = self.number("SELECT COALESCE(max(position), 0) FROM journal.batches").await;
        let posted = daybook_projector::Posted::new(self.pools.projector.clone());
        let waited = posted.wait_for(head, Duration::from_secs(30)).await;
        assert!(waited.is_ok(), "the projector does not catch up: {waited:?}");
    }

    /// The state of an account, folded from the log.
    pub async fn book(&self, account: &str) -> daybook_domain::banking::account::Book {
        let account = Uuid::parse_str(account).expect("an id");
        let loaded = daybook_command::load::stream::<daybook_domain::banking::account::Account>(
            self.engine.log(),
            account,
        );
        loaded.await.expect("an account").state.book().expect("an open account").clone()
    }
}

impl Server {
    async fn wait_until_ready(&self) {
        for _ in 0..600 {
            let asked = self.client.get(self.url("/health/ready")).send().await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not ready within half a minute: {}", self.process.printed());
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn request(&self, method: Method, path: &str, key: &str) -> RequestBuilder {
        self.client.request(method, self.url(path)).bearer_auth(key)
    }

    /// A request of nobody.
    pub fn request_openly(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// A command as `key`.
    pub async fn post(&self, key: &str, path: &str, body: Value) -> Answer {
        self.post_with(key, path, body, &[]).await
    }

    /// A command with headers.
    pub async fn post_with(
        &self,
        key: &str,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.request(Method::POST, path, key).json(&body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request).await
    }

    /// Many commands; the answers, one a line.
    pub async fn many(&self, key: &str, lines: &[Value]) -> Vec<Value> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.many_text(key, text).await
    }

    pub async fn many_text(&self, key: &str, text: impl Into<reqwest::Body>) -> Vec<Value> {
        let request = self
            .request(Method::POST, "/v1/commands", key)
            .header("content-type", "application/x-ndjson")
            .body(text);
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        let text = response.text().await.expect("a body");
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// Opens an account in EUR with this on it.
    pub async fn account(&self, key: &str, owner: Uuid, number: &str, balance: &str) -> String {
        let opened = self.post(key, ACCOUNTS, opening(owner, number)).await.ok();
        let account = opened.body["stream_id"].as_str().expect("a stream").to_owned();
        if balance != "0.00" {
            let path = format!("{ACCOUNTS}/{account}/deposit");
            self.post(key, &path, json!({ "amount": balance })).await.ok();
        }
        account
    }
}

/// What opens an account.
pub fn opening(owner: Uuid, number: &str) -> Value {
    json!({
        "user_id": owner, "account_name": "Household", "account_type": "checking",
        "account_number": number, "currency": "EUR",
    })
}

/// What registers a user.
pub fn registration(name: &str) -> Value {
    json!({
        "username": name, "email": format!("{name}@example.org"),
        "full_name": format!("{name} Example"), "password": PASSWORD,
    })
}

pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.expect("a body");
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

impl Answer {
    /// A success.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status.is_success(), "{self:?}");
        self
    }

    /// A problem with this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.body["type"], format!("/problems/{code}"), "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert!(self.body["trace_id"].is_string(), "{self:?}");
        self
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}"));
        value.to_str().expect("text")
    }

    pub fn stream(&self) -> String {
        self.body["stream_id"].as_str().expect("a stream").to_owned()
    }
}
