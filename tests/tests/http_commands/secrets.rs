//! Secrets: shown once, and then nowhere in the clear.

use serde_json::json;

use crate::support::{ACCOUNTS, House, KEYS, USERS, opening, registration};

/// Every table of every schema as text, searched for each needle.
async fn database_knows(house: &House, needle: &str) -> Vec<String> {
    let mut superuser = house.database.superuser().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&mut superuser)
    .await
    .expect("the tables");
    assert!(tables.len() > 10, "{tables:?}");
    let mut found = Vec::new();
    for table in tables {
        let statement = format!("SELECT count(*) FROM {table} t WHERE strpos(t::text, $1) > 0");
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
            .bind(needle)
            .fetch_one(&mut superuser)
            .await
            .expect("a count");
        if rows > 0 {
            found.push(table);
        }
    }
    found
}

#[tokio::test]
async fn no_secret_is_kept_or_printed() {
    let house = House::new().await;
    let server = house.serve("one", &[("DAYBOOK_LOG", "debug,hyper=info")]).await;
    let admin = &house.admin.key;
    let mut secrets = vec![crate::support::PASSWORD.to_owned(), admin.clone()];

    let ada = server.post(admin, USERS, registration("ada")).await.ok();
    let user = format!("{USERS}/{}", ada.stream());
    secrets.push(ada.body["verification_token"].as_str().expect("a token").to_owned());
    let moved =
        server.post(admin, &format!("{user}/change_email"), json!({ "email": "a@b.org" })).await;
    secrets.push(moved.ok().body["verification_token"].as_str().expect("a token").to_owned());
    let asked = server.post(admin, &format!("{user}/request_verification"), json!({})).await.ok();
    let token = asked.body["verification_token"].as_str().expect("a token").to_owned();
    secrets.push(token.clone());
    let new = "another long password";
    let path = format!("{user}/change_password");
    server.post(admin, &path, json!({ "password": new })).await.ok();
    secrets.push(new.to_owned());
    let path = format!("{user}/verify_email");
    let wrong = "dbv_wrong_token_that_nobody_made";
    server
        .post(admin, &path, json!({ "token": wrong }))
        .await
        .refused(409, "wrong-verification-token");
    secrets.push(wrong.to_owned());
    server.post(admin, &path, json!({ "token": token })).await.ok();

    let fields = json!({ "user_id": ada.stream(), "name": "ada's", "scopes": ["*"] });
    let id = [("idempotency-key", "issue")];
    let issued = server.post_with(admin, KEYS, fields.clone(), &id).await.ok();
    assert_eq!(issued.header("cache-control"), "no-store");
    let secret = issued.body["secret"].as_str().expect("a key").to_owned();
    let again = server.post_with(admin, KEYS, fields, &id).await.ok();
    assert_eq!(again.body["stream_id"], issued.body["stream_id"]);
    assert!(again.body.get("secret").is_none(), "{again:?}");
    let path = format!("{KEYS}/{}/rotate", issued.stream());
    let rotated = server.post(admin, &path, json!({})).await.ok();
    secrets.extend([secret, rotated.body["secret"].as_str().expect("a key").to_owned()]);
    let lines = [json!({ "type": "identity.user.register", "data": registration("bob") })];
    let answers = server.many(admin, &lines).await;
    secrets.push(answers[0]["verification_token"].as_str().expect("a token").to_owned());
    // A password where none belongs is refused without being said again.
    let mut fields = opening(house.admin.id, "S-1");
    fields["password"] = "misplaced password".into();
    let asked = server.post(admin, ACCOUNTS, fields).await.refused(422, "invalid");
    assert!(!asked.body.to_string().contains("misplaced password"), "{asked:?}");
    secrets.push("misplaced password".to_owned());

    house.posted().await;
    assert!(!database_knows(&house, "ada's").await.is_empty(), "the search finds nothing");
    let printed = house.printed("one");
    assert!(printed.contains("answered"), "the server prints what it answers: {printed}");
    for secret in &secrets {
        assert_eq!(database_knows(&house, secret).await, Vec::<String>::new(), "{secret}");
        assert!(!printed.contains(secret.as_str()), "{secret} was printed");
    }
}

#[tokio::test]
async fn hashes_are_made_here_and_not_sent() {
    let (house, server) = House::served().await;
    let admin = &house.admin.key;
    let hash = "ab".repeat(32);
    let mut user = registration("eve");
    user["verification_token_hash"] = hash.clone().into();
    server.post(admin, USERS, user).await.refused(422, "invalid");
    let ada = server.post(admin, USERS, registration("ada")).await.ok().stream();
    for (name, fields) in [
        ("change_email", json!({ "email": "x@y.org", "verification_token_hash": hash })),
        ("request_verification", json!({ "verification_token_hash": hash })),
        ("verify_email", json!({ "token": "x", "token_hash": hash })),
        ("change_password", json!({ "password": "long enough, this", "password_hash": "!" })),
        ("change_password", json!({ "password_hash": "!" })),
    ] {
        let asked = server.post(admin, &format!("{USERS}/{ada}/{name}"), fields).await;
        asked.refused(422, "invalid");
    }
    let key = json!({ "user_id": ada, "name": "k", "scopes": ["*"] });
    for (field, value) in [("prefix", "dbk_mine"), ("secret_hash", hash.as_str())] {
        let mut fields = key.clone();
        fields[field] = value.into();
        let asked = server.post(admin, KEYS, fields).await.refused(422, "invalid");
        assert_eq!(asked.body["errors"][0]["pointer"], format!("/{field}"), "{asked:?}");
    }
    // What is so already makes no token, and shows none.
    let path = format!("{USERS}/{ada}/change_email");
    let same = server.post(admin, &path, json!({ "email": "ada@example.org" })).await.ok();
    assert_eq!(same.body["events"], json!([]));
    assert!(same.body.get("verification_token").is_none(), "{same:?}");
}
