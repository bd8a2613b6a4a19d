//! Appending and posting while a snapshot stays open, which keeps vacuum and pruning from taking
//! away what every update leaves behind: 64 clients, each with one stream that grows and grows.

use std::time::{Duration, Instant};

use daybook_projector::Posted;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::Trouble;
use crate::append::Writer;
use crate::measure::{Span, over, rate};
use crate::plan::Plan;
use crate::server::{Database, Server};
use crate::stage::Stage;
use crate::table::{Line, Rounds};

const CLIENTS: usize = 64;

/// Without one, then with one, each for the same time on a fresh database. What counts is the second
/// half, when the snapshot is old.
pub(crate) async fn measure(server: &Server, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let (mut append, mut posting) = (Rounds::default(), Rounds::default());
    for open in [false, true] {
        let stage = Stage::on(server.migrated("snapshot").await?).await?;
        let (appended, posted) = once(&stage, plan.snapshot, open).await?;
        let how = if open { "open" } else { "none" };
        plan.say(&format!("snapshot {how}: append {appended:.0}/s, posting {posted:.0}/s"));
        let (appends, posts) = if open {
            (&mut append.ours, &mut posting.ours)
        } else {
            (&mut append.floor, &mut posting.floor)
        };
        appends.push(appended);
        posts.push(posted);
        server.drop(stage.close().await).await?;
    }
    let age = plan.snapshot.as_secs();
    Ok(vec![
        Line::against(format!("append under a snapshot of {age} s, to without"), &append, 0.7),
        Line::against(
            format!("live projection under a snapshot of {age} s, to without"),
            &posting,
            0.7,
        ),
    ])
}

/// Events appended and events posted a second, in the second half of `time`.
async fn once(stage: &Stage, time: Duration, open: bool) -> Result<(f64, f64), Trouble> {
    let owner = stage.user("owner").await?;
    let worker = stage.work();
    stage.caught_up().await?;
    let snapshot = if open { Some(open_snapshot(&stage.database).await?) } else { None };
    let half = time / 2;
    let writers = Writer::of_one_stream_each(stage, owner, CLIENTS);
    let posted = Posted::new(stage.pools.projector.clone());
    let posting = async {
        tokio::time::sleep(half).await;
        let (before, begun) = (posted.posted_to().await?, Instant::now());
        tokio::time::sleep(half).await;
        Ok::<_, Trouble>(over(posted.posted_to().await? - before, begun.elapsed()))
    };
    let (appended, posted) =
        tokio::try_join!(rate(writers, Span { warm_up: half, window: half }), posting)?;
    if let Some(snapshot) = snapshot {
        snapshot.close().await?;
    }
    worker.stop().await?;
    Ok((appended.0, posted))
}

/// A transaction that has looked at the database once, and stays.
async fn open_snapshot(database: &Database) -> Result<PgConnection, Trouble> {
    let mut connection = database.admin().connect().await?;
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM journal.streams")
        .execute(&mut connection)
        .await?;
    Ok(connection)
}
