//! What changed between two positions, as tables.

use daybook_store::Log;
use sqlx::{AssertSqlSafe, Connection, PgPool};

use super::AsOfError;
use super::build::{Holds, Order, begin, keep_as_it_is};
use super::list::give_name_back;
use crate::between::{self, NetRow, Report};
use crate::rebuild::OnProgress;
use crate::twin;

/// Keeps what changed after `since` and up to the order's position in a schema of its own: a table
/// `changes` with each row that was added, changed or removed, and a view `counts` of them by table,
/// tenant and actor. Auditors read it; it is listed, and goes, like a state. Connections of `migrators`
/// work as the owner (`daybook_migrator`).
///
/// # Errors
/// See [`AsOfError`]. What is half made is not readable, and is made anew under the same name.
pub async fn changes(
    migrators: &PgPool,
    log: &Log,
    order: &Order,
    since: i64,
    tell: OnProgress<'_>,
) -> Result<Report, AsOfError> {
    let mut connection = migrators.acquire().await?.detach();
    let schema = &order.schema;
    begin(order, &Holds::Changes(since), log, &mut connection).await?;
    twin::run(&include_str!("changes.sql").replace("{schema}", schema), &mut connection).await?;
    let insert = include_str!("add_changes.sql").replace("{schema}", schema);
    let mut rows = 0;
    let each = async |found: Vec<NetRow>| -> Result<(), AsOfError> {
        rows += found.len();
        sqlx::query(AssertSqlSafe(insert.as_str()))
            .bind(sqlx::types::Json(found))
            .execute(&mut connection)
            .await?;
        Ok(())
    };
    let report = between::compare(log, (since, order.position), each, tell).await?;
    let mut transaction = connection.begin().await?;
    let show = include_str!("show_changes.sql").replace("{schema}", schema);
    twin::run(&show, &mut transaction).await?;
    keep_as_it_is(schema, &mut transaction).await?;
    sqlx::query(
        "UPDATE projector.as_of SET complete = true, rows_written = $2 WHERE schema_name = $1",
    )
    .bind(schema)
    .bind(i64::try_from(rows).unwrap_or(i64::MAX))
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    give_name_back(schema, &mut connection).await?;
    Ok(report)
}
