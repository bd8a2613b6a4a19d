//! Appending and posting while a snapshot stays open, which keeps vacuum and pruning from taking
//! away what every update leaves behind: 64 clients, each with one stream that grows and grows.

use std::time::Instant;

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

/// How much of a snapshot's time is measured, at its end and again when it is gone.
const MEASURED: u32 = 10;

/// The same clients go on all the time: when the snapshot is as old as it gets they are counted, and
/// once more, on the same tables, when it is gone and what it kept is swept away.
pub(crate) async fn measure(server: &Server, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let stage = Stage::on(server.migrated("snapshot").await?).await?;
    let owner = stage.user("owner").await?;
    let worker = stage.work();
    stage.caught_up().await?;
    let window = plan.snapshot / MEASURED;
    let snapshot = open_snapshot(&stage.database).await?;
    let writers = Writer::of_one_stream_each(&stage, owner, CLIENTS);
    let old = Span { warm_up: plan.snapshot - window, window };
    let (beneath, writers) = count(&stage, writers, old).await?;
    snapshot.close().await?;
    sweep(&stage.database).await?;
    let gone = Span { warm_up: window / 4, window };
    let (without, _) = count(&stage, writers, gone).await?;
    worker.stop().await?;
    server.drop(stage.close().await).await?;
    let age = plan.snapshot.as_secs();
    let mut lines = Vec::new();
    for (what, at) in [("append", 0), ("live projection", 1)] {
        plan.say(&format!(
            "{what}: {:.0}/s under a snapshot of {age} s, {:.0}/s when it is gone",
            beneath[at], without[at]
        ));
        let rounds = Rounds { floor: vec![without[at]], ours: vec![beneath[at]] };
        let what = format!("{what} under a snapshot of {age} s, to without");
        lines.push(Line::against(what, &rounds, 0.7));
    }
    Ok(lines)
}

/// Events appended and events posted a second, and the clients, who may go on.
async fn count(
    stage: &Stage,
    writers: Vec<Writer>,
    span: Span,
) -> Result<([f64; 2], Vec<Writer>), Trouble> {
    let posted = Posted::new(stage.pools.projector.clone());
    let posting = async {
        tokio::time::sleep(span.warm_up).await;
        let (before, begun) = (posted.posted_to().await?, Instant::now());
        tokio::time::sleep(span.window).await;
        Ok::<_, Trouble>(over(posted.posted_to().await? - before, begun.elapsed()))
    };
    let ((appended, writers), posted) = tokio::try_join!(rate(writers, span), posting)?;
    Ok(([appended, posted], writers))
}

/// What autovacuum does sooner or later.
async fn sweep(database: &Database) -> Result<(), Trouble> {
    let mut connection = database.admin().connect().await?;
    sqlx::raw_sql("VACUUM").execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// A transaction that has looked at the database once, and stays.
async fn open_snapshot(database: &Database) -> Result<PgConnection, Trouble> {
    let mut connection = database.admin().connect().await?;
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM journal.streams")
        .execute(&mut connection)
        .await?;
    Ok(connection)
}
