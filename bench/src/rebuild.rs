//! Rebuilding the read tables beside the live ones until they have taken their place: indexes,
//! constraints, the comparison row by row and the swap included. The floor copies the
//! same rows, known beforehand, into the same tables without any index, and then makes the same
//! indexes and constraints.

use std::time::Instant;

use daybook_app::database::migrate;
use daybook_app::world;
use daybook_projector::rebuild::{self, Options};
use daybook_store::Log;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use crate::Trouble;
use crate::measure::{over, per_second};
use crate::plan::Plan;
use crate::post::UNPOSTED;
use crate::rows::{self, Copied, TABLES};
use crate::server::{Database, Server};
use crate::table::{Line, Rounds};

/// Both, in turns, on one database.
pub(crate) async fn measure(server: &Server, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let database = server.database("rebuilding", UNPOSTED).await?;
    // The first finds nothing to compare with: it is not counted.
    rebuild(&database).await?;
    let mut rounds = Rounds::default();
    for round in 1..=plan.rounds {
        let (count, ours) = rebuild(&database).await?;
        let base = copy_again(&database).await?;
        plan.say(&format!(
            "rebuild, round {round}: {count} rows, floor {base:.0}/s, ours {ours:.0}/s"
        ));
        rounds.floor.push(base);
        rounds.ours.push(ours);
    }
    server.drop(database).await?;
    Ok(vec![Line::against("rebuild from nothing with audit rows, in rows written", &rounds, 0.5)])
}

async fn rebuild(database: &Database) -> Result<(i64, f64), Trouble> {
    let migrators = migrate::migrators(&database.admin()).await?;
    let log = Log::new(migrators.clone());
    let options = Options::new(world::fresh_id(), "bench");
    let begun = Instant::now();
    let rebuilt = rebuild::blue_green(&migrators, &log, &options, &|_| ()).await?;
    let elapsed = begun.elapsed();
    migrators.close().await;
    if !rebuilt.live {
        return Err("the rebuilt rows differ".into());
    }
    let mut administrator = database.admin().connect().await?;
    let count = rows::count(&mut administrator).await?;
    administrator.close().await?;
    Ok((count, over(count, elapsed)))
}

/// Writes the rows that are there again by COPY. Gives rows a second.
async fn copy_again(database: &Database) -> Result<f64, Trouble> {
    let pool = PgPoolOptions::new().max_connections(2).connect_with(database.admin()).await?;
    let mut copied = Vec::new();
    for table in TABLES {
        copied.push(Copied::of(&pool, table).await?);
    }
    pool.close().await;
    let mut administrator = database.admin().connect().await?;
    let count = rows::count(&mut administrator).await?;
    let definitions = definitions(&mut administrator).await?;
    let begun = Instant::now();
    let mut transaction = administrator.begin().await?;
    // As the administrator, since nobody else may COPY into tables under row-level security; without
    // the triggers that write down what an administrator changes by hand.
    sqlx::raw_sql(
        "SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL session_replication_role = replica",
    )
    .execute(&mut *transaction)
    .await?;
    for (drop, _) in &definitions {
        sqlx::raw_sql(AssertSqlSafe(drop.as_str())).execute(&mut *transaction).await?;
    }
    rows::truncate(&mut transaction).await?;
    for table in &copied {
        table.copy(&mut transaction).await?;
    }
    sqlx::raw_sql("SET LOCAL session_replication_role = origin").execute(&mut *transaction).await?;
    for (_, make) in definitions.iter().rev() {
        sqlx::raw_sql(AssertSqlSafe(make.as_str())).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    let rate = per_second(count, begun);
    rows::same(&mut administrator, count).await?;
    administrator.close().await?;
    Ok(rate)
}

/// How to drop, and how to make again, every foreign key, index and key of the read tables, in the
/// order in which they can be dropped.
async fn definitions(connection: &mut PgConnection) -> Result<Vec<(String, String)>, Trouble> {
    let tables: Vec<&str> = TABLES.to_vec();
    Ok(sqlx::query_as(include_str!("indexes_and_keys.sql"))
        .bind(tables)
        .fetch_all(connection)
        .await?)
}
