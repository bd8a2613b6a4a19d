//! Row-level security while tables are filled: PostgreSQL refuses COPY FROM to whoever is bound by
//! policies, even by one that allows everything. Only the owner is freed, in the transaction that
//! fills, which holds the tables locked; for everybody else the policies never cease.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::catalog::TABLES;
use crate::table::LIVE;

/// The tables whose owner is not bound for a while.
#[derive(Debug)]
pub(super) struct Freed {
    tables: Vec<String>,
}

/// Frees the owner, as whom this connection works.
pub(super) async fn free_owner(connection: &mut PgConnection) -> Result<Freed, sqlx::Error> {
    let names: Vec<String> = TABLES.iter().map(|table| format!("{LIVE}.{}", table.name)).collect();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT oid::regclass::text FROM pg_class
         WHERE relforcerowsecurity AND oid = ANY ($1::text[]::regclass[]) ORDER BY 1",
    )
    .bind(&names)
    .fetch_all(&mut *connection)
    .await?;
    each(&tables, "NO FORCE", connection).await?;
    Ok(Freed { tables })
}

impl Freed {
    /// Binds the owner again.
    pub(super) async fn bind_again(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        each(&self.tables, "FORCE", connection).await
    }
}

async fn each(
    tables: &[String],
    force: &'static str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    for table in tables {
        let alter = format!("ALTER TABLE {table} {force} ROW LEVEL SECURITY");
        sqlx::raw_sql(AssertSqlSafe(alter)).execute(&mut *connection).await?;
    }
    Ok(())
}
