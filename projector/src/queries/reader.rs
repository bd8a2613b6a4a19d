//! Read-only transactions under the caller's identity, and what a caller may see.

use daybook_domain::access::{self, Whose};
use daybook_domain::context::Actor;
use daybook_http::Problem;
use sqlx::{PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::tables::ReadTable;

/// Reads the read tables in read-only transactions, under the policies of the role that fits the caller.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: PgPool,
}

/// With whose eyes a table is seen: the database's policies know the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eyes {
    /// The user's own, and those of the organization on whose behalf they ask.
    Own,
    /// Everything but secrets.
    Analyst,
    /// Everything but secrets, for those who look into who changed what.
    Auditor,
}

impl Eyes {
    /// The database role that sees so.
    #[must_use]
    pub const fn role(self) -> &'static str {
        match self {
            Self::Own => "application_role",
            Self::Analyst => "daybook_analyst",
            Self::Auditor => "daybook_auditor",
        }
    }
}

/// Who looks at a table, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Who looks.
    pub user: Uuid,
    /// The organization on whose behalf.
    pub organization: Option<Uuid>,
    /// With which eyes.
    pub eyes: Eyes,
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
        let may = |whose| access::may(actor, table.resource, action, whose);
        let theirs = Whose { own: true, within: actor.tenant.is_some() };
        let eyes = if may(Whose::default()) {
            if table.resource == access::LOG { Eyes::Auditor } else { Eyes::Analyst }
        } else if may(theirs) {
            Eyes::Own
        } else {
            return Err(Problem::forbidden(format!(
                "the role {} and the scopes of the key in use do not allow {} on {}",
                actor.role, action, table.resource
            )));
        };
        Ok(Self { user: actor.id, organization: actor.tenant, eyes })
    }
}

impl Reader {
    /// A reader over a pool whose connections log in as the service, which may take on each role
    /// of [`Eyes`].
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Starts a read-only transaction in the role that fits, which its policies know the reader of.
    /// What is set ends with it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin(&self, view: &View) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let mut transaction = self.pool.begin_with("BEGIN READ ONLY").await?;
        sqlx::query(
            "SELECT set_config('app.current_user_id', $1, true), set_config('app.current_org_id', $2, true),
                    set_config('role', $3, true)",
        )
        .bind(view.user.to_string())
        .bind(view.organization.map(|id| id.to_string()).unwrap_or_default())
        .bind(view.eyes.role())
        .execute(&mut *transaction)
        .await?;
        Ok(transaction)
    }
}
