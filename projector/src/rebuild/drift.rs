//! Audit rows of changes by hand: they come from `journal.drift`, not from events, and belong into
//! every rebuild as they belong into the live table.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::platform::audit_log::AuditLogRow;
use crate::table::{LIVE, Row as _};

/// Puts them into the `audit_logs` of `schema`, with the partitions that the live one needs.
pub(super) async fn put_back(
    schema: &'static str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let table = AuditLogRow::TABLE;
    if schema == LIVE {
        sqlx::query(
            "SELECT projector.make_partitions($1, month, month)
             FROM (SELECT DISTINCT date_trunc('month', at, 'UTC') AS month FROM journal.drift) AS d",
        )
        .bind(table)
        .execute(&mut *connection)
        .await?;
    }
    let columns: Vec<&str> = AuditLogRow::COLUMNS.iter().map(|column| column.name).collect();
    let columns = columns.join(", ");
    let insert = format!(
        "INSERT INTO {schema}.{table} ({columns}) SELECT {columns} FROM journal.drift_audit_logs"
    );
    sqlx::raw_sql(AssertSqlSafe(insert)).execute(connection).await?;
    Ok(())
}
