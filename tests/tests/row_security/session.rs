//! A connection of the service, in one of its roles.

use daybook_tests::TestDatabase;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};
use uuid::Uuid;

/// Every role that the service may work in.
pub const ROLES: [&str; 6] = [
    "application_role",
    "daybook_analyst",
    "daybook_auditor",
    "daybook_writer",
    "daybook_projector",
    "daybook_maintenance",
];

pub struct Session {
    connection: PgConnection,
}

impl Session {
    pub async fn of(database: &TestDatabase) -> Self {
        Self { connection: database.service().connect().await.unwrap() }
    }

    /// Runs a statement in a role, for this user and organization, and takes back what it did.
    /// Gives the rows that it returned or touched, or the error's code.
    pub async fn tries(
        &mut self,
        role: &str,
        user: Option<Uuid>,
        organization: Option<Uuid>,
        statement: &str,
    ) -> Result<Vec<String>, String> {
        let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        self.run("BEGIN").await.unwrap();
        sqlx::query(
            "SELECT set_config('app.current_user_id', $1, true), set_config('app.current_org_id', $2, true),
                    set_config('role', $3, true)",
        )
        .bind(text(user))
        .bind(text(organization))
        .bind(role)
        .execute(&mut self.connection)
        .await
        .unwrap();
        let outcome = sqlx::query_scalar::<_, String>(AssertSqlSafe(statement.to_owned()))
            .fetch_all(&mut self.connection)
            .await;
        self.run("ROLLBACK").await.unwrap();
        outcome.map_err(|error| {
            let code = error.as_database_error().and_then(|error| error.code());
            code.map_or_else(|| error.to_string(), |code| code.to_string())
        })
    }

    async fn run(&mut self, statement: &'static str) -> sqlx::Result<()> {
        sqlx::raw_sql(statement).execute(&mut self.connection).await.map(drop)
    }
}
