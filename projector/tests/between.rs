//! What changed between two positions is what two whole states say, and who did it.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod support;

use std::collections::BTreeMap;

use daybook_domain::context::SYSTEM_USER;
use daybook_projector::as_of::{self, Order};
use daybook_projector::between::{self, Became, NetRow};
use daybook_projector::catalog::TABLES;
use daybook_projector::rebuild::RebuildError;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use support::{World, event};

async fn changes(world: &World, from: i64, to: i64) -> (between::Report, Vec<NetRow>) {
    let mut found = Vec::new();
    let each = async |rows: Vec<NetRow>| -> Result<(), RebuildError> {
        found.extend(rows);
        Ok(())
    };
    let report = between::compare(&world.log, (from, to), each, &|_| ()).await.unwrap();
    (report, found)
}

/// By table and key, what two states say became of each row.
async fn by_states(
    before: &str,
    after: &str,
    connection: &mut PgConnection,
) -> BTreeMap<(String, String), &'static str> {
    let mut all = BTreeMap::new();
    for table in TABLES.iter().filter(|table| table.name != "audit_logs") {
        let key: Vec<String> = table.key.iter().map(|key| format!("'{key}', r.{key}")).collect();
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let mut read = async |schema: &str| -> BTreeMap<String, String> {
            let query = format!(
                "SELECT jsonb_build_object({})::text, r::text FROM (SELECT {} FROM {schema}.{}) AS r",
                key.join(", "),
                columns.join(", "),
                table.name
            );
            let rows: Vec<(String, String)> =
                sqlx::query_as(AssertSqlSafe(query)).fetch_all(&mut *connection).await.unwrap();
            rows.into_iter().collect()
        };
        let (old, new) = (read(before).await, read(after).await);
        for (key, row) in &new {
            match old.get(key) {
                None => all.insert((table.name.to_owned(), key.clone()), "added"),
                Some(was) if was != row => {
                    all.insert((table.name.to_owned(), key.clone()), "changed")
                }
                Some(_) => None,
            };
        }
        for key in old.keys().filter(|key| !new.contains_key(*key)) {
            all.insert((table.name.to_owned(), key.clone()), "removed");
        }
    }
    all
}

/// Makes whole states.
async fn made(world: &World, states: &[(&str, i64)]) {
    let migrators = world.migrators().await;
    for (name, position) in states {
        let order = Order {
            schema: (*name).to_owned(),
            position: *position,
            instant: None,
            lasts: None,
            quota: 0,
            build: "this".to_owned(),
            from_earlier: false,
        };
        as_of::build(&migrators, &world.log, &order, &|_| ()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_is_what_two_states_say() {
    let world = World::new().await;
    let worker = world.worker();
    let ada = world.user("ada", None).await;
    let bob = world.user("bob", None).await;
    let old = world.account(ada, "N-1", None).await;
    let untouched = world.account(ada, "N-2", None).await;
    let from = world.deposits(old, 1, 5).await;
    world.deposits(old, 6, 3).await;
    let new = world.account(bob, "N-3", None).await;
    world.deposits(new, 1, 2).await;
    let changed = json!({
        "from": "ada@example.com", "to": "ada@example.org", "verification_token_hash": "0".repeat(64),
    });
    let changed = daybook_store::NewEvent {
        releases: vec![support::email_claim("ada")],
        ..event("identity.user.email_changed", &changed)
    };
    let to = world.write(ada, "identity.user", 1, vec![changed]).await.position;
    world.deposits(new, 3, 4).await;
    world.caught_up().await;

    let (report, found) = changes(&world, from, to).await;
    assert_eq!((report.events, report.streams), (to - from, 3));
    made(&world, &[("before", from), ("after", to)]).await;
    let expected = by_states("before", "after", &mut world.database.superuser().await).await;
    let mut ours = BTreeMap::new();
    for row in &found {
        // jsonb has keys by length, then by their bytes: as PostgreSQL prints them.
        let printed: String = sqlx::query_scalar("SELECT $1::jsonb::text")
            .bind(&row.key)
            .fetch_one(&world.projector)
            .await
            .unwrap();
        ours.insert((row.table.to_owned(), printed), row.became.name());
    }
    assert_eq!(ours, expected);
    assert!(expected.values().any(|became| *became == "removed"), "{expected:?}");
    assert!(!found.iter().any(|row| row.key == json!({ "id": untouched })));

    let account = found.iter().find(|row| row.key == json!({ "id": old })).unwrap();
    assert_eq!((account.became, account.by.actor_id), (Became::Changed, SYSTEM_USER));
    assert_eq!(
        (account.by.position, account.by.event_type.as_str()),
        (from + 3, "banking.account.deposited")
    );
    let part = |row: &Option<Box<serde_json::value::RawValue>>| -> Value {
        serde_json::from_str(row.as_ref().unwrap().get()).unwrap()
    };
    assert_eq!(part(&account.before)["balance"], "5.00");
    assert_eq!(part(&account.after)["balance"], "8.00");
    let counted = |table: &str| {
        let of = report.counts.iter().filter(|count| count.table == table);
        of.fold((0, 0, 0), |sum, count| {
            (sum.0 + count.added, sum.1 + count.changed, sum.2 + count.removed)
        })
    };
    assert_eq!(counted("transactions"), (5, 0, 0));
    assert_eq!(counted("accounts"), (1, 1, 0));
    assert_eq!(counted("user_identifiers"), (1, 0, 1));
    let (nothing, rows) = changes(&world, to, to).await;
    assert!(nothing.counts.is_empty() && rows.is_empty());
    worker.stop().await;
}
