//! Read-only transactions under the caller's identity, and what a caller may see.

use daybook_domain::access;
use daybook_domain::context::Actor;
use daybook_http::Problem;
use sqlx::{PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::tables::ReadTable;

/// Reads the read tables as `application_role`, which policies bind.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: PgPool,
}

/// Whose eyes a table is seen with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Who looks.
    pub user: Uuid,
    /// The organization on whose behalf.
    pub organization: Option<Uuid>,
    /// Only what belongs to this user is seen.
    pub only_of: Option<Uuid>,
}

impl View {
    /// What the actor may see of a table.
    ///
    /// # Errors
    /// `403` when it is nothing.
    pub fn of(actor: &Actor, table: &ReadTable) -> Result<Self, Problem> {
        Self::with(actor, table, table.action)
    }

    /// What the actor may see of the past of a table's entities: what they may read now, or
    /// everything for those who hold `history`.
    ///
    /// # Errors
    /// `403` when it is nothing.
    pub fn of_past(actor: &Actor, table: &ReadTable) -> Result<Self, Problem> {
        Self::with(actor, table, access::HISTORY)
    }

    fn with(actor: &Actor, table: &ReadTable, action: &str) -> Result<Self, Problem> {
        let may = |own| access::may(actor, table.resource, action, own);
        let only_of = if may(false) {
            None
        } else if may(true) {
            Some(actor.id)
        } else {
            return Err(Problem::forbidden(format!(
                "the role {} and the scopes of the key in use do not allow {} on {}",
                actor.role, action, table.resource
            )));
        };
        Ok(Self { user: actor.id, organization: actor.tenant, only_of })
    }
}

impl Reader {
    /// A reader over a pool whose connections work as `application_role`.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Starts a read-only transaction that the policies know the reader of. What is set ends with it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin(&self, view: &View) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let mut transaction = self.pool.begin_with("BEGIN READ ONLY").await?;
        sqlx::query("SELECT set_config('app.current_user_id', $1, true), set_config('app.current_org_id', $2, true)")
            .bind(view.user.to_string())
            .bind(view.organization.map(|id| id.to_string()).unwrap_or_default())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction)
    }
}
