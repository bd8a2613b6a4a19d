//! Audit rows of changes by hand: they come from `journal.drift`, not from events, and belong into
//! every rebuild as they belong into the live tables. Which rows of which table they are, a view
//! says: `journal.drift_` and the table's name.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::catalog::{TABLES, TableInfo};
use crate::table::SCRATCH;

/// Puts those into the tables of `schema` that are not there yet, with the partitions that they need.
pub(crate) async fn put_back(
    schema: &str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    for table in TABLES {
        let view: Option<String> = sqlx::query_scalar("SELECT to_regclass($1)::text")
            .bind(format!("journal.drift_{}", table.name))
            .fetch_one(&mut *connection)
            .await?;
        if view.is_some() {
            put_into(table, schema, connection).await?;
        }
    }
    Ok(())
}

async fn put_into(
    table: &TableInfo,
    schema: &str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let name = table.name;
    if schema != SCRATCH && table.month.is_some() {
        sqlx::query(
            "SELECT projector.make_partitions_in($1, $2, month, month)
             FROM (SELECT DISTINCT date_trunc('month', at, 'UTC') AS month FROM journal.drift) AS d",
        )
        .bind(schema)
        .bind(name)
        .execute(&mut *connection)
        .await?;
    }
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let columns = columns.join(", ");
    let insert = format!(
        "INSERT INTO {schema}.{name} ({columns}) SELECT {columns} FROM journal.drift_{name} d
         WHERE NOT EXISTS (SELECT FROM {schema}.{name} t WHERE t.id = d.id)"
    );
    sqlx::raw_sql(AssertSqlSafe(insert)).execute(connection).await?;
    Ok(())
}
