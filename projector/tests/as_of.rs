//! The whole read model as it stood: the same rows as the live tables had then, whoever makes it,
//! whenever, from whatever; for auditors to read and nobody to write; and gone when its time is up.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_projector::as_of::{self, AsOfError, Order, State};
use daybook_projector::catalog::TABLES;
use daybook_projector::rebuild::{self, Options};
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Connection};
use support::{World, rows};
use uuid::Uuid;

fn order(schema: &str, position: i64) -> Order {
    Order {
        schema: schema.to_owned(),
        position,
        instant: None,
        lasts: Some(Duration::from_secs(3600)),
        quota: 10,
        build: "this".to_owned(),
        from_earlier: true,
    }
}

async fn made(world: &World, migrators: &PgPool, order: &Order) -> State {
    let state = as_of::build(migrators, &world.log, order, &|_| ()).await.unwrap();
    assert!(state.complete && state.position == order.position, "{state:#?}");
    state
}

fn digests(state: &State) -> BTreeMap<String, String> {
    serde_json::from_value(state.digests.clone().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_what_the_tables_were_then_however_it_is_made() {
    let world = World::new().await;
    let worker = world.worker();
    let migrators = world.migrators().await;
    let mut administrator = world.database.superuser().await;
    let mut moments = Vec::new();
    let owner = world.user("ada", None).await;
    for n in 0..4 {
        let account = world.account(owner, &format!("N-{n}"), None).await;
        world.deposits(account, 1, 25).await;
        world.caught_up().await;
        let position = world.log.head().await.unwrap().position;
        moments.push((position, rows("public", &mut administrator).await));
    }
    let mut first = Vec::new();
    for (n, (position, then)) in moments.iter().enumerate() {
        let name = format!("state_{n}");
        let state =
            made(&world, &migrators, &Order { from_earlier: false, ..order(&name, *position) })
                .await;
        assert_eq!(state.made_from, None);
        assert_eq!(rows(&name, &mut administrator).await, *then, "at {position}");
        assert_eq!(digests(&state).len(), TABLES.len());
        first.push(digests(&state));
    }
    assert_ne!(first[0]["accounts"], first[1]["accounts"]);
    assert_eq!(first[0]["users"], first[3]["users"], "what did not change has the same digest");
    // Again, from the nearest state before, and between two of them.
    as_of::drop("state_3", &mut migrators.acquire().await.unwrap()).await.unwrap();
    let state = made(&world, &migrators, &order("again", moments[3].0)).await;
    assert_eq!(state.made_from, Some(moments[2].0));
    assert_eq!(digests(&state), first[3]);
    assert_eq!(rows("again", &mut administrator).await, moments[3].1);
    let between = made(&world, &migrators, &order("amid", moments[2].0 - 7)).await;
    assert_eq!(between.made_from, Some(moments[1].0));
    let whole = Order { from_earlier: false, ..order("whole", moments[2].0 - 7) };
    assert_eq!(digests(&made(&world, &migrators, &whole).await), digests(&between));
    // Another build folds from the beginning.
    let other = Order { build: "other".to_owned(), ..order("other", moments[3].0) };
    let other = made(&world, &migrators, &other).await;
    assert_eq!((other.made_from, digests(&other)), (None, first[3].clone()));
    // The live tables change places; what the states show stays the same.
    rebuild::blue_green(&migrators, &world.log, &Options::new(Uuid::now_v7(), "this"), &|_| ())
        .await
        .unwrap();
    assert_eq!(rows("state_1", &mut administrator).await, moments[1].1);
    worker.stop().await;
}

/// The trail's digests of two states of one moment: one made from an earlier state, one from the beginning.
async fn trails(
    world: &World,
    migrators: &PgPool,
    name: &str,
    (position, instant): (i64, Option<DateTime<Utc>>),
) -> (String, String) {
    let order = |name: &str| Order { instant, ..order(name, position) };
    let continued = made(world, migrators, &order(&format!("{name}_on"))).await;
    let name = format!("{name}_anew");
    let anew = made(world, migrators, &Order { from_earlier: false, ..order(&name) }).await;
    as_of::drop(&name, &mut migrators.acquire().await.unwrap()).await.unwrap();
    assert!(continued.made_from.is_some() && anew.made_from.is_none());
    (digests(&continued)["audit_logs"].clone(), digests(&anew)["audit_logs"].clone())
}

/// Some events, and the positions that they end at.
async fn four_accounts(world: &World) -> Vec<i64> {
    let owner = world.user("ada", None).await;
    let mut ends = Vec::new();
    for n in 0..4 {
        let account = world.account(owner, &format!("N-{n}"), None).await;
        world.deposits(account, 1, 10).await;
        world.caught_up().await;
        ends.push(world.log.head().await.unwrap().position);
    }
    ends
}

/// What was kept is what a later state goes on from: with the sum of nothing its digest is another.
#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_summed_up_from_where_an_earlier_state_ended() {
    let world = World::new().await;
    let worker = world.worker();
    let migrators = world.migrators().await;
    let ends = four_accounts(&world).await;
    made(&world, &migrators, &order("nothing", 0)).await;
    made(&world, &migrators, &order("base", ends[1])).await;
    let (continued, anew) = trails(&world, &migrators, "plain", (ends[2], None)).await;
    assert_eq!(continued, anew);
    let forge = "UPDATE projector.as_of SET trail = jsonb_set(trail, '{sum}', (SELECT trail->'sum' FROM projector.as_of WHERE schema_name = 'nothing')) WHERE schema_name = 'plain_on'";
    let mut administrator = world.database.superuser().await;
    sqlx::raw_sql(forge).execute(&mut administrator).await.unwrap();
    let (continued, anew) = trails(&world, &migrators, "forged", (ends[3], None)).await;
    assert_ne!(continued, anew, "the kept sum was not gone on from");
    worker.stop().await;
}

/// Whoever changes what earlier states have summed up finds the digest of what is there now, as one made
/// from the beginning has it.
#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_summed_up_anew_where_somebody_changed_it() {
    let world = World::new().await;
    let worker = world.worker();
    let migrators = world.migrators().await;
    let ends = four_accounts(&world).await;
    let mut administrator = world.database.superuser().await;
    made(&world, &migrators, &order("base", ends[1])).await;
    for (name, what) in [
        (
            "tampered",
            "UPDATE public.audit_logs SET user_agent = 'nobody' WHERE id = (SELECT min(id) FROM public.audit_logs WHERE id > 0)",
        ),
        ("erased", "DELETE FROM public.audit_logs WHERE id < 0"),
        (
            "owned",
            "SET ROLE daybook_migrator;
             UPDATE public.audit_logs SET user_agent = 'owner' WHERE id = (SELECT min(id) FROM public.audit_logs WHERE id > 0);
             RESET ROLE; SELECT pg_stat_force_next_flush()",
        ),
        (
            "forgotten",
            "SET ROLE daybook_migrator;
             UPDATE public.audit_logs SET user_agent = 'nobody again' WHERE id = (SELECT min(id) FROM public.audit_logs WHERE id > 0);
             RESET ROLE; SELECT pg_stat_force_next_flush();;
             SELECT pg_stat_reset()",
        ),
        (
            "emptied",
            "DO $$ BEGIN EXECUTE (SELECT format('TRUNCATE %s', tableoid::regclass) FROM public.audit_logs LIMIT 1); END $$",
        ),
    ] {
        // The moment includes what was changed by hand until now, and the log has come to it.
        let instant: DateTime<Utc> = sqlx::query_scalar("SELECT clock_timestamp()")
            .fetch_one(&mut administrator)
            .await
            .unwrap();
        let moment = (ends[3], Some(instant));
        let (_, before) = trails(&world, &migrators, &format!("{name}_before"), moment).await;
        for statements in what.split(";;") {
            sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut administrator).await.unwrap();
        }
        let (continued, anew) = trails(&world, &migrators, name, moment).await;
        assert_ne!(anew, before, "{name} changes nothing");
        assert_eq!(continued, anew, "{name}: a digest of what is not there any more");
        for state in [format!("{name}_before_on"), format!("{name}_on")] {
            as_of::drop(&state, &mut migrators.acquire().await.unwrap()).await.unwrap();
        }
    }
    // A rebuild puts right what was changed, which a state of the meantime does not know.
    trails(&world, &migrators, "meantime", (ends[3], None)).await;
    let options = Options { force: true, ..Options::new(Uuid::now_v7(), "this") };
    rebuild::blue_green(&migrators, &world.log, &options, &|_| ()).await.unwrap();
    let (continued, anew) = trails(&world, &migrators, "mended", (ends[3], None)).await;
    assert_eq!(continued, anew, "a digest of what was there before the rebuild");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn auditors_read_a_state_and_nobody_writes_it() {
    let world = World::new().await;
    let worker = world.worker();
    let migrators = world.migrators().await;
    world.user("ada", None).await;
    world.caught_up().await;
    let head = world.log.head().await.unwrap().position;
    made(&world, &migrators, &order("for_auditors", head)).await;
    let mut connection = world.database.superuser().await;
    for (role, statement, allowed) in [
        ("daybook_auditor", "SELECT count(username) FROM for_auditors.users", true),
        ("daybook_auditor", "SELECT count(*) FROM for_auditors.audit_logs", true),
        ("daybook_auditor", "SELECT password_hash FROM for_auditors.users", false),
        ("daybook_auditor", "SELECT secret_hash FROM for_auditors.api_keys", false),
        ("daybook_auditor", "DELETE FROM for_auditors.users", false),
        ("daybook_auditor", "UPDATE for_auditors.users SET username = 'x'", false),
        ("daybook_auditor", "SELECT username FROM for_auditors.users_p0", false),
        ("daybook_projector", "INSERT INTO for_auditors.users DEFAULT VALUES", false),
        ("daybook_projector", "SELECT count(username) FROM for_auditors.users", false),
        ("application_role", "SELECT count(username) FROM for_auditors.users", false),
        ("daybook_analyst", "SELECT count(username) FROM for_auditors.users", false),
        ("daybook_migrator", "UPDATE for_auditors.users SET username = 'x'", false),
        ("daybook_migrator", "UPDATE for_auditors.users_p0 SET username = 'x'", false),
        ("daybook_migrator", "DELETE FROM for_auditors.accounts", false),
        (
            "daybook_migrator",
            "TRUNCATE for_auditors.roles, for_auditors.role_permissions, for_auditors.user_roles",
            false,
        ),
        ("postgres", "INSERT INTO for_auditors.roles DEFAULT VALUES", false),
    ] {
        let mut transaction = connection.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("SET LOCAL ROLE {role}")))
            .execute(&mut *transaction)
            .await
            .unwrap();
        let outcome = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await;
        assert_eq!(outcome.is_ok(), allowed, "{role}: {statement}: {outcome:?}");
        transaction.rollback().await.unwrap();
    }
    worker.stop().await;
}

/// Not those that a rebuild takes, nor those that SQL would read otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_mean_something_else_are_refused() {
    let world = World::new().await;
    let migrators = world.migrators().await;
    for name in
        ["read_model_next", "read_model_before", "select", "user", "pg_past", "Big", "a-b", ""]
    {
        let refused = as_of::build(&migrators, &world.log, &order(name, 0), &|_| ()).await;
        assert!(matches!(refused, Err(AsOfError::Name(_))), "{name}: {refused:?}");
    }
    assert!(as_of::states(&migrators).await.unwrap().is_empty(), "nothing is left of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn states_are_few_and_go_when_their_time_is_up() {
    let world = World::new().await;
    let worker = world.worker();
    let migrators = world.migrators().await;
    world.caught_up().await;
    let head = world.log.head().await.unwrap().position;
    let try_to = |order: Order| {
        let (log, migrators) = (world.log.clone(), migrators.clone());
        async move { as_of::build(&migrators, &log, &order, &|_| ()).await }
    };
    made(&world, &migrators, &Order { quota: 1, ..order("one", head) }).await;
    let refused = try_to(Order { quota: 1, ..order("two", head) }).await;
    assert!(matches!(refused, Err(AsOfError::Quota(1))), "{refused:?}");
    // One that stays does not count.
    made(&world, &migrators, &Order { quota: 1, lasts: None, ..order("kept", head) }).await;
    for taken in ["one", "public", "journal", "projector"] {
        let refused = try_to(order(taken, head)).await;
        assert!(matches!(refused, Err(AsOfError::Taken(_))), "{taken}: {refused:?}");
    }
    for bad in ["pg_mine", "Mine", "a; DROP SCHEMA public", ""] {
        let refused = try_to(order(bad, head)).await;
        assert!(matches!(refused, Err(AsOfError::Name(_))), "{bad}: {refused:?}");
    }
    let refused = as_of::drop("public", &mut migrators.acquire().await.unwrap()).await;
    assert!(matches!(refused, Err(AsOfError::Unknown(_))), "{refused:?}");
    // One that was cut short is made anew.
    let mut administrator = world.database.superuser().await;
    sqlx::raw_sql("UPDATE projector.as_of SET complete = false WHERE schema_name = 'one'; DROP TABLE one.posts CASCADE")
        .execute(&mut administrator)
        .await
        .unwrap();
    made(&world, &migrators, &order("one", head)).await;
    sqlx::raw_sql("UPDATE projector.as_of SET expires_at = now() - interval '1 second' WHERE expires_at IS NOT NULL; SET ROLE daybook_maintenance")
        .execute(&mut administrator)
        .await
        .unwrap();
    let gone: Vec<String> = sqlx::query_scalar("SELECT projector.drop_past_states()")
        .fetch_all(&mut administrator)
        .await
        .unwrap();
    assert_eq!(gone, ["one"]);
    let left = as_of::states(&world.projector).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].schema_name, "kept");
    let there: bool = sqlx::query_scalar("SELECT to_regnamespace('one') IS NOT NULL")
        .fetch_one(&world.projector)
        .await
        .unwrap();
    assert!(!there);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_is_kept_as_tables_for_auditors() {
    let world = World::new().await;
    let worker = world.worker();
    let migrators = world.migrators().await;
    let owner = world.user("ada", None).await;
    let account = world.account(owner, "N-1", None).await;
    world.caught_up().await;
    let from = world.log.head().await.unwrap().position;
    world.deposits(account, 1, 3).await;
    let other = world.account(owner, "N-2", None).await;
    world.caught_up().await;
    let to = world.log.head().await.unwrap().position;
    let kept = Order { lasts: None, ..order("then_and_now", to) };
    let report = as_of::changes(&migrators, &world.log, &kept, from, &|_| ()).await.unwrap();
    assert!(report.counts.iter().any(|count| count.table == "transactions" && count.added == 3));
    let mut auditor = world.database.superuser().await;
    sqlx::raw_sql("SET ROLE daybook_auditor").execute(&mut auditor).await.unwrap();
    let counts: Vec<(String, i64, i64, i64)> = sqlx::query_as(
        "SELECT table_name, added, changed, removed FROM then_and_now.counts ORDER BY 1",
    )
    .fetch_all(&mut auditor)
    .await
    .unwrap();
    let mut told: Vec<_> = report
        .counts
        .iter()
        .map(|count| (count.table.to_owned(), count.added, count.changed, count.removed))
        .collect();
    told.sort();
    assert_eq!(counts, told);
    let balance: (String, String, i64) = sqlx::query_as(
        "SELECT became, after ->> 'balance', position FROM then_and_now.changes
         WHERE table_name = 'accounts' AND key ->> 'id' = $1::text",
    )
    .bind(account)
    .fetch_one(&mut auditor)
    .await
    .unwrap();
    let live: String = sqlx::query_scalar("SELECT balance::text FROM accounts WHERE id = $1")
        .bind(account)
        .fetch_one(&mut world.database.superuser().await)
        .await
        .unwrap();
    assert_eq!((balance.0.as_str(), balance.1), ("changed", live));
    assert!(from < balance.2 && balance.2 <= to);
    let opened: String = sqlx::query_scalar(
        "SELECT became FROM then_and_now.changes WHERE table_name = 'accounts' AND key ->> 'id' = $1::text",
    )
    .bind(other)
    .fetch_one(&mut auditor)
    .await
    .unwrap();
    assert_eq!(opened, "added");
    let written = sqlx::raw_sql("DELETE FROM then_and_now.changes").execute(&mut auditor).await;
    assert!(written.is_err(), "an auditor writes");
    // It is listed, no state is made from it, and it can be dropped.
    let states = as_of::states(&world.projector).await.unwrap();
    assert_eq!((states[0].from_position, states[0].position), (Some(from), to));
    assert_eq!(made(&world, &migrators, &order("after", to)).await.made_from, None);
    as_of::drop("then_and_now", &mut migrators.acquire().await.unwrap()).await.unwrap();
    worker.stop().await;
}
