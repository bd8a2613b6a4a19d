//! Keys are found by their hash, and no hash ever leaves.

use daybook_command::secrets::token_hash;
use daybook_domain::context::Actor;
use daybook_domain::values::UserRole;
use daybook_projector::http::operations;
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use crate::service::Service;

async fn owner_of(pool: &PgPool, secret: &str) -> Option<(Uuid, String)> {
    sqlx::query_as("SELECT user_id, role FROM projector.authenticate($1, NULL)")
        .bind(token_hash(secret))
        .fetch_optional(pool)
        .await
        .expect("an answer")
}

#[tokio::test]
async fn a_key_works_until_it_is_revoked_or_its_owner_is_not_active() {
    let service = Service::start().await;
    let admin = Actor::system();
    let (ada, bob) =
        (service.user("ada", UserRole::User).await, service.user("bob", UserRole::Viewer).await);
    let scopes = ["*".to_owned()];
    let hers = service.engine.issue_key(ada.id, "hers", &scopes).await.unwrap();
    let his = service.engine.issue_key(bob.id, "his", &scopes).await.unwrap();
    let short = service.engine.issue_key(bob.id, "short", &scopes).await.unwrap();
    service.get_posted(&admin, "/v1/identity/users").await.ok();
    for pool in [&service.pools.projector, &service.pools.reader] {
        assert_eq!(owner_of(pool, &hers.secret).await, Some((ada.id, "user".to_owned())));
        assert_eq!(owner_of(pool, &his.secret).await, Some((bob.id, "viewer".to_owned())));
        assert_eq!(owner_of(pool, "dbk_nobody").await, None);
    }
    let refused = sqlx::query("SELECT * FROM projector.authenticate('x')")
        .execute(&service.pools.writer)
        .await;
    assert!(refused.is_err(), "the writer may not ask who has a key");

    let path = format!("/v1/identity/api_keys/{}/revoke", hers.key_id);
    service.post(&admin, &path, json!({})).await.ok();
    let path = format!("/v1/identity/users/{}/suspend", bob.id);
    service.get_posted(&admin, "/v1/identity/users").await.ok();
    assert_eq!(owner_of(&service.pools.reader, &hers.secret).await, None);
    assert!(owner_of(&service.pools.reader, &his.secret).await.is_some());
    service.post(&admin, &path, json!({})).await.ok();
    service.get_posted(&admin, "/v1/identity/users").await.ok();
    assert_eq!(owner_of(&service.pools.reader, &his.secret).await, None);
    assert_eq!(owner_of(&service.pools.reader, &short.secret).await, None);
}

#[tokio::test]
async fn no_hash_of_a_secret_leaves_by_any_address() {
    let service = Service::start().await;
    let admin = Actor::system();
    let body = json!({
        "username": "ada", "email": "ada@example.org", "full_name": "Ada Someone",
        "password": "correct horse battery",
    });
    let registered = service.post(&admin, "/v1/identity/users", body).await.ok().json();
    let ada: Uuid = serde_json::from_value(registered["stream_id"].clone()).unwrap();
    let key = service.engine.issue_key(ada, "a key", &["*".to_owned()]).await.unwrap();
    let verification = registered["verification_token"].as_str().unwrap();
    let mut superuser = service.database.superuser().await;
    service.get_posted(&admin, "/v1/identity/users").await.ok();
    let password_hash: String = sqlx::query_scalar("SELECT password_hash FROM users WHERE id = $1")
        .bind(ada)
        .fetch_one(&mut superuser)
        .await
        .unwrap();
    assert!(password_hash.starts_with("$argon2id$"));
    let secrets = [
        "$argon2id$".to_owned(),
        password_hash,
        token_hash(&key.secret),
        key.secret.clone(),
        token_hash(verification),
        verification.to_owned(),
        "correct horse battery".to_owned(),
    ];
    let head = service.log.head().await.unwrap().position;
    let mut texts = Vec::new();
    for (path, _) in operations() {
        let ids = match path.as_str() {
            path if path.starts_with("/v1/identity/users/") => vec![ada],
            path if path.starts_with("/v1/identity/api_keys/") => vec![key.key_id],
            path if path.starts_with("/v1/streams/") => vec![ada, key.key_id],
            path if path.contains("{id}") => continue,
            _ => vec![ada],
        };
        for id in ids {
            let mut path = path.replace("{id}", &id.to_string()).replace("{journal}", "refusals");
            if path.ends_with("/diff") {
                path.push_str("?from=0");
            }
            texts.push((path.clone(), service.get_posted(&admin, &path).await.ok().text));
            if path.ends_with(&id.to_string()) {
                let then = format!("{path}?at_position={head}");
                texts.push((then.clone(), service.get(&admin, &then).await.ok().text));
            }
            if path.ends_with("events") {
                let lines = [("accept", "application/x-ndjson")];
                texts.push((path.clone(), service.get_with(&admin, &path, &lines).await.ok().text));
            }
        }
    }
    let mut live = service.listen(&admin, "/v1/events", None).await;
    for _ in 0..head {
        texts.push(("live".into(), live.next().await.2.to_string()));
    }
    assert!(texts.iter().any(|(path, text)| path == "/v1/events" && text.contains("[redacted]")));
    for (path, text) in texts {
        for secret in &secrets {
            assert!(!text.contains(secret), "{path} shows {secret}");
        }
    }
}

#[test]
fn every_operation_is_documented_once() {
    let operations = operations();
    let mut paths: Vec<_> = operations.iter().map(|(path, _)| path).collect();
    let mut names: Vec<_> =
        operations.iter().map(|(_, value)| value["operationId"].as_str()).collect();
    assert!(names.iter().all(Option::is_some));
    names.sort_unstable();
    names.dedup();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!((paths.len(), names.len()), (operations.len(), operations.len()));
    for (path, operation) in &operations {
        let declared = operation["parameters"].as_array().into_iter().flatten();
        let declares_id = declared.filter(|p| p["in"] == "path").count();
        assert_eq!(declares_id, path.matches('{').count(), "{path}");
    }
}
