//! Appending and posting while a snapshot stays open, which keeps vacuum and pruning from taking
//! away what every update leaves behind: 64 clients write accounts of ten events, as everywhere here,
//! and once more each has one stream that grows and grows.

use std::time::Instant;

use daybook_projector::Posted;
use sqlx::{ConnectOptions, Connection, PgConnection};
use uuid::Uuid;

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

/// Both ways to write, each on a database of its own.
pub(crate) async fn measure(server: &Server, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let age = plan.snapshot.as_secs();
    let [append, projection] = beneath(server, plan, Writer::of_accounts).await?;
    let [endless, endless_projection] = beneath(server, plan, Writer::of_one_stream_each).await?;
    Ok(vec![
        Line::against(format!("append under a snapshot of {age} s, to without"), &append, 0.7),
        Line::against("live projection of that", &projection, 0.7),
        Line::against(
            format!("append to {CLIENTS} streams without end, under such a snapshot"),
            &endless,
            0.7,
        ),
        Line::told("live projection of those", &endless_projection),
    ])
}

/// The same clients go on all the time: when the snapshot is as old as it gets they are counted, and
/// once more, on the same tables, when it is gone and what it kept is swept away. Events appended,
/// and events posted.
async fn beneath(
    server: &Server,
    plan: &Plan,
    writers: fn(&Stage, Uuid, usize) -> Vec<Writer>,
) -> Result<[Rounds; 2], Trouble> {
    let stage = Stage::on(server.migrated("snapshot").await?).await?;
    let owner = stage.user("owner").await?;
    let worker = stage.work();
    stage.caught_up().await?;
    let window = plan.snapshot / MEASURED;
    let snapshot = open_snapshot(&stage.database).await?;
    let writers = writers(&stage, owner, CLIENTS);
    let old = Span { warm_up: plan.snapshot - window, window };
    let (beneath, writers) = count(&stage, writers, old).await?;
    snapshot.close().await?;
    sweep(&stage.database).await?;
    let gone = Span { warm_up: window / 4, window };
    let (without, _) = count(&stage, writers, gone).await?;
    worker.stop().await?;
    server.drop(stage.close().await).await?;
    for (what, at) in [("appended", 0), ("posted", 1)] {
        plan.say(&format!(
            "{what} under a snapshot of {} s: {:.0}/s, when it is gone {:.0}/s",
            plan.snapshot.as_secs(),
            beneath[at],
            without[at]
        ));
    }
    Ok([0, 1].map(|at| Rounds { floor: vec![without[at]], ours: vec![beneath[at]] }))
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
