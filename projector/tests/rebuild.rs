//! A rebuild gives what live projection gave, finds what was changed by hand, and can take its place.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod support;

use std::sync::atomic::{AtomicI64, Ordering};

use daybook_projector::queries::past::{Past, Upto, fold};
use daybook_projector::rebuild::{self, Memory, Options, Progress, Report};
use serde_json::json;
use sqlx::AssertSqlSafe;
use support::{World, at, deposited, entry, event};
use uuid::Uuid;

/// So little that rows are written and found again all the time.
const TIGHT: Memory = Memory { kept: 3, gathered: 10 };

async fn check(world: &World, memory: Memory) -> Report {
    rebuild::check(&world.projector, &world.log, memory, 10, &|_| {}).await.unwrap()
}

/// Two users, thirty accounts, payments pending, settled and failed, dates of the past.
async fn history(world: &World) -> Vec<Uuid> {
    let ada = world.user("ada", None).await;
    let bob = world.user("bob", None).await;
    let mut accounts = Vec::new();
    for n in 0..30 {
        let owner = if n % 2 == 0 { ada } else { bob };
        accounts.push(world.account(owner, &format!("N-{n}"), None).await);
    }
    let long_ago = "1994-02-03T04:05:06.789Z".parse().unwrap();
    for (n, account) in accounts.iter().enumerate() {
        let payment = Uuid::now_v7();
        let start =
            entry("banking.account.payment_started", "payment", "pending", (payment, 150, 900));
        world
            .write(*account, "banking.account", 1, vec![at(deposited(900, 900), long_ago), start])
            .await;
        let settled = |status: &str, balance: &str| {
            json!({
                "transaction_id": payment, "transaction_type": "payment", "direction": "debit",
                "amount": "1.50", "currency": "CZK", "status": status, "balance_after": balance,
            })
        };
        let end = match n % 3 {
            0 => event("banking.account.transaction_completed", &settled("completed", "7.50")),
            1 => event("banking.account.transaction_failed", &settled("failed", "9.00")),
            _ => continue,
        };
        world.write(*account, "banking.account", 3, vec![end]).await;
    }
    let key = json!({
        "user_id": ada, "name": "mine", "prefix": "dbk_1234", "secret_hash": "a".repeat(64),
        "scopes": ["banking.account:read", "*"],
    });
    let id = Uuid::now_v7();
    let issued = daybook_store::NewEvent {
        life: daybook_store::Life::Opens,
        references: vec![ada],
        ..event("identity.api_key.issued", &key)
    };
    world.write(id, "identity.api_key", 0, vec![issued]).await;
    world
        .write(id, "identity.api_key", 1, vec![event("identity.api_key.revoked", &json!({}))])
        .await;
    accounts
}

#[tokio::test(flavor = "multi_thread")]
async fn live_and_rebuild_are_the_same_rows() {
    let world = World::new().await;
    let worker = world.worker();
    history(&world).await;
    world.caught_up().await;
    for memory in [Memory::default(), TIGHT] {
        let report = check(&world, memory).await;
        assert!(report.is_same(), "{report:#?}");
        let rows: i64 = report.tables.iter().map(|table| table.rebuilt).sum();
        assert!(rows > 200, "{report:#?}");
    }
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_finds_what_was_changed_by_hand_and_a_rebuild_mends_it() {
    let world = World::new().await;
    let worker = world.worker();
    let accounts = history(&world).await;
    world.caught_up().await;
    let mut administrator = world.database.superuser().await;
    sqlx::raw_sql("UPDATE users SET password_hash = 'stolen' WHERE username = 'ada'")
        .execute(&mut administrator)
        .await
        .unwrap();
    sqlx::query("UPDATE accounts SET balance = 1000000 WHERE id = $1")
        .bind(accounts[3])
        .execute(&mut administrator)
        .await
        .unwrap();
    sqlx::raw_sql(
        "DELETE FROM audit_logs WHERE id = (SELECT min(id) FROM audit_logs WHERE id > 0)",
    )
    .execute(&mut administrator)
    .await
    .unwrap();
    let report = check(&world, Memory::default()).await;
    let found = |name: &str| report.tables.iter().find(|table| table.table == name).unwrap();
    assert_eq!(found("users").different, 1);
    assert!(found("users").rows[0].columns.contains(&"password_hash".to_owned()));
    assert!(!format!("{report:?}").contains("stolen"), "secrets are never shown");
    assert_eq!(found("accounts").rows[0].key, json!({ "id": accounts[3] }));
    assert_eq!(found("audit_logs").different, 1);
    assert!(found("audit_logs").rows[0].live.is_none());
    assert_eq!(found("transactions").different, 0);

    let by_hand = out_of_band(&mut administrator).await;
    assert_eq!(by_hand.len(), 3, "{by_hand:?}");
    assert!(by_hand[1].contains("1000000"), "{by_hand:?}");
    assert!(!format!("{by_hand:?}").contains("stolen"), "secrets are never shown");

    let migrators = world.migrators().await;
    let reached = AtomicI64::new(0);
    let progress = |progress: Progress| {
        reached.fetch_max(progress.done, Ordering::SeqCst);
    };
    let options = Options { memory: TIGHT, ..Options::new(Uuid::now_v7(), "this") };
    let waits = rebuild::blue_green(&migrators, &world.log, &options, &progress).await.unwrap();
    assert!(!waits.live && waits.rows > 200, "{waits:#?}");
    assert_eq!(waits.report.different(), 3, "{waits:#?}");
    let account = waits.report.tables.iter().find(|table| table.table == "accounts").unwrap();
    let event = account.rows[0].event.as_ref().unwrap();
    assert_eq!((event.stream_id, event.version), (accounts[3], 4), "{event:?}");
    assert!(reached.load(Ordering::SeqCst) > 0, "it says how far it is");
    // Partitions that the new tables do not have yet.
    sqlx::raw_sql("SELECT projector.make_partitions(t.table_name, '1993-01-01', '1993-01-01') FROM projector.monthly_tables t")
        .execute(&mut administrator)
        .await
        .unwrap();
    let before = indexes_and_keys(&mut administrator).await;
    let accepted = Options { force: true, ..Options::new(Uuid::now_v7(), "this") };
    let taken = rebuild::blue_green(&migrators, &world.log, &accepted, &|_| ()).await.unwrap();
    assert!(taken.live && taken.rows == 0, "what was filled is not filled again: {taken:#?}");
    assert_eq!(indexes_and_keys(&mut administrator).await, before);
    assert_eq!(
        out_of_band(&mut administrator).await,
        by_hand,
        "a rebuild forgets no change by hand"
    );
    assert!(bound(&mut administrator).await, "policies bind the owner again");
    let report = check(&world, Memory::default()).await;
    assert!(report.is_same(), "{report:#?}");

    // The worker was fenced and goes on from the new checkpoints.
    world.deposits(accounts[2], 3, 5).await;
    world.caught_up().await;
    let report = check(&world, Memory::default()).await;
    assert!(report.is_same(), "{report:#?}");
    worker.stop().await;
    emptied_partitions_are_written_down(&mut administrator).await;
}

/// Partitions of the new tables, however they were made, are watched as those before them were.
async fn emptied_partitions_are_written_down(connection: &mut sqlx::PgConnection) {
    let partitions: Vec<String> = sqlx::query_scalar(
        "SELECT p.relname::text
         FROM pg_inherits i JOIN pg_class t ON t.oid = i.inhparent JOIN pg_class p ON p.oid = i.inhrelid
         WHERE t.relkind = 'p' AND t.relnamespace = 'public'::regnamespace ORDER BY 1",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    assert!(partitions.iter().any(|name| name == "transactions_y1993m01"), "{partitions:?}");
    for partition in &partitions {
        let lines = "SELECT count(*) FROM journal.drift WHERE new_values ->> 'partition' = $1";
        let before: i64 =
            sqlx::query_scalar(lines).bind(partition).fetch_one(&mut *connection).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("TRUNCATE public.{partition} CASCADE")))
            .execute(&mut *connection)
            .await
            .unwrap();
        let after: i64 =
            sqlx::query_scalar(lines).bind(partition).fetch_one(&mut *connection).await.unwrap();
        assert_eq!(after, before + 1, "{partition}");
    }
}

/// The audit rows of changes by hand, oldest first.
async fn out_of_band(connection: &mut sqlx::PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT to_jsonb(a)::text FROM audit_logs a WHERE id < 0 AND action = 'OUT_OF_BAND' ORDER BY id DESC",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

async fn bound(connection: &mut sqlx::PgConnection) -> bool {
    sqlx::query_scalar(
        "SELECT bool_and(relrowsecurity AND relforcerowsecurity) FROM pg_class
         WHERE oid IN ('users'::regclass, 'accounts'::regclass, 'audit_logs'::regclass)",
    )
    .fetch_one(connection)
    .await
    .unwrap()
}

async fn indexes_and_keys(connection: &mut sqlx::PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid::regclass::text !~ '^(pg_|_sqlx|journal|projector|read_model)'
         UNION ALL SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND connamespace = 'public'::regnamespace
         ORDER BY 1",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_of_an_entity_is_its_stream_folded() {
    let world = World::new().await;
    let accounts = history(&world).await;
    let account = accounts[0];
    let balance = |state: &Past| {
        let row = state.rows.iter().find(|row| row.table == "accounts").unwrap();
        serde_json::from_str::<serde_json::Value>(row.row.get()).unwrap()["balance"].clone()
    };
    let opened = fold(&world.log, account, Upto::Version(1)).await.unwrap();
    assert_eq!(balance(&opened), "0.00");
    let now = fold(&world.log, account, Upto::Version(i64::MAX)).await.unwrap();
    assert_eq!((balance(&now), now.version), (json!("7.50"), 4));
    assert_eq!(now.rows.len(), 3, "the account and two transactions");
    let events = world.log.stream(account, 0, None).await.unwrap();
    let third = &events[2];
    let then = fold(&world.log, account, Upto::Position(third.position)).await.unwrap();
    assert_eq!((balance(&then), then.version, then.position), (json!("9.00"), 3, third.position));
    let then = fold(&world.log, account, Upto::Instant(third.recorded_at)).await.unwrap();
    assert_eq!((then.version, then.position), (3, third.position));
    let before = fold(&world.log, account, Upto::Position(1)).await.unwrap();
    assert_eq!((before.version, before.rows.len()), (0, 0));
}
