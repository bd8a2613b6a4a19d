//! What was changed by hand is in both trails of a state, up to its moment, however it is made.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod support;

use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_projector::as_of::{self, Order, State};
use daybook_store::{Life, NewEvent};
use sqlx::{AssertSqlSafe, PgPool};
use support::{World, event, rows};
use uuid::Uuid;

async fn made(
    world: &World,
    migrators: &PgPool,
    schema: &str,
    of: (i64, DateTime<Utc>, bool),
) -> State {
    let (position, instant, from_earlier) = of;
    let order = Order {
        schema: schema.to_owned(),
        position,
        instant: Some(instant),
        lasts: Some(Duration::from_secs(3600)),
        quota: 10,
        build: "this".to_owned(),
        from_earlier,
    };
    as_of::build(migrators, &world.log, &order, &|_| ()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_trails_of_a_state_have_what_was_changed_by_hand() {
    const TRAILS: [&str; 2] = ["audit_logs", "ssot_audit_logs"];
    let world = World::new().await;
    let worker = world.worker();
    let migrators = world.migrators().await;
    let mut administrator = world.database.superuser().await;
    let defined = serde_json::json!({
        "rule_name": "names", "check": { "kind": "name_pattern", "pattern": "^a" },
        "severity": "warning", "description": "plain", "enabled": true,
    });
    let rule =
        NewEvent { life: Life::Opens, ..event("contracts.governance_rule.defined", &defined) };
    world.write(Uuid::now_v7(), "contracts.governance_rule", 0, vec![rule]).await;
    let mut moments = Vec::new();
    for n in 0..3 {
        world.user(&format!("user{n}"), None).await;
        world.caught_up().await;
        let change = format!("UPDATE ssot_governance_rules SET description = 'by hand {n}'");
        sqlx::raw_sql(AssertSqlSafe(change)).execute(&mut administrator).await.unwrap();
        let instant: DateTime<Utc> = sqlx::query_scalar("SELECT clock_timestamp()")
            .fetch_one(&mut administrator)
            .await
            .unwrap();
        moments.push((
            world.log.position_at(instant).await.unwrap(),
            instant,
            rows("public", &mut administrator).await,
        ));
    }
    // The newest first, so that the others are not made from one that has too little.
    for (n, (position, instant, then)) in moments.iter().enumerate().rev() {
        for from_earlier in [false, true] {
            let name = format!("moment_{n}_{from_earlier}");
            made(&world, &migrators, &name, (*position, *instant, from_earlier)).await;
            let state = rows(&name, &mut administrator).await;
            for trail in TRAILS {
                assert_eq!(state[trail], then[trail], "{trail} of {name}");
                let by_hand = state[trail].iter().filter(|row| row.contains("OUT_OF_BAND")).count();
                assert_eq!(by_hand, n + 1, "{trail} of {name}");
            }
        }
    }
    let (position, instant, _) = &moments[2];
    let again = made(&world, &migrators, "again", (*position, *instant, true)).await;
    assert!(again.made_from.is_some());
    assert_eq!(
        rows("again", &mut administrator).await["ssot_audit_logs"],
        moments[2].2["ssot_audit_logs"]
    );
    worker.stop().await;
}
