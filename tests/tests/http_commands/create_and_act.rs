//! What an accepted command is answered with, and what a refused one.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::support::{ACCOUNTS, House, KEYS, USERS, answer, opening, registration};

#[tokio::test]
async fn an_accepted_command_says_where_it_stands() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let id = Uuid::now_v7().to_string();
    let mut fields = opening(house.admin.id, "A-1");
    fields["id"] = id.clone().into();
    let opened = server.post(key, ACCOUNTS, fields).await;
    assert_eq!(opened.status, 201, "{opened:?}");
    assert_eq!(opened.body["stream_id"], id);
    assert_eq!(opened.body["version"], 1);
    assert_eq!(opened.body["events"], json!(["banking.account.opened"]));
    assert_eq!(opened.header("etag"), "\"1\"");
    assert_eq!(opened.header("location"), format!("{ACCOUNTS}/{id}"));
    assert_eq!(opened.header("daybook-position"), opened.body["position"].to_string());
    assert!(Uuid::parse_str(opened.header("idempotency-key")).is_ok());

    let path = format!("{ACCOUNTS}/{id}/deposit");
    let paid = server.post(key, &path, json!({ "amount": "5.00" })).await;
    assert_eq!(paid.status, 200, "{paid:?}");
    assert_eq!(paid.header("etag"), "\"2\"");
    assert_eq!(
        paid.body["position"].as_i64(),
        opened.body["position"].as_i64().map(|position| position + 1)
    );
    assert_ne!(paid.header("idempotency-key"), opened.header("idempotency-key"));

    // The same as words in the address; and doing what is so already appends nothing.
    let path = format!("{ACCOUNTS}/{id}/set-overdraft-limit");
    let same = server.post(key, &path, json!({ "overdraft_limit": "0.00" })).await.ok();
    assert_eq!(same.body["events"], json!([]));
    assert_eq!(same.body["version"], 2);
    let named = server.post(key, ACCOUNTS, opening(house.admin.id, "A-2")).await.ok();
    assert_eq!(named.header("location"), format!("{ACCOUNTS}/{}", named.stream()));
}

#[tokio::test]
async fn a_dry_run_decides_and_appends_nothing() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "D-1", "10.00").await;
    let before = house.events().await;
    let commands = house.number("SELECT count(*) FROM journal.commands").await;
    let path = format!("{ACCOUNTS}/{account}/withdraw?dry_run=true");

    let would = server.post(key, &path, json!({ "amount": "4.00" })).await.ok();
    assert_eq!(would.body["dry_run"], true);
    assert_eq!(would.body["version"], 3);
    assert_eq!(would.body["events"], json!(["banking.account.withdrawn"]));
    server.post(key, &path, json!({ "amount": "11.00" })).await.refused(409, "insufficient-funds");
    for (path, fields) in [
        (ACCOUNTS, opening(house.admin.id, "D-2")),
        (USERS, registration("dry")),
        (KEYS, json!({ "user_id": house.admin.id, "name": "dry", "scopes": ["*"] })),
    ] {
        let would = server.post(key, &format!("{path}?dry_run=true"), fields).await;
        assert_eq!(would.status, 200, "{would:?}");
        assert!(would.body.get("secret").is_none(), "{would:?}");
        assert!(would.body.get("verification_token").is_none(), "{would:?}");
    }
    assert_eq!(house.events().await, before);
    assert_eq!(house.number("SELECT count(*) FROM journal.commands").await, commands);

    // What was tried may then be done, under the same id, and is not taken for done.
    let id = [("idempotency-key", "try-then-do")];
    server.post_with(key, &path, json!({ "amount": "4.00" }), &id).await.ok();
    let path = format!("{ACCOUNTS}/{account}/withdraw");
    let done = server.post_with(key, &path, json!({ "amount": "4.00" }), &id).await.ok();
    assert!(done.body.get("replayed").is_none(), "{done:?}");
    assert_eq!(house.events().await, before + 1);
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let nobody = Uuid::now_v7();
    let account = server.account(key, house.admin.id, "N-1", "1.00").await;
    for (path, code) in [
        ("/v1/banking/loans".to_owned(), "not-found"),
        ("/v1/identity/admins".to_owned(), "not-found"),
        ("/v1/nowhere".to_owned(), "not-found"),
        (format!("{ACCOUNTS}/{nobody}/deposit"), "account-not-found"),
        (format!("{ACCOUNTS}/{account}/rob"), "not-found"),
        (format!("{ACCOUNTS}/{account}/open"), "not-found"),
        (format!("{ACCOUNTS}/17/deposit"), "not-found"),
        (format!("{ACCOUNTS}/{}/deposit", house.admin.id), "not-found"),
        (format!("{USERS}/{account}/suspend"), "not-found"),
        (format!("{USERS}/{nobody}/suspend"), "user-not-found"),
    ] {
        let fields = if path.ends_with("deposit") { json!({ "amount": "1" }) } else { json!({}) };
        server.post(key, &path, fields).await.refused(404, code);
    }
    for (method, path) in [
        (Method::DELETE, ACCOUNTS.to_owned()),
        (Method::PUT, format!("{ACCOUNTS}/{account}")),
        (Method::GET, format!("{ACCOUNTS}/{account}/deposit")),
        (Method::GET, "/v1/commands".to_owned()),
        (Method::POST, "/health/live".to_owned()),
    ] {
        let asked = answer(server.request(method, &path, key)).await;
        asked.refused(405, "method-not-allowed");
    }
}

#[tokio::test]
async fn who_has_no_key_is_nobody() {
    let (house, server) = House::served().await;
    let before = house.events().await;
    for header in
        [None, Some("Bearer"), Some("Bearer "), Some("Bearer dbk_nothing"), Some("Basic YTpi")]
    {
        let mut request = daybook_tests::client()
            .post(server.url(ACCOUNTS))
            .json(&opening(house.admin.id, "X-1"));
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let asked = answer(request).await.refused(401, "unauthenticated");
        assert_eq!(asked.header("www-authenticate"), "Bearer");
    }
    // The key's hash, its prefix and a key with more behind it are no keys.
    let key = &house.admin.key;
    let hash = daybook_command::secrets::token_hash(key);
    for other in [hash.as_str(), &key[..12], &format!("{key}x"), &key.to_uppercase()] {
        server.post(other, ACCOUNTS, json!({})).await.refused(401, "unauthenticated");
    }
    assert_eq!(house.events().await, before);
}

#[tokio::test]
async fn time_is_said_by_those_who_may_import_and_never_ahead() {
    let (house, server) = House::served().await;
    let clerk = house.person("clerk", "manager", &["*"]).await;
    let owner = house.person("owner", "user", &["*"]).await;
    house.posted().await;
    let admin = &house.admin.key;
    let account = server.account(admin, owner.id, "T-1", "10.00").await;
    let path = format!("{ACCOUNTS}/{account}/deposit");
    let then = json!({ "amount": "1.00", "occurred_at": "1993-01-01T00:00:00Z" });
    let said = server.post(admin, &path, then.clone()).await.ok();
    assert_eq!(said.body["events"], json!(["banking.account.deposited"]));
    server.post(&clerk.key, &path, then.clone()).await.refused(403, "forbidden");
    server.post(&owner.key, &path, then).await.refused(403, "forbidden");
    for (time, status) in [
        (json!((chrono::Utc::now() + chrono::Duration::hours(1)).to_rfc3339()), 422),
        (json!("2999-01-01T00:00:00Z"), 422),
        (json!("yesterday"), 422),
        (json!(7), 422),
    ] {
        let asked =
            server.post(admin, &path, json!({ "amount": "1.00", "occurred_at": time })).await;
        let asked = asked.refused(status, "invalid");
        assert_eq!(asked.body["errors"][0]["pointer"], "/occurred_at", "{asked:?}");
    }
    let line = json!({ "type": "banking.account.deposit", "stream_id": account,
        "occurred_at": "1993-01-01T00:00:00Z", "data": { "amount": "1.00" } });
    assert_eq!(server.many(&owner.key, &[line]).await[0]["status"], 403);
}

#[tokio::test]
async fn fields_at_fault_are_pointed_at() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "P-1", "1.00").await;
    let deposit = format!("{ACCOUNTS}/{account}/deposit");
    for (path, fields, pointer) in [
        (deposit.as_str(), json!({ "amount": "-1" }), "/amount"),
        (deposit.as_str(), json!({ "amount": 1 }), "/amount"),
        (deposit.as_str(), json!({ "amount": "1", "id": Uuid::now_v7() }), "/id"),
        (deposit.as_str(), json!({ "amount": "1", "currency": "euro" }), "/currency"),
        (deposit.as_str(), json!({ "amount": "1", "transaction_id": "x" }), "/transaction_id"),
        (USERS, json!({ "username": "a", "password": "short" }), "/password"),
        (USERS, json!({ "username": "a" }), "/password"),
        (
            KEYS,
            json!({ "user_id": house.admin.id, "name": "k", "scopes": ["*", "x"] }),
            "/scopes/1",
        ),
        (deposit.as_str(), json!({}), "/amount"),
        (deposit.as_str(), json!({ "amount": "1", "a/b~c": 1 }), "/a~1b~0c"),
    ] {
        let asked = server.post(key, path, fields).await.refused(422, "invalid");
        assert_eq!(asked.body["errors"][0]["pointer"], pointer, "{asked:?}");
        assert!(asked.body["errors"][0]["detail"].is_string(), "{asked:?}");
    }
}
