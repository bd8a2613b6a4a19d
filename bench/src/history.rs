//! A long log: grown by one client, one event a request, or filled fast where only its content matters.

use std::time::Instant;

use sqlx::ConnectOptions;

use crate::Trouble;
use crate::append::Writer;
use crate::measure::{Client as _, median, per_second};
use crate::plan::Plan;
use crate::server::{Database, Server};
use crate::stage::Stage;
use crate::table::{Line, Rounds, thousands};

/// Parts of the first and the last tenth, of which the median counts: a moment's disturbance does not.
const SLICES: i64 = 10;

/// Clients and events a request where a log is filled.
const FILLERS: (usize, usize) = (4, 500);

/// A database with a long log and nobody connected.
pub(crate) struct History {
    pub(crate) database: Database,
    /// How many events of accounts it has; a few of users come first.
    pub(crate) events: i64,
}

/// One client appends one event a request to an empty log.
pub(crate) async fn grow(server: &Server, plan: &Plan) -> Result<(History, Line), Trouble> {
    let stage = Stage::on(server.migrated("history").await?).await?;
    let owner = stage.user("owner").await?;
    let mut writer = Writer::several(&stage, owner, 1, 1).pop().ok_or("no writer")?;
    let slice = plan.events / (10 * SLICES);
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for number in 0..10 * SLICES {
        let begun = Instant::now();
        for _ in 0..slice {
            writer.step().await?;
        }
        let rate = per_second(slice, begun);
        if number < SLICES {
            first.push(rate);
        } else if number >= 9 * SLICES {
            last.push(rate);
        }
        if number % SLICES == SLICES - 1 {
            plan.say(&format!("growth: {} events, {rate:.0}/s", (number + 1) * slice));
        }
    }
    drop(writer);
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let what = format!(
        "1 client to {} events: the last {} against the first",
        thousands(plan.events as f64),
        thousands((plan.events / 10) as f64)
    );
    let line = Line::against(
        what,
        &Rounds { floor: vec![median(&first)], ours: vec![median(&last)] },
        0.9,
    );
    settle(&stage.database).await?;
    Ok((History { database: stage.close().await, events: slice * 10 * SLICES }, line))
}

/// So many events in large requests.
pub(crate) async fn fill(server: &Server, name: &str, events: i64) -> Result<History, Trouble> {
    let stage = Stage::on(server.migrated(name).await?).await?;
    let owner = stage.user("owner").await?;
    let (clients, each) = FILLERS;
    let requests = usize::try_from(events)?.div_ceil(each * clients);
    let mut running = tokio::task::JoinSet::new();
    for mut writer in Writer::several(&stage, owner, clients, each) {
        running.spawn(async move {
            for _ in 0..requests {
                writer.step().await?;
            }
            Ok::<_, Trouble>(())
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    settle(&stage.database).await?;
    Ok(History { database: stage.close().await, events: i64::try_from(requests * each * clients)? })
}

/// What was just written is put in order, as the server would do in a quiet hour.
async fn settle(database: &Database) -> Result<(), Trouble> {
    let mut administrator = database.admin().connect().await?;
    // One at a time: several at once would be a transaction, in which nothing is vacuumed.
    for statement in
        ["VACUUM (ANALYZE) journal.events", "VACUUM (ANALYZE) journal.streams", "CHECKPOINT"]
    {
        sqlx::raw_sql(statement).execute(&mut administrator).await?;
    }
    Ok(())
}
