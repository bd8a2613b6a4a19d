//! A served Daybook, asked as a client asks it.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{Daybook, Finished, TestDatabase, free_port};

/// How long a read may wait until what was written is posted: as long as it is let.
const POSTED_WITHIN: &str = "wait=25";

/// `daybook dev` on a database of its own, with its administrator's key.
#[derive(Debug)]
pub struct Service {
    /// The database that it serves.
    pub database: TestDatabase,
    /// The administrator's key.
    pub key: String,
    base: String,
    client: Client,
    process: Daybook,
    folder: TempDir,
    settings: Vec<(&'static str, String)>,
}

/// What a request was answered with.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body, where it is JSON.
    pub body: Value,
}

impl Answer {
    /// The body of an answer that must have been a success.
    ///
    /// # Panics
    /// When it was not.
    #[must_use]
    pub fn accepted(self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        self.body
    }

    /// The code of an answer that must have been this refusal's status.
    ///
    /// # Panics
    /// When it was not.
    #[must_use]
    pub fn refused(&self, status: u16) -> &str {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        let kind = self.body["type"].as_str().expect("a problem has a type");
        kind.strip_prefix("/problems/").expect("a problem's type is a path")
    }
}

impl Service {
    /// Starts one on a fresh database.
    ///
    /// # Panics
    /// When it does not start within a minute.
    pub async fn start() -> Self {
        Self::start_with(Vec::new()).await
    }

    /// The same with more in the environment of the service and its tools.
    ///
    /// # Panics
    /// When it does not start within a minute.
    pub async fn start_with(settings: Vec<(&'static str, String)>) -> Self {
        let database = TestDatabase::fresh().await;
        let folder = tempfile::tempdir().expect("a folder");
        let listen = format!("127.0.0.1:{}", free_port());
        // As in production: the service's own login, and an administrator's for the schema.
        let url = database.service_url();
        let migrate = format!("migrate_url={}", database.admin_url());
        let arguments = ["dev", "--listen", &listen, "--database-url", &url, "--set", &migrate];
        let mut command = Daybook::command(folder.path(), &arguments);
        command.envs(settings.iter().cloned());
        let mut process = Daybook::start(&mut command, folder.path(), "dev");
        let (process, line) = tokio::task::spawn_blocking(move || {
            let line = process.wait_for_line(|line| line.contains("dbk_"), Duration::from_secs(60));
            (process, line)
        })
        .await
        .expect("no panic");
        let word = line.split_whitespace().find_map(|word| word.find("dbk_").map(|at| &word[at..]));
        let key = word.expect("a key").trim_end_matches(['"', '\'', '.', ',']).to_owned();
        Self::begun((database, folder), process, &listen, key, settings).await
    }

    /// Serves a database that has events already, to whoever has `key`.
    ///
    /// # Panics
    /// When it does not start within a minute.
    pub async fn of(database: TestDatabase, key: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listen = format!("127.0.0.1:{}", free_port());
        let url = database.service_url();
        let arguments = ["serve", "--listen", &listen, "--database-url", &url];
        let mut command = Daybook::command(folder.path(), &arguments);
        let process = Daybook::start(&mut command, folder.path(), "serve");
        Self::begun((database, folder), process, &listen, key.to_owned(), Vec::new()).await
    }

    async fn begun(
        (database, folder): (TestDatabase, TempDir),
        process: Daybook,
        listen: &str,
        key: String,
        settings: Vec<(&'static str, String)>,
    ) -> Self {
        let (base, client) = (format!("http://{listen}"), crate::client());
        let service = Self { database, key, base, client, process, folder, settings };
        service.wait_until_ready().await;
        service
    }

    /// All that it printed.
    #[must_use]
    pub fn printed(&self) -> String {
        self.process.printed()
    }

    /// Stops it, at once; gives the database that it served.
    #[must_use]
    pub fn stop(self) -> TestDatabase {
        self.database
    }

    /// Until it says that it is, and knows the key, which is looked up in the read tables.
    async fn wait_until_ready(&self) {
        for _ in 0..600 {
            let health = self.client.get(format!("{}/health/ready", self.base)).send().await;
            if health.is_ok_and(|answer| answer.status().is_success()) {
                let own = self.ask(Method::GET, "/v1/identity/users", &self.key, None, &[]).await;
                if own.status.is_success() {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("not ready within a minute");
    }

    /// Sends a command as the administrator.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn command(&self, path: &str, fields: Value) -> Answer {
        self.ask(Method::POST, path, &self.key, Some(fields), &[]).await
    }

    /// Reads as the administrator what holds once `position` is posted.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn read_after(&self, path: &str, position: &Value) -> Answer {
        let position = position.to_string();
        let headers = [("prefer", POSTED_WITHIN), ("daybook-min-position", position.as_str())];
        self.ask(Method::GET, path, &self.key, None, &headers).await
    }

    /// Waits until the read tables have all that the log has now: from then on counts what is promised
    /// of them within a time.
    ///
    /// # Panics
    /// When they do not get there.
    pub async fn posted(&self) {
        let last = crate::head(&mut self.database.superuser().await).await;
        let _ = self.read_after("/v1/identity/users?limit=1", &Value::from(last)).await.accepted();
    }

    /// Asks anything as whoever has `key`.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        request = request.bearer_auth(key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Self::answer(request, body).await
    }

    /// Asks anything as nobody: without a key.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn ask_openly(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        Self::answer(self.client.request(method, format!("{}{path}", self.base)), body).await
    }

    async fn answer(mut request: RequestBuilder, body: Option<Value>) -> Answer {
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    /// Sends commands as the administrator, one a line of JSON; gives the answers, one a line.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn batch(&self, lines: String) -> Vec<Value> {
        let request = self.client.post(format!("{}/v1/commands", self.base)).bearer_auth(&self.key);
        let request = request.header("content-type", "application/x-ndjson").body(lines);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        let text = answer.text().await.expect("a body");
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// Registers a user; gives their id.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn register(&self, username: &str) -> Uuid {
        let id = Uuid::now_v7();
        let fields = serde_json::json!({
            "id": id, "username": username, "email": format!("{username}@example.org"),
            "full_name": format!("{username} Example"), "password": "correct horse battery",
        });
        let _ = self.command("/v1/identity/users", fields).await.accepted();
        id
    }

    /// A new key of a user's, limited by nothing but their role.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn key_of(&self, user: Uuid) -> String {
        let fields = serde_json::json!({ "user_id": user, "name": "test", "scopes": ["*"] });
        let issued = self.command("/v1/identity/api_keys", fields).await.accepted();
        // Keys are looked up in the read tables.
        let _ = self.read_after("/v1/identity/api_keys", &issued["position"]).await.accepted();
        issued["secret"].as_str().expect("a secret").to_owned()
    }

    /// Runs a tool of the command line on the service's database, beside the service.
    #[must_use]
    pub fn tool(&self, arguments: &[&str]) -> Finished {
        let url = self.database.service_url();
        let mut all = vec!["--database-url", url.as_str()];
        all.extend_from_slice(arguments);
        let mut command = Daybook::command(self.folder.path(), &all);
        Daybook::run(command.envs(self.settings.iter().cloned()))
    }

    /// Checks that the tables that were posted live are those that the log gives.
    ///
    /// # Panics
    /// When they are not.
    pub fn same_when_rebuilt(&self) {
        let checked = self.tool(&["rebuild", "--check"]);
        assert_eq!(checked.code, Some(0), "live and rebuilt tables differ: {checked:?}");
    }
}
