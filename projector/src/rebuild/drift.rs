//! Audit rows of changes by hand: they come from `journal.drift`, not from events, and belong into
//! every rebuild as they belong into the live tables. Which rows of which table they are, a view
//! says: `journal.drift_` and the table's name.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::catalog::{TABLES, TableInfo};
use crate::table::SCRATCH;
use crate::twin::AUDIT;

/// Puts those into the tables of `schema` that are not there yet, with the partitions that they need.
pub(crate) async fn put_back(
    schema: &str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    for table in TABLES {
        if has_drift(table, connection).await? {
            put_into(table, schema, connection).await?;
        }
    }
    Ok(())
}

/// Makes the tables of a state, which is nobody's to change, have those up to its instant, and no others;
/// `audit_logs` is a view there, and says so itself.
pub(crate) async fn put_up_to(
    instant: DateTime<Utc>,
    schema: &str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    for table in TABLES.iter().filter(|table| table.name != AUDIT) {
        if !has_drift(table, connection).await? {
            continue;
        }
        let name = table.name;
        let others = format!("DELETE FROM {schema}.{name} WHERE id < 0");
        sqlx::raw_sql(AssertSqlSafe(others)).execute(&mut *connection).await?;
        let columns = columns_of(table);
        let insert = format!(
            "INSERT INTO {schema}.{name} ({columns}) SELECT {columns} FROM journal.drift_{name} WHERE created_at <= $1"
        );
        sqlx::query(AssertSqlSafe(insert)).bind(instant).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn has_drift(table: &TableInfo, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(format!("journal.drift_{}", table.name))
        .fetch_one(connection)
        .await
}

fn columns_of(table: &TableInfo) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    columns.join(", ")
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
    let columns = columns_of(table);
    let insert = format!(
        "INSERT INTO {schema}.{name} ({columns}) SELECT {columns} FROM journal.drift_{name} d
         WHERE NOT EXISTS (SELECT FROM {schema}.{name} t WHERE t.id = d.id)"
    );
    sqlx::raw_sql(AssertSqlSafe(insert)).execute(connection).await?;
    Ok(())
}
