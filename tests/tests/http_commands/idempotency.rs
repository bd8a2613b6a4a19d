//! The same command sent again: applied once, answered as at first, whatever has changed since.

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{ACCOUNTS, Answer, House, Server, USERS, opening, registration};

fn same_place(again: &Answer, first: &Answer) {
    for part in ["stream_id", "version", "position", "events"] {
        assert_eq!(again.body[part], first.body[part], "{part}: {again:?} after {first:?}");
    }
    assert_eq!(again.status, first.status);
    assert_eq!(again.body["replayed"], true, "{again:?}");
    for header in ["etag", "location", "daybook-position", "idempotency-key"] {
        assert_eq!(again.header(header), first.header(header));
    }
}

#[tokio::test]
async fn the_first_answer_stands_after_everything_has_changed() {
    let (house, server) = House::served().await;
    let other = house.serve("two", &[]).await;
    let key = &house.admin.key;
    let id = [("idempotency-key", "pay the rent, May")];
    let account = server.account(key, house.admin.id, "I-1", "10.00").await;
    let act = |server: &Server, name: &str, fields: Value| {
        let (path, request) = (format!("{ACCOUNTS}/{account}/{name}"), server.url(""));
        assert!(!request.is_empty());
        (path, fields)
    };
    let (withdraw, ten) = act(&server, "withdraw", json!({ "amount": "10.00" }));
    let first = server.post_with(key, &withdraw, ten.clone(), &id).await.ok();
    let appended = house.events().await;

    // Now it would be refused: nothing is left.
    same_place(&server.post_with(key, &withdraw, ten.clone(), &id).await, &first);
    // Now it would be possible again.
    let deposit = format!("{ACCOUNTS}/{account}/deposit");
    server.post(key, &deposit, json!({ "amount": "50.00" })).await.ok();
    same_place(&server.post_with(key, &withdraw, ten.clone(), &id).await, &first);
    same_place(&other.post_with(key, &withdraw, ten.clone(), &id).await, &first);
    // The same fields in another order are the same command.
    let freeze = format!("{ACCOUNTS}/{account}/freeze");
    server.post(key, &freeze, json!({})).await.ok();
    same_place(&other.post_with(key, &withdraw, ten.clone(), &id).await, &first);
    assert_eq!(house.events().await, appended + 2);

    for (path, fields) in [
        (&withdraw, json!({ "amount": "10.01" })),
        (&deposit, json!({ "amount": "10.00" })),
        (&withdraw, json!({ "amount": "10.00", "description": "rent" })),
    ] {
        for server in [&server, &other] {
            let asked = server.post_with(key, path, fields.clone(), &id).await;
            asked.refused(422, "idempotency-key-reused");
        }
    }
    assert_eq!(house.events().await, appended + 2);
    let book = house.book(&account).await;
    assert_eq!(book.balance.to_string(), "50.00");
}

#[tokio::test]
async fn a_creation_without_an_id_is_made_once() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let id = [("idempotency-key", "0193f3c4-0000-7000-8000-00000000abcd")];
    let fields = opening(house.admin.id, "I-2");
    let first = server.post_with(key, ACCOUNTS, fields.clone(), &id).await;
    assert_eq!(first.status, 201);
    assert_eq!(first.header("idempotency-key"), id[0].1);
    same_place(&server.post_with(key, ACCOUNTS, fields, &id).await, &first);

    let id = [("idempotency-key", "register ada")];
    let first = server.post_with(key, USERS, registration("ada"), &id).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert!(first.body["verification_token"].is_string());
    let again = server.post_with(key, USERS, registration("ada"), &id).await;
    same_place(&again, &first);
    assert!(again.body.get("verification_token").is_none(), "shown once: {again:?}");
    server
        .post_with(key, USERS, registration("bob"), &id)
        .await
        .refused(422, "idempotency-key-reused");
}

#[tokio::test]
async fn a_key_made_for_the_caller_is_theirs_to_send_again() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "I-3", "10.00").await;
    let path = format!("{ACCOUNTS}/{account}/withdraw");
    let first = server.post(key, &path, json!({ "amount": "1.00" })).await.ok();
    let made = first.header("idempotency-key").to_owned();
    let id = [("idempotency-key", made.as_str())];
    same_place(&server.post_with(key, &path, json!({ "amount": "1.00" }), &id).await, &first);
}

#[tokio::test]
async fn a_refusal_is_no_answer_that_stays() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "I-4", "0.00").await;
    let path = format!("{ACCOUNTS}/{account}/withdraw");
    let id = [("idempotency-key", "patient")];
    let asked = server.post_with(key, &path, json!({ "amount": "5.00" }), &id).await;
    asked.refused(409, "insufficient-funds");
    let deposit = format!("{ACCOUNTS}/{account}/deposit");
    server.post(key, &deposit, json!({ "amount": "5.00" })).await.ok();
    let done = server.post_with(key, &path, json!({ "amount": "5.00" }), &id).await.ok();
    assert!(done.body.get("replayed").is_none());
}

#[tokio::test]
async fn keys_of_two_callers_do_not_meet() {
    let (house, server) = House::served().await;
    let (ada, bob) =
        (house.person("ada", "user", &["*"]).await, house.person("bob", "user", &["*"]).await);
    house.posted().await;
    let id = [("idempotency-key", "mine")];
    for (who, number) in [(&ada, "I-5"), (&bob, "I-6")] {
        let made = server.post_with(&who.key, ACCOUNTS, opening(who.id, number), &id).await.ok();
        assert!(made.body.get("replayed").is_none());
    }
    // A second key of the same person is the same caller.
    let second = house.key_of(ada.id, &["*"]).await;
    house.posted().await;
    let again = server.post_with(&second.key, ACCOUNTS, opening(ada.id, "I-5"), &id).await.ok();
    assert_eq!(again.body["replayed"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_at_the_same_time_are_applied_once() {
    let (house, one) = House::served().await;
    let two = house.serve("two", &[]).await;
    let key = &house.admin.key;
    let account = one.account(key, house.admin.id, "I-7", "1000.00").await;
    let before = house.events().await;
    let path = format!("{ACCOUNTS}/{account}/withdraw");
    let rounds = 12;
    for _ in 0..rounds {
        let id = Uuid::now_v7().to_string();
        let headers = [("idempotency-key", id.as_str())];
        let asked = (0..16).map(|n| {
            let server = if n % 2 == 0 { &one } else { &two };
            server.post_with(key, &path, json!({ "amount": "1.00" }), &headers)
        });
        let answers = join_all(asked).await;
        let accepted: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        let fresh = accepted.iter().filter(|answer| answer.body.get("replayed").is_none());
        assert_eq!(fresh.count(), 1, "{answers:?}");
        for answer in &answers {
            if answer.status == 200 {
                assert_eq!(answer.body["position"], accepted[0].body["position"], "{answers:?}");
            } else {
                answer.clone().refused(409, "in-progress").header("retry-after");
            }
        }
    }
    assert_eq!(house.events().await, before + rounds);
    assert_eq!(house.book(&account).await.balance.to_string(), "988.00");
}
