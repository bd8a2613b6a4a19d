//! Secondary indexes and foreign keys, taken away before a table is filled and put back after:
//! their definitions come from the catalogue, so that nothing is written down twice.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::catalog::TABLES;

/// What was taken away, and how to put it back.
#[derive(Debug, Default)]
pub(super) struct TakenAway {
    make: Vec<String>,
}

/// Takes away what the read tables' rows do not need while they are filled. Keys stay.
pub(super) async fn take_away(connection: &mut PgConnection) -> Result<TakenAway, sqlx::Error> {
    let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    let found: Vec<(String, String)> = sqlx::query_as(include_str!("../sql/indexes_and_keys.sql"))
        .bind(&names)
        .fetch_all(&mut *connection)
        .await?;
    let mut taken = TakenAway::default();
    for (drop, make) in found {
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut *connection).await?;
        taken.make.push(make);
    }
    Ok(taken)
}

impl TakenAway {
    /// Puts everything back, in the order in which it was taken away turned round.
    pub(super) async fn put_back(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        for make in self.make.into_iter().rev() {
            sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut *connection).await?;
        }
        Ok(())
    }
}
