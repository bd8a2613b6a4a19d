//! Audit rows of changes by hand: they come from `journal.drift`, not from events, and belong into
//! every rebuild as they belong into the live tables. Which rows of which table they are, a view
//! says: `journal.drift_` and the table's name.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::catalog::{TABLES, TableInfo};
use crate::table::LIVE;

/// Puts them into the tables of `schema`, with the partitions that live ones need.
pub(super) async fn put_back(
    schema: &'static str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    for table in TABLES {
        let view: Option<String> = sqlx::query_scalar("SELECT to_regclass($1)::text")
            .bind(format!("journal.drift_{}", table.name))
            .fetch_one(&mut *connection)
            .await?;
        if let Some(view) = view {
            put_into(table, &view, schema, connection).await?;
        }
    }
    Ok(())
}

async fn put_into(
    table: &TableInfo,
    view: &str,
    schema: &'static str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    if schema == LIVE && table.month.is_some() {
        sqlx::query(
            "SELECT projector.make_partitions($1, month, month)
             FROM (SELECT DISTINCT date_trunc('month', at, 'UTC') AS month FROM journal.drift) AS d",
        )
        .bind(table.name)
        .execute(&mut *connection)
        .await?;
    }
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let columns = columns.join(", ");
    let insert =
        format!("INSERT INTO {schema}.{} ({columns}) SELECT {columns} FROM {view}", table.name);
    sqlx::raw_sql(AssertSqlSafe(insert)).execute(connection).await?;
    Ok(())
}
