//! Nobody who reads by SQL finds a secret or the hash of one: not in the tables, not in the log, not
//! in a state of the past. Asked of the catalogue, so that what is granted tomorrow is asked as well.

use std::collections::BTreeSet;
use std::path::Path;

use daybook_domain::catalog::AGGREGATES;
use daybook_store::redact;
use daybook_tests::{Service, TestDatabase};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};

/// What a password is, so that it is found anywhere.
const PASSWORD: &str = "correct horse battery";
/// A secret setting's value.
const SETTING: &str = "sk_live_never_to_be_read";

async fn redacted(data: &Value, connection: &mut PgConnection) -> Value {
    sqlx::query_scalar("SELECT journal.redacted($1)")
        .bind(data)
        .fetch_one(connection)
        .await
        .unwrap()
}

fn by_the_service(data: &Value) -> Value {
    let raw = RawValue::from_string(data.to_string()).unwrap();
    let shown = redact::redacted(&raw).unwrap().unwrap_or(raw);
    serde_json::from_str(shown.get()).unwrap()
}

#[tokio::test]
async fn the_database_takes_out_of_every_event_what_the_service_takes_out() {
    let database = TestDatabase::fresh().await;
    let mut superuser = database.superuser().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/tests/examples");
    let (mut compared, mut changed) = (BTreeSet::new(), BTreeSet::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let examples: Value = serde_json::from_str(&text).unwrap();
        let kind = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        for (name, data) in examples["events"].as_object().expect("events") {
            let shown = redacted(data, &mut superuser).await;
            assert_eq!(shown, by_the_service(data), "{kind:?} {name}");
            if shown != *data {
                changed.insert(name.clone());
            }
            compared.insert((kind.clone(), name.clone(), data.to_string()));
        }
    }
    let types: usize = AGGREGATES.iter().map(|aggregate| aggregate.events.len()).sum();
    assert!(compared.len() >= types, "{} of {types}", compared.len());
    for name in ["registered@1", "password_changed@1", "issued@1", "opened@1", "set@1"] {
        assert!(changed.contains(name), "{name}: {changed:?}");
    }
    // And of what no event has yet.
    for data in [
        json!({"a": [{"b_hash": "x", "c": [[{"secret_value": {"d": 1}}]]}, 1, null, "_hash"]}),
        json!({"_hash": 1, "hash": 2, "a_hash ": 3, "A_HASH": 4, "secret_values": 5, "é_hash": 6}),
        json!({"password_hash": null, "secret_value": null, "x": {"token_hash": ["y"]}}),
        json!({"a_hash": {"b_hash": null}, "text": "secret_value"}),
        json!(["_hash"]),
        json!("secret_value"),
        json!({}),
    ] {
        assert_eq!(redacted(&data, &mut superuser).await, by_the_service(&data), "{data}");
    }
}

/// What nobody may read: everything that is a secret or a secret's hash in a log with all kinds.
async fn secrets(connection: &mut PgConnection) -> Vec<String> {
    let mut secrets: Vec<String> = sqlx::query_scalar(
        "SELECT password_hash FROM users
         UNION SELECT secret_hash FROM api_keys
         UNION SELECT token_hash FROM sessions
         UNION SELECT f.value #>> '{}' FROM journal.events e CROSS JOIN jsonb_each(e.data) f
               WHERE f.key LIKE '%\\_hash' AND jsonb_typeof(f.value) = 'string'",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    // Of users that nobody signs in as.
    secrets.retain(|secret| secret.len() > 10);
    assert!(secrets.len() >= 6, "{secrets:?}");
    secrets.extend([PASSWORD.to_owned(), SETTING.to_owned(), "$argon2id$".to_owned()]);
    secrets
}

/// Every relation that the role may read any of, with the columns that it may read.
async fn readable(role: &str, connection: &mut PgConnection) -> Vec<(String, Vec<String>)> {
    sqlx::query_as(
        "SELECT format('%I.%I', n.nspname, c.relname), array_agg(format('%I', a.attname) ORDER BY a.attnum)
         FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_(toast|temp)'
           AND has_schema_privilege($1, n.oid, 'USAGE') AND has_column_privilege($1, c.oid, a.attnum, 'SELECT')
         GROUP BY 1 ORDER BY 1",
    )
    .bind(role)
    .fetch_all(connection)
    .await
    .unwrap()
}

/// A service with a log that has secrets of all kinds, and a state and a comparison of the past.
async fn with_secrets() -> Service {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let _ = service.key_of(ada).await;
    let fields = json!({"login": "ada", "password": PASSWORD});
    let session = service
        .ask_openly(reqwest::Method::POST, "/v1/identity/sessions", Some(fields))
        .await
        .accepted();
    let fields = json!({"key": "payments.secret", "value": SETTING, "is_secret": true});
    let set = service.command("/v1/platform/settings", fields).await.accepted();
    let _ = service.read_after("/v1/platform/settings", &set["position"]).await.accepted();
    let position = session["position"].to_string();
    let migrate = format!("migrate_url={}", service.database.admin_url());
    for arguments in [
        vec!["as-of", "--position", &position, "--schema", "back_then"],
        vec!["compare", "0", &position, "--schema", "in_between"],
    ] {
        let made = service.tool(&[&["--set", migrate.as_str()][..], &arguments].concat());
        assert_eq!(made.code, Some(0), "{arguments:?}: {made:?}");
    }
    let mut superuser = service.database.superuser().await;
    sqlx::raw_sql(
        "INSERT INTO journal.snapshots (stream_id, version, shape, state)
         SELECT e.stream_id, e.version, 'a test', e.data FROM journal.events e WHERE e.event_type = 'identity.user.registered';
         UPDATE users SET password_hash = 'changed by hand', full_name = 'Changed By Hand' WHERE username = 'ada';
         ANALYZE",
    )
    .execute(&mut superuser)
    .await
    .unwrap();
    service
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn analysts_and_auditors_find_no_secret_in_anything_that_they_may_read() {
    let service = with_secrets().await;
    let mut superuser = service.database.superuser().await;
    let secrets = secrets(&mut superuser).await;
    for (role, wanted) in [
        ("daybook_analyst", &["public.users", "public.sessions", "public.system_settings"][..]),
        (
            "daybook_auditor",
            &[
                "journal.events",
                "journal.events_without_secrets",
                "journal.claims_without_secrets",
                "journal.snapshots",
                "journal.commands",
                "public.audit_logs",
                "journal.drift",
                "back_then.users",
                "in_between.changes",
            ][..],
        ),
    ] {
        let relations = readable(role, &mut superuser).await;
        for name in wanted {
            assert!(relations.iter().any(|(relation, _)| relation == name), "{role}: {name}");
        }
        let mut auditor = service.database.superuser().await;
        sqlx::raw_sql(AssertSqlSafe(format!("SET ROLE {role}")))
            .execute(&mut auditor)
            .await
            .unwrap();
        let mut rows = 0;
        for (relation, columns) in &relations {
            let columns =
                columns.iter().map(|column| format!("{column}::text")).collect::<Vec<_>>();
            let select = format!("SELECT concat_ws(' ', {}) FROM {relation}", columns.join(", "));
            let read: Vec<String> = sqlx::query_scalar(AssertSqlSafe(select.clone()))
                .fetch_all(&mut auditor)
                .await
                .unwrap_or_else(|error| panic!("{role}: {select}: {error}"));
            for row in &read {
                for secret in &secrets {
                    assert!(!row.contains(secret), "{role} reads {secret} in {relation}: {row}");
                }
            }
            rows += read.len();
        }
        assert!(rows > 1000, "{role}: {rows} rows of {} relations", relations.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn auditors_read_the_whole_log_but_for_its_secrets() {
    let service = with_secrets().await;
    let mut superuser = service.database.superuser().await;
    let mut auditor = service.database.superuser().await;
    sqlx::raw_sql("SET ROLE daybook_auditor").execute(&mut auditor).await.unwrap();
    for refused in [
        "SELECT data FROM journal.events",
        "SELECT * FROM journal.events",
        "SELECT key FROM journal.claims",
        "SELECT state FROM journal.snapshots",
        "SELECT password_hash FROM public.users",
    ] {
        let error = sqlx::raw_sql(refused).execute(&mut auditor).await.expect_err(refused);
        let code = error.as_database_error().and_then(|error| error.code());
        assert_eq!(code.as_deref(), Some("42501"), "{refused}");
    }
    let log =
        |view: &str| AssertSqlSafe(format!("SELECT to_jsonb(e) FROM {view} e ORDER BY position"));
    let whole: Vec<Value> =
        sqlx::query_scalar(log("journal.events")).fetch_all(&mut superuser).await.unwrap();
    let shown: Vec<Value> = sqlx::query_scalar(log("journal.events_without_secrets"))
        .fetch_all(&mut auditor)
        .await
        .unwrap();
    let wanted: Vec<Value> = whole.iter().map(by_the_service).collect();
    assert_ne!(whole, wanted);
    assert_eq!(shown, wanted);
    let keys: Vec<(String, String)> =
        sqlx::query_as("SELECT scope, key FROM journal.claims_without_secrets ORDER BY 1")
            .fetch_all(&mut auditor)
            .await
            .unwrap();
    assert!(keys.iter().any(|(scope, key)| scope == "user.username" && key == "ada"), "{keys:?}");
    assert!(keys.contains(&("session.token_hash".to_owned(), "[redacted]".to_owned())), "{keys:?}");
}
