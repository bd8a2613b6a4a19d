//! Keys: what they are limited to, and how soon they stop working.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{ACCOUNTS, House, KEYS, Person, Server, USERS};

const AT_MOST: Duration = Duration::from_secs(5);

/// A command that changes nothing (or is refused by a rule), to see whether the key works.
async fn works(server: &Server, person: &Person) -> bool {
    let path = format!("{USERS}/{}/change_profile?dry_run=true", person.id);
    let asked = server.post(&person.key, &path, json!({})).await;
    assert!([200, 401, 409].contains(&asked.status.as_u16()), "{asked:?}");
    asked.status != 401
}

/// Waits until the key no longer works, on each server, and says how long that took once it was posted.
/// When it was tried counts, not when that was answered.
async fn stops(house: &House, servers: &[&Server], person: &Person) -> Duration {
    house.posted().await;
    let posted = Instant::now();
    for server in servers {
        let mut tried = posted.elapsed();
        while works(server, person).await {
            assert!(tried < AT_MOST, "it still works after {tried:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
            tried = posted.elapsed();
        }
    }
    posted.elapsed()
}

#[tokio::test]
async fn a_key_stops_within_five_seconds() {
    let (house, one) = House::served().await;
    let two = house.serve("two", &[]).await;
    let admin = &house.admin.key;
    for (name, role) in [("revoked", "user"), ("suspended", "manager"), ("gone", "viewer")] {
        let person = house.person(name, role, &["*"]).await;
        house.posted().await;
        assert!(works(&one, &person).await && works(&two, &person).await);
        let path = match name {
            "revoked" => format!("{KEYS}/{}/revoke", person.key_id),
            "suspended" => format!("{USERS}/{}/suspend", person.id),
            _ => format!("{USERS}/{}/delete", person.id),
        };
        one.post(admin, &path, json!({})).await.ok();
        println!("{name}: {:?}", stops(&house, &[&one, &two], &person).await);
    }
    // The one before a rotation, and the one after.
    let person = house.person("rotated", "user", &["*"]).await;
    house.posted().await;
    assert!(works(&one, &person).await);
    let path = format!("{KEYS}/{}/rotate", person.key_id);
    let rotated = one.post(&person.key, &path, json!({})).await.ok();
    let new =
        Person { key: rotated.body["secret"].as_str().expect("a key").into(), ..person.clone() };
    println!("rotated: {:?}", stops(&house, &[&one, &two], &person).await);
    assert!(works(&two, &new).await);
}

#[tokio::test]
async fn a_key_stops_when_its_time_is_over() {
    let (house, server) = House::served().await;
    // Until then it is issued, posted and tried.
    let ends = chrono::Utc::now() + chrono::Duration::seconds(15);
    let fields = json!({ "user_id": house.admin.id, "name": "brief", "scopes": ["*"],
        "expires_at": ends.to_rfc3339() });
    let issued = server.post(&house.admin.key, KEYS, fields).await.ok();
    let brief = Person {
        key: issued.body["secret"].as_str().expect("a key").into(),
        ..house.admin.clone()
    };
    house.posted().await;
    assert!(works(&server, &brief).await);
    while chrono::Utc::now() < ends {
        works(&server, &brief).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!works(&server, &brief).await, "it works after {ends}, be it remembered or not");
    for past in ["2020-01-01T00:00:00Z".to_owned(), ends.to_rfc3339()] {
        let fields = json!({ "user_id": house.admin.id, "name": "past", "scopes": ["*"], "expires_at": past });
        let asked = server.post(&house.admin.key, KEYS, fields).await;
        assert!(asked.status.is_client_error(), "{asked:?}");
    }
}

#[tokio::test]
async fn a_new_key_works_at_once_though_it_was_tried_too_early() {
    let (house, server) = House::served().await;
    let fields = json!({ "user_id": house.admin.id, "name": "new", "scopes": ["*"] });
    let issued = server.post(&house.admin.key, KEYS, fields).await.ok();
    let new = Person {
        key: issued.body["secret"].as_str().expect("a key").into(),
        ..house.admin.clone()
    };
    let _too_early_perhaps = works(&server, &new).await;
    house.posted().await;
    let posted = Instant::now();
    let mut tried = posted.elapsed();
    while !works(&server, &new).await {
        // When it was tried, that is: the answer may have taken long.
        assert!(tried < Duration::from_millis(800), "unknown long after it is posted");
        tokio::time::sleep(Duration::from_millis(20)).await;
        tried = posted.elapsed();
    }
}

#[tokio::test]
async fn another_role_counts_within_five_seconds() {
    let (house, server) = House::served().await;
    let clerk = house.person("clerk", "manager", &["*"]).await;
    house.posted().await;
    let account = server.account(&house.admin.key, house.admin.id, "Z-1", "1.00").await;
    let path = format!("{ACCOUNTS}/{account}/charge_fee?dry_run=true");
    let fee = json!({ "amount": "0.10" });
    server.post(&clerk.key, &path, fee.clone()).await.ok();
    let demote = format!("{USERS}/{}/change_role", clerk.id);
    server.post(&house.admin.key, &demote, json!({ "role": "user" })).await.ok();
    house.posted().await;
    let posted = Instant::now();
    let mut tried = posted.elapsed();
    while server.post(&clerk.key, &path, fee.clone()).await.status != 403 {
        assert!(tried < AT_MOST, "the old role still counts after {tried:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
        tried = posted.elapsed();
    }
}

async fn allowed(server: &Server, key: &str, path: &str, fields: Value) -> bool {
    let asked = server.post(key, &format!("{path}?dry_run=true"), fields).await;
    assert!(asked.status == 403 || asked.status.is_success(), "{asked:?}");
    asked.status != 403
}

#[tokio::test]
async fn scopes_narrow_and_never_widen() {
    let (house, server) = House::served().await;
    let ada = house.person("ada", "user", &["*"]).await;
    let admin = &house.admin.key;
    let own = server.account(admin, ada.id, "Y-1", "10.00").await;
    let foreign = server.account(admin, house.admin.id, "Y-2", "10.00").await;
    let act = |account: &str, name: &str| format!("{ACCOUNTS}/{account}/{name}");
    let one = || json!({ "amount": "1.00" });
    // Scopes, and whether deposit and withdraw on one's own, deposit on another's are allowed.
    for (scopes, expected) in [
        (vec!["*"], [true, true, false]),
        (vec!["*:*"], [true, true, false]),
        (vec!["banking.*:*"], [true, true, false]),
        (vec!["banking.account:*"], [true, true, false]),
        (vec!["banking.account:deposit"], [true, false, false]),
        (vec!["*:withdraw"], [false, true, false]),
        (vec!["banking.account:read"], [false, false, false]),
        (vec!["identity.*:*"], [false, false, false]),
        (vec!["identity.user:read", "banking.account:withdraw"], [false, true, false]),
    ] {
        let key = house.key_of(ada.id, &scopes).await.key;
        house.posted().await;
        let found = [
            allowed(&server, &key, &act(&own, "deposit"), one()).await,
            allowed(&server, &key, &act(&own, "withdraw"), one()).await,
            allowed(&server, &key, &act(&foreign, "deposit"), one()).await,
        ];
        assert_eq!(found, expected, "{scopes:?}");
    }
    // A narrow key makes no wider one, and does not get at a wider one's secret.
    let wide = house.key_of(house.admin.id, &["*"]).await;
    let narrow =
        house.key_of(house.admin.id, &["identity.api_key:*", "banking.account:read"]).await;
    house.posted().await;
    let issue = |owner: &Person, scopes: &[&str]| json!({ "user_id": owner.id, "name": "n", "scopes": scopes });
    for (fields, expected) in [
        (issue(&house.admin, &["*"]), false),
        (issue(&house.admin, &["banking.*:read"]), false),
        (issue(&house.admin, &["banking.account:*"]), false),
        (issue(&house.admin, &["banking.account:read", "log:read"]), false),
        (issue(&ada, &["*"]), false),
        (issue(&house.admin, &["banking.account:read"]), true),
        (issue(&ada, &["identity.api_key:issue"]), true),
    ] {
        assert_eq!(allowed(&server, &narrow.key, KEYS, fields.clone()).await, expected, "{fields}");
    }
    let rotate = |key: &Person| format!("{KEYS}/{}/rotate", key.key_id);
    assert!(!allowed(&server, &narrow.key, &rotate(&wide), json!({})).await);
    assert!(allowed(&server, &narrow.key, &rotate(&narrow), json!({})).await);
    assert!(allowed(&server, &wide.key, &rotate(&wide), json!({})).await);
    // What is no scope makes no key.
    for scopes in [json!([]), json!(null), json!(["everything"]), json!(vec!["*"; 65])] {
        let fields = json!({ "user_id": house.admin.id, "name": "n", "scopes": scopes });
        let asked = server.post(admin, KEYS, fields).await;
        assert!(asked.status.is_client_error(), "{asked:?}");
    }
    server
        .post(admin, KEYS, json!({ "user_id": house.admin.id, "name": "n" }))
        .await
        .refused(422, "invalid");
}
