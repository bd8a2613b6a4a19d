//! What people did that made no event: written down, readable, and never changed.

use std::time::Duration;

use daybook_command::SignIn;
use daybook_command::founding::NewUser;
use daybook_domain::context::Actor;
use daybook_domain::values::UserRole;
use daybook_http::Visitor;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::service::Service;

async fn journal(service: &Service, asked: &str) -> Vec<Value> {
    let page = service.get(&Actor::system(), &format!("/v1/journals/{asked}")).await.ok().json();
    page["data"].as_array().unwrap().clone()
}

/// The same, once there are so many rows: reads are written down a moment after they are answered.
async fn journal_of(service: &Service, asked: &str, rows: usize) -> Vec<Value> {
    let mut found = Vec::new();
    for _ in 0..200 {
        found = journal(service, asked).await;
        if found.len() >= rows {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    found
}

#[tokio::test]
async fn refused_commands_are_written_down_without_what_they_said() {
    let service = Service::start().await;
    let ada = service.user("ada", UserRole::User).await;
    let account = service.account(&ada, "DE-1").await;
    let path = format!("/v1/banking/accounts/{account}");
    let too_much = json!({ "amount": "1234.56", "description": "a secret wish" });
    service
        .post(&ada, &format!("{path}/withdraw"), too_much)
        .await
        .refused(409, "insufficient-funds");
    let bob = service.user("bob", UserRole::User).await;
    let theirs = service.post(&bob, &format!("{path}/freeze"), json!({})).await;
    assert!([403, 404].contains(&theirs.status.as_u16()), "{}", theirs.text);
    service.post(&ada, &format!("{path}/melt"), json!({})).await.refused(404, "not-found");
    let wrong = json!({ "amount": "much" });
    service.post(&ada, &format!("{path}/deposit"), wrong).await.refused(422, "invalid");
    let tried = json!({ "amount": "5555.00" });
    service
        .post(&ada, &format!("{path}/withdraw?dry_run=true"), tried)
        .await
        .refused(409, "insufficient-funds");
    service.engine.flush_records(Duration::from_secs(10)).await;

    let rows = journal(&service, &format!("refusals?user={}", ada.id)).await;
    let said: Vec<(&str, &str, i64)> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            (text("command"), text("code"), row["status"].as_i64().unwrap())
        })
        .collect();
    let wanted = [
        ("deposit", "invalid", 422),
        ("melt", "not-found", 404),
        ("withdraw", "insufficient-funds", 409),
    ];
    assert_eq!(said, wanted, "newest first; what was only tried out is no refusal");
    for row in &rows {
        assert_eq!((&row["kind"], &row["stream_id"]), (&json!("banking.account"), &json!(account)));
        assert_eq!(
            (&row["ip_address"], &row["user_agent"]),
            (&json!("192.0.2.7"), &json!("a test"))
        );
        let text = row.to_string();
        assert!(!text.contains("1234") && !text.contains("secret wish"), "{text}");
    }
    let bobs = journal(&service, &format!("refusals?user={}&address=192.0.2.0/24", bob.id)).await;
    assert_eq!((bobs.len(), &bobs[0]["command"]), (1, &json!("freeze")));
    assert_eq!(bobs[0]["status"], theirs.status.as_u16());
    assert!(journal(&service, "refusals?address=198.51.100.1").await.is_empty());
    service.get(&ada, "/v1/journals/refusals").await.refused(403, "forbidden");
    service.get(&Actor::system(), "/v1/journals/gossip").await.refused(404, "not-found");
}

#[tokio::test]
async fn attempts_to_sign_in_are_written_down_whoever_made_them() {
    let service = Service::start().await;
    let user = NewUser {
        username: "ada".to_owned(),
        email: "ada@example.org".to_owned(),
        full_name: "Ada".to_owned(),
        role: "user".to_owned(),
        password: Some("correct horse battery".to_owned()),
    };
    let ada = service.engine.register(&user).await.unwrap().appended.stream_id;
    let attempt = |login: &str, password: &str| SignIn {
        login: login.to_owned(),
        password: password.to_owned(),
        fields: Map::new(),
        command_id: None,
        visitor: Visitor {
            ip_address: Some("192.0.2.9".parse().unwrap()),
            user_agent: Some("a browser".to_owned()),
            correlation_id: Uuid::now_v7(),
            traceparent: None,
        },
    };
    let opened = service.engine.sign_in(attempt("ADA", "correct horse battery")).await.unwrap();
    service.engine.sign_in(attempt("ada", "wrong horse")).await.unwrap_err();
    service.engine.sign_in(attempt("hunter2hunter2", "oops")).await.unwrap_err();
    service.engine.flush_records(Duration::from_secs(10)).await;
    let rows = journal(&service, "sign-ins").await;
    let said: Vec<(Value, &str)> =
        rows.iter().map(|row| (row["user_id"].clone(), row["code"].as_str().unwrap())).collect();
    let wanted = [
        (Value::Null, "sign-in-failed"),
        (json!(ada), "sign-in-failed"),
        (json!(ada), "signed-in"),
    ];
    assert_eq!(said, wanted);
    assert_eq!(rows[2]["session_id"], json!(opened.appended.stream_id));
    assert!(rows.iter().all(|row| row["ip_address"] == "192.0.2.9"));
    let text = json!(rows).to_string();
    assert!(!text.contains("hunter2") && !text.contains("horse"), "{text}");
}

#[tokio::test]
async fn who_reads_everyones_past_is_written_down() {
    let service = Service::start().await;
    let eve = service.user("eve", UserRole::Auditor).await;
    let ada = service.user("ada", UserRole::User).await;
    let account = service.account(&ada, "DE-1").await;
    service.get_posted(&eve, &format!("/v1/banking/accounts/{account}")).await.ok();
    let all = service.log.head().await.unwrap().position;
    let lines = [("accept", "application/x-ndjson")];
    service.get(&eve, "/v1/events?limit=3").await.ok();
    service.get_with(&eve, "/v1/events?contexts=banking", &lines).await.ok();
    service.get(&eve, "/v1/audit?limit=2").await.ok();
    let trail = service.get_with(&eve, "/v1/audit", &lines).await.ok();
    service.get(&eve, "/v1/platform/audit_logs?limit=2").await.ok();
    service.get(&eve, &format!("/v1/banking/accounts/{account}?at_position={all}")).await.ok();
    // Their own past is nobody's business.
    service.get(&ada, &format!("/v1/banking/accounts/{account}?at_position={all}")).await.ok();
    let mut rows = journal_of(&service, &format!("reads?user={}", eve.id), 8).await;
    rows.sort_by_key(|row| row["id"].as_i64());
    let mut said: Vec<(&str, &str, Option<i64>)> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            (text("what"), text("phase"), row["rows"].as_i64())
        })
        .collect();
    said.sort_unstable();
    let exported = i64::try_from(trail.text.lines().count()).unwrap();
    let mut wanted = vec![
        ("events", "whole", Some(3)),
        ("events", "begun", None),
        ("events", "ended", Some(1)),
        ("audit", "whole", Some(2)),
        ("audit", "whole", Some(2)),
        ("audit", "begun", None),
        ("audit", "ended", Some(exported)),
        ("past", "whole", Some(1)),
    ];
    wanted.sort_unstable();
    assert_eq!(said, wanted);
    let begun = rows.iter().find(|row| row["phase"] == "begun").unwrap();
    assert_eq!(begun["asked"]["contexts"], "banking");
    let export = rows.iter().find(|row| row["what"] == "audit" && row["phase"] == "ended").unwrap();
    let digest = Sha256::digest(trail.text.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(export["digest"], digest);
    assert_eq!(export["asked"]["form"], "application/x-ndjson");
    assert!(journal(&service, &format!("reads?user={}", ada.id)).await.is_empty());
    // Reading this journal is a read as well.
    let own = format!("reads?user={}&code=journal", Actor::system().id);
    assert!(!journal_of(&service, &own, 1).await.is_empty());
}

#[tokio::test]
async fn what_is_written_down_is_never_changed() {
    let service = Service::start().await;
    let mut superuser = service.database.superuser().await;
    let add = "INSERT INTO journal.refusals (at, actor_id, kind, command, code, status, correlation_id)
         VALUES (now(), gen_random_uuid(), 'k', 'c', 'x', 409, gen_random_uuid()),
                (now() - interval '14 months', gen_random_uuid(), 'k', 'old', 'x', 409, gen_random_uuid());
         INSERT INTO journal.sign_ins (at, code, correlation_id) VALUES (now(), 'x', gen_random_uuid());
         INSERT INTO journal.reads (phase, actor_id, what, asked) VALUES ('whole', gen_random_uuid(), 'x', '{}');
         INSERT INTO journal.losses (lost) VALUES (1)";
    sqlx::raw_sql(add).execute(&mut superuser).await.unwrap();
    let roles = [
        "postgres",
        "daybook_migrator",
        "daybook_log_owner",
        "daybook_writer",
        "daybook_projector",
        "daybook_maintenance",
        "application_role",
        "daybook_analyst",
        "daybook_auditor",
    ];
    for table in ["refusals", "sign_ins", "reads", "losses"] {
        for change in [
            format!("UPDATE journal.{table} SET at = now()"),
            format!("DELETE FROM journal.{table}"),
            format!("TRUNCATE journal.{table}"),
        ] {
            for role in roles {
                // The one who may forget may do so by its function, not at will: its role logs in nowhere.
                if role == "daybook_log_owner" && change == "DELETE FROM journal.refusals" {
                    continue;
                }
                let statement = format!("SET ROLE {role}; {change}");
                let refused = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut superuser).await;
                let refused = refused.expect_err(&format!("{change} as {role}"));
                let code = refused.as_database_error().and_then(|e| e.code()).unwrap().into_owned();
                assert_eq!(code, "42501", "{change} as {role}: {refused}");
            }
        }
    }
    sqlx::raw_sql("RESET ROLE").execute(&mut superuser).await.unwrap();
    let gone: i64 = sqlx::query_scalar("SELECT journal.forget_refusals(100)")
        .fetch_one(&service.pools.maintenance)
        .await
        .unwrap();
    let left: Vec<String> = sqlx::query_scalar("SELECT command FROM journal.refusals")
        .fetch_all(&mut superuser)
        .await
        .unwrap();
    assert_eq!((gone, left), (1, vec!["c".to_owned()]));
}
