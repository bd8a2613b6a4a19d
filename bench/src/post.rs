//! Live projection: a worker posts a log that is there already, rows and audit rows, as it would
//! post what comes in. The floor writes the same rows into the same tables, known beforehand.
//!
//! Only rows that are there at the end count: that a row was changed ten times on the way is work
//! which the floor is spared.

use std::time::Instant;

use sqlx::{ConnectOptions, Connection};

use crate::Trouble;
use crate::history;
use crate::measure::over;
use crate::plan::Plan;
use crate::rows;
use crate::server::Server;
use crate::stage::Stage;
use crate::table::{Line, Rounds};

/// The name of the database with a log that nothing of is posted.
pub(crate) const UNPOSTED: &str = "unposted";

/// A log of which nothing is posted.
pub(crate) async fn prepare(server: &Server, plan: &Plan) -> Result<(), Trouble> {
    history::fill(server, UNPOSTED, plan.posted_events).await?;
    Ok(())
}

/// Posts it, and writes the same rows again, in turns.
pub(crate) async fn measure(server: &Server, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let mut rounds = Rounds::default();
    for round in 1..=plan.rounds {
        let stage = Stage::on(server.database("posting", UNPOSTED).await?).await?;
        let begun = Instant::now();
        let worker = stage.work();
        let events = stage.caught_up().await?;
        let elapsed = begun.elapsed();
        worker.stop().await?;
        let database = stage.close().await;
        let mut administrator = database.admin().connect().await?;
        let rows = rows::count(&mut administrator).await?;
        let (ours, events) = (over(rows, elapsed), over(events, elapsed));
        let base = rows::insert_again(&mut administrator).await?;
        administrator.close().await?;
        plan.say(&format!(
            "posting, round {round}: {rows} rows, floor {base:.0}/s, ours {ours:.0}/s ({events:.0} events/s)"
        ));
        rounds.floor.push(base);
        rounds.ours.push(ours);
        server.drop(database).await?;
    }
    Ok(vec![Line::against("live projection with audit rows, in rows written", &rounds, 0.4)])
}
