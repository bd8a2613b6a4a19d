//! Live projection: events become rows and audit rows, once, in order.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::{World, at, deposited, entry, event, registered};
use uuid::Uuid;

#[allow(
    clippy::too_many_lines,
    clippy::type_complexity,
    reason = "one story, told from its beginning to its end"
)]
#[tokio::test(flavor = "multi_thread")]
async fn events_become_rows_and_audit_rows() {
    let world = World::new().await;
    let worker = world.worker();
    let ada = world.user("ada", None).await;
    let account = world.account(ada, "N-1", None).await;
    let long_ago = "1993-03-04T05:06:07Z".parse().unwrap();
    let payment = Uuid::from_u128(77);
    world
        .write(
            account,
            "banking.account",
            1,
            vec![
                at(deposited(10_000, 10_000), long_ago),
                entry(
                    "banking.account.payment_started",
                    "payment",
                    "pending",
                    (payment, 2_500, 10_000),
                ),
            ],
        )
        .await;
    let settled = json!({
        "transaction_id": payment, "transaction_type": "payment", "direction": "debit", "amount": "25.00",
        "currency": "CZK", "status": "completed", "balance_after": "75.00",
    });
    world
        .write(
            account,
            "banking.account",
            3,
            vec![event("banking.account.transaction_completed", &settled)],
        )
        .await;
    let password = json!({ "password_hash": format!("$2b$12${}", "a".repeat(53)) });
    world
        .write(ada, "identity.user", 1, vec![event("identity.user.password_changed", &password)])
        .await;
    world.caught_up().await;

    let balance: String = sqlx::query_scalar("SELECT balance::text FROM accounts WHERE id = $1")
        .bind(account)
        .fetch_one(&world.reader)
        .await
        .unwrap();
    assert_eq!(balance, "75.00");
    let transactions: Vec<(String, String, Option<String>)> = sqlx::query_as(
        "SELECT status, amount::text, balance_after::text FROM transactions ORDER BY transaction_date",
    )
    .fetch_all(&world.reader)
    .await
    .unwrap();
    assert_eq!(transactions[0], ("completed".into(), "100.00".into(), Some("100.00".into())));
    assert_eq!(transactions[1], ("completed".into(), "25.00".into(), Some("75.00".into())));
    let partition: String = sqlx::query_scalar(
        "SELECT tableoid::regclass::text FROM transactions ORDER BY transaction_date LIMIT 1",
    )
    .fetch_one(&world.reader)
    .await
    .unwrap();
    assert_eq!(partition, "transactions_y1993m03");

    let audit: Vec<(i64, String, String, Option<Value>, Option<Value>, String)> = sqlx::query_as(
        "SELECT id, action, entity_type, old_values, new_values, host(ip_address) FROM audit_logs
         WHERE entity_id IN ($1, $2) ORDER BY id",
    )
    .bind(account)
    .bind(payment)
    .fetch_all(&world.reader)
    .await
    .unwrap();
    let actions: Vec<(&str, &str)> =
        audit.iter().map(|(_, action, table, ..)| (action.as_str(), table.as_str())).collect();
    assert_eq!(
        actions,
        [
            ("INSERT", "accounts"),
            ("UPDATE", "accounts"),
            ("INSERT", "transactions"),
            ("UPDATE", "accounts"),
            ("UPDATE", "transactions"),
        ]
    );
    let (id, _, _, before, after, address) = &audit[3];
    assert_eq!(id >> 20, 6, "the position is in the id");
    assert_eq!(before.as_ref().unwrap()["balance"], "100.00");
    assert_eq!(after.as_ref().unwrap()["balance"], "75.00");
    assert!(after.as_ref().unwrap().get("account_number").is_none(), "only what changed");
    assert_eq!(address, "192.0.2.7");
    let secrets: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit_logs WHERE concat(old_values, new_values) LIKE '%password%'
            OR concat(old_values, new_values) LIKE '%$2b$%'",
    )
    .fetch_one(&world.reader)
    .await
    .unwrap();
    assert_eq!(secrets, 0);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_given_back_is_taken_in_the_same_batch() {
    let world = World::new().await;
    let ada = world.user("ada", None).await;
    let changed = json!({
        "from": "ada@example.com", "to": "ada@example.org", "verification_token_hash": "0".repeat(64),
    });
    let released = daybook_store::NewEvent {
        releases: vec![support::email_claim("ada")],
        ..event("identity.user.email_changed", &changed)
    };
    world.write(ada, "identity.user", 1, vec![released]).await;
    let mut again = registered("ada");
    again.data = again.data.replace("\"username\":\"ada\"", "\"username\":\"ada2\"");
    let other = support::id_in(None);
    world.write(other, "identity.user", 0, vec![again]).await;
    let worker = world.worker();
    world.caught_up().await;
    let owner: Uuid = sqlx::query_scalar(
        "SELECT user_id FROM user_identifiers WHERE kind = 'email' AND key = 'ada@example.com'",
    )
    .fetch_one(&world.reader)
    .await
    .unwrap();
    assert_eq!(owner, other);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_and_starting_loses_and_repeats_nothing() {
    let world = World::new().await;
    let ada = world.user("ada", None).await;
    let mut accounts = Vec::new();
    for n in 0..20 {
        accounts.push((world.account(ada, &format!("N-{n}"), None).await, 1));
    }
    for _ in 0..5 {
        let worker = world.worker();
        for (account, version) in &mut accounts {
            world.deposits(*account, *version, 2).await;
            *version += 2;
        }
        worker.stop().await;
    }
    let worker = world.worker();
    world.caught_up().await;
    assert_eq!(world.count("transactions").await, 20 * 10);
    let wrong: i64 = sqlx::query_scalar("SELECT count(*) FROM accounts WHERE balance <> 10.00")
        .fetch_one(&world.reader)
        .await
        .unwrap();
    assert_eq!(wrong, 0);
    let lag = world.posted.lag().await.unwrap();
    assert_eq!((lag.events, lag.posted_to), (0, lag.head));
    worker.stop().await;
}
