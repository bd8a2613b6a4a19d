//! `If-Match`, `If-None-Match`, and the parameters of a command.

use serde_json::json;
use uuid::Uuid;

use crate::support::{ACCOUNTS, House, USERS, opening, registration};

#[tokio::test]
async fn another_version_than_expected_changes_nothing() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "V-1", "10.00").await;
    let path = format!("{ACCOUNTS}/{account}/deposit");
    let before = house.events().await;
    for wrong in ["\"1\"", "\"3\""] {
        let asked = server
            .post_with(key, &path, json!({ "amount": "1" }), &[("if-match", wrong)])
            .await
            .refused(412, "version-mismatch");
        assert_eq!(asked.body["actual_version"], 2, "{asked:?}");
    }
    let create = [("if-none-match", "*")];
    let asked = server.post_with(key, &path, json!({ "amount": "1" }), &create).await;
    assert_eq!(asked.refused(412, "version-mismatch").body["expected_version"], 0);
    assert_eq!(house.events().await, before);

    let right = [("if-match", "\"2\""), ("idempotency-key", "third")];
    let done = server.post_with(key, &path, json!({ "amount": "1" }), &right).await.ok();
    assert_eq!(done.header("etag"), "\"3\"");
    // Sent again, it has its first answer, though the version is another one now.
    let again = server.post_with(key, &path, json!({ "amount": "1" }), &right).await.ok();
    assert_eq!(again.body["replayed"], true);
    assert_eq!(again.header("etag"), "\"3\"");
    assert_eq!(house.events().await, before + 1);
}

#[tokio::test]
async fn what_must_not_exist_yet_does_not() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let create = [("if-none-match", "*")];
    let mut fields = opening(house.admin.id, "C-1");
    fields["id"] = Uuid::now_v7().to_string().into();
    let made = server.post_with(key, ACCOUNTS, fields.clone(), &create).await;
    assert_eq!(made.status, 201, "{made:?}");
    let again = server.post_with(key, ACCOUNTS, fields.clone(), &create).await;
    assert_eq!(again.refused(412, "version-mismatch").body["actual_version"], 1);
    server.post(key, ACCOUNTS, fields.clone()).await.refused(409, "account-already-open");
    let elsewhere = [("if-match", "\"4\"")];
    let new = opening(house.admin.id, "C-2");
    let asked = server.post_with(key, ACCOUNTS, new, &elsewhere).await;
    assert_eq!(asked.refused(412, "version-mismatch").body["actual_version"], 0);
    // An id that something else has.
    let mut user = registration("squatter");
    user["id"] = fields["id"].clone();
    let asked = server.post(key, USERS, user).await;
    assert!(asked.status.is_client_error(), "{asked:?}");
}

#[tokio::test]
async fn headers_that_make_no_sense_are_refused() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "H-1", "10.00").await;
    let path = format!("{ACCOUNTS}/{account}/deposit");
    let before = house.events().await;
    let long = "k".repeat(256);
    for headers in [
        vec![("if-match", "3")],
        vec![("if-match", "*")],
        vec![("if-match", "W/\"3\"")],
        vec![("if-match", "\"-1\"")],
        vec![("if-match", "\"0\"")],
        vec![("if-match", "\"99999999999999999999\"")],
        vec![("if-match", "\"2\", \"3\"")],
        vec![("if-none-match", "\"2\"")],
        vec![("if-none-match", "*"), ("if-match", "\"2\"")],
        vec![("if-match", "\"2\""), ("if-match", "\"3\"")],
        vec![("idempotency-key", "")],
        vec![("idempotency-key", "   ")],
        vec![("idempotency-key", long.as_str())],
        vec![("idempotency-key", "schlüssel")],
        vec![("idempotency-key", "a"), ("idempotency-key", "b")],
    ] {
        let asked = server.post_with(key, &path, json!({ "amount": "1" }), &headers).await;
        assert_eq!(asked.status, 400, "{headers:?} {asked:?}");
        asked.refused(400, "malformed");
    }
    for query in
        ["dry_run=yes", "dry_run=true&dry_run=false", "dryrun=true", "dry_run", "a=1&b=2", "%ff=1"]
    {
        let asked = server.post(key, &format!("{path}?{query}"), json!({ "amount": "1" })).await;
        assert_eq!(asked.status, 400, "{query} {asked:?}");
        asked.refused(400, "malformed");
    }
    assert_eq!(house.events().await, before);
    let longest = "k".repeat(255);
    for fine in ["x", "order 17/b", longest.as_str()] {
        let headers = [("idempotency-key", fine)];
        server.post_with(key, &path, json!({ "amount": "1" }), &headers).await.ok();
    }
}
