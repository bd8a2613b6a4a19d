//! What must hold when it is quiet again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::house::House;
use super::load::Sent;

/// Everything that does not hold, in words.
pub(super) async fn all(house: &House, sent: &Sent, within: Duration) -> Vec<String> {
    let mut broken = Vec::new();
    let mut log = house.superuser().await;
    dense(&mut log, &mut broken).await;
    acknowledged(&mut log, sent, &mut broken).await;
    let late = late(&mut log, sent, &mut broken).await;
    if posted(&mut log, within).await {
        balances(&mut log, sent, &late, &mut broken).await;
        let same = house.tool(&["rebuild", "--check"]).await;
        if same.code != Some(0) {
            broken.push(format!("the tables are not what the log says: {same:?}"));
        }
    } else {
        broken.push(format!("not everything is posted after {within:?}"));
    }
    if house.bus.is_some() {
        published(house, within, &mut broken).await;
    }
    let well = house.tool(&["doctor", "--deep"]).await;
    if well.code != Some(0) {
        broken.push(format!("the doctor found: {well:?}"));
    }
    let _ = log.close().await;
    broken
}

/// Positions, versions and places in lanes, each from 1 without gaps.
async fn dense(log: &mut PgConnection, broken: &mut Vec<String>) {
    for (what, question) in [
        ("positions", "SELECT count(*) = COALESCE(max(position), 0) FROM journal.events"),
        (
            "versions",
            "SELECT NOT EXISTS (SELECT FROM journal.events GROUP BY stream_id HAVING count(*) <> max(version))",
        ),
        (
            "places in lanes",
            "SELECT NOT EXISTS (SELECT FROM journal.events GROUP BY lane HAVING count(*) <> max(lane_seq))",
        ),
        (
            "commands: one has not as many events as it was said to have",
            "SELECT NOT EXISTS (SELECT FROM journal.commands c WHERE c.events <>
                (SELECT count(*) FROM journal.events e WHERE e.command_id = c.id))",
        ),
    ] {
        let holds: bool = sqlx::query_scalar(question).fetch_one(&mut *log).await.expect(what);
        if !holds {
            broken.push(format!("{what} are not dense"));
        }
    }
}

/// Every acknowledged command is in the log once, where its client was told.
async fn acknowledged(log: &mut PgConnection, sent: &Sent, broken: &mut Vec<String>) {
    let ids: Vec<Uuid> = sent.accepted.iter().map(|accepted| accepted.id).collect();
    let positions: Vec<i64> = sent.accepted.iter().map(|accepted| accepted.position).collect();
    let events: Vec<i64> = sent.accepted.iter().map(|accepted| accepted.events).collect();
    let wrong: Vec<Uuid> = sqlx::query_scalar(
        "SELECT a.id FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS a (id, position, events)
         WHERE (SELECT count(*) FROM journal.commands c
                WHERE c.id = a.id AND c.position = a.position AND c.events = a.events) <> 1
            OR (SELECT count(*) FROM journal.commands c WHERE c.id = a.id) <> 1",
    )
    .bind(ids)
    .bind(positions)
    .bind(events)
    .fetch_all(log)
    .await
    .expect("the commands");
    broken
        .extend(wrong.iter().map(|id| format!("{id} was acknowledged, and is not so in the log")));
}

/// Commands that were refused, and applied after all by somebody who had been stopped with them; that
/// is only possible where a sending of them got no answer.
async fn late(
    log: &mut PgConnection,
    sent: &Sent,
    broken: &mut Vec<String>,
) -> BTreeMap<Uuid, i64> {
    let ids: Vec<Uuid> = sent.refused.iter().map(|refused| refused.id).collect();
    let applied: Vec<Uuid> =
        sqlx::query_scalar("SELECT id FROM journal.commands WHERE id = ANY ($1)")
            .bind(ids)
            .fetch_all(log)
            .await
            .expect("the commands");
    let mut moves = BTreeMap::new();
    for refused in sent.refused.iter().filter(|refused| applied.contains(&refused.id)) {
        if refused.certain {
            broken.push(format!("{} was refused, and is in the log", refused.id));
        }
        for (account, cents) in &refused.moves {
            *moves.entry(*account).or_default() += cents;
        }
    }
    moves
}

/// Whether everything was posted in time.
async fn posted(log: &mut PgConnection, within: Duration) -> bool {
    let until = Instant::now() + within;
    loop {
        let done: bool = sqlx::query_scalar(
            "SELECT (SELECT sum(lane_seq) FROM projector.checkpoints WHERE name = 'read_model')
                  = (SELECT count(*) FROM journal.events)",
        )
        .fetch_one(&mut *log)
        .await
        .expect("the checkpoints");
        if done || Instant::now() > until {
            return done;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The topic has what the log has, once the relay has come back to it.
async fn published(house: &House, within: Duration, broken: &mut Vec<String>) {
    let until = Instant::now() + within;
    loop {
        let found = house.tool(&["reconcile"]).await;
        if found.code == Some(0) {
            return;
        }
        if Instant::now() > until {
            broken.push(format!("the topic has not what the log has: {found:?}"));
            return;
        }
    }
}

/// What is on each account is what its client counted.
async fn balances(
    log: &mut PgConnection,
    sent: &Sent,
    late: &BTreeMap<Uuid, i64>,
    broken: &mut Vec<String>,
) {
    let rows: Vec<(Uuid, i64)> =
        sqlx::query_as("SELECT id, (balance * 100)::bigint FROM public.accounts")
            .fetch_all(log)
            .await
            .expect("the accounts");
    let posted: BTreeMap<Uuid, i64> = rows.into_iter().collect();
    let mut expected = sent.balances.clone();
    for (account, cents) in late {
        *expected.entry(*account).or_default() += cents;
    }
    if posted != expected {
        let differing = expected.iter().filter(|(id, cents)| posted.get(id) != Some(cents)).count();
        broken.push(format!(
            "{differing} balances are not what was counted; {} accounts are posted, {} were opened",
            posted.len(),
            expected.len()
        ));
    }
}
