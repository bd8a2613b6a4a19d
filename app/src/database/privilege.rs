//! Who a connection is: the service must be bound by the database's policies.

use sqlx::PgConnection;

/// What a connection's roles may do beside what they were granted.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Privileges {
    /// Who logged in.
    pub session_name: String,
    /// As whom statements run.
    pub current_name: String,
    /// Whether either of them is a superuser.
    pub is_superuser: bool,
    /// Whether either of them has BYPASSRLS.
    pub bypasses_policies: bool,
    /// A table that either of them owns, or whose owner it may become.
    pub owned_table: Option<String>,
}

impl Privileges {
    /// Asks the server.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn of(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        sqlx::query_as(include_str!("privilege.sql")).fetch_one(connection).await
    }

    /// Why the service may not work like this; `None` when it may.
    #[must_use]
    pub fn objection(&self) -> Option<String> {
        let who = if self.session_name == self.current_name {
            self.session_name.clone()
        } else {
            format!("{} (as {})", self.session_name, self.current_name)
        };
        if self.is_superuser {
            Some(format!("{who} is a superuser"))
        } else if self.bypasses_policies {
            Some(format!("{who} has BYPASSRLS"))
        } else {
            self.owned_table
                .as_ref()
                .map(|table| format!("{who} owns {table}, or may become its owner"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Privileges {
        Privileges {
            session_name: "daybook_service".into(),
            current_name: "daybook_writer".into(),
            is_superuser: false,
            bypasses_policies: false,
            owned_table: None,
        }
    }

    #[test]
    fn the_service_has_nothing_beside_its_grants() {
        assert_eq!(service().objection(), None);
    }

    #[test]
    fn each_way_around_the_policies_is_named() {
        let superuser = Privileges { is_superuser: true, ..service() };
        assert!(superuser.objection().is_some_and(|text| text.contains("superuser")));
        let bypass = Privileges { bypasses_policies: true, ..service() };
        assert!(bypass.objection().is_some_and(|text| text.contains("BYPASSRLS")));
        let owner = Privileges { owned_table: Some("public.users".into()), ..service() };
        assert!(owner.objection().is_some_and(|text| text.contains("public.users")));
    }
}
