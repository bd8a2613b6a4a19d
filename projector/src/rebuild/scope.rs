//! Which projections are made again.

use std::collections::BTreeSet;
use std::fmt;

use crate::catalog::{PROJECTIONS, ProjectionInfo, TABLES};
use crate::names;
use crate::twin::AUDIT;

/// Which projections are made again. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Their names; `None`: the whole model.
    kinds: Option<BTreeSet<&'static str>>,
}

/// Names that are no projection's and no table's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownProjection {
    name: String,
}

impl std::error::Error for UnknownProjection {}

impl fmt::Display for UnknownProjection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name } = self;
        if name == AUDIT {
            return write!(
                f,
                "{AUDIT} has rows of every projection: it is made again with all of them, so leave the names out"
            );
        }
        write!(f, "there is no projection and no table {name}")?;
        let tables = TABLES.iter().map(|table| table.name);
        let known: Vec<&str> = made().map(|projection| projection.kind).chain(tables).collect();
        let near = names::near(name, known);
        if !near.is_empty() {
            write!(f, " (near: {})", near.join(", "))?;
        }
        let all: Vec<String> = made()
            .map(|projection| format!("{} ({})", projection.kind, projection.tables.join(", ")))
            .collect();
        write!(f, "; there are {}", all.join(", "))
    }
}

/// Projections that make rows.
fn made() -> impl Iterator<Item = &'static ProjectionInfo> {
    PROJECTIONS.iter().filter(|projection| !projection.tables.is_empty())
}

impl Scope {
    /// The whole model.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// These projections, by their own names or those of tables that they make; all where there are no
    /// names. Those that make rows of one table go together.
    ///
    /// # Errors
    /// A name that is neither.
    pub fn named(names: &[String]) -> Result<Self, UnknownProjection> {
        if names.is_empty() {
            return Ok(Self::all());
        }
        let mut kinds = BTreeSet::new();
        for name in names {
            let named = |projection: &&ProjectionInfo| {
                projection.kind == name || projection.tables.iter().any(|table| table == name)
            };
            let mut found = made().filter(named).map(|projection| projection.kind).peekable();
            if found.peek().is_none() {
                return Err(UnknownProjection { name: name.clone() });
            }
            kinds.extend(found);
        }
        let mut scope = Self { kinds: Some(kinds) };
        while scope.take_in_whoever_shares() {}
        Ok(scope)
    }

    /// Whether another projection came in.
    fn take_in_whoever_shares(&mut self) -> bool {
        let tables = self.tables();
        let Some(kinds) = &mut self.kinds else { return false };
        let before = kinds.len();
        let shares = |projection: &&ProjectionInfo| {
            projection.tables.iter().any(|table| tables.contains(table))
        };
        kinds.extend(made().filter(shares).map(|projection| projection.kind));
        kinds.len() > before
    }

    /// Whether it is the whole model.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.kinds.is_none()
    }

    /// The projections' names; `None`: all.
    #[must_use]
    pub fn kinds(&self) -> Option<Vec<&'static str>> {
        self.kinds.as_ref().map(|kinds| kinds.iter().copied().collect())
    }

    /// The tables whose every row is made again: all of them but `audit_logs`, of which rows of other
    /// projections are too.
    #[must_use]
    pub fn tables(&self) -> Vec<&'static str> {
        let wanted = |kind: &str| self.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind));
        let mut tables: Vec<&str> = made()
            .filter(|projection| wanted(projection.kind))
            .flat_map(|projection| projection.tables.iter().copied())
            .collect();
        tables.sort_unstable();
        tables.dedup();
        tables
    }

    /// Whether the table has rows that are made again.
    #[must_use]
    pub fn reaches(&self, table: &str) -> bool {
        self.is_all() || table == AUDIT || self.tables().contains(&table)
    }

    /// The build, and what of it: a set that another build filled, or of other projections, is never gone
    /// on with.
    pub(super) fn of_build(&self, build: &str) -> String {
        match self.kinds() {
            None => build.to_owned(),
            Some(kinds) => format!("{build}, of {}", kinds.join(" ")),
        }
    }

    /// Of `audit_logs`, as SQL, whether an event of these projections made the row.
    fn by_an_event(&self) -> String {
        let kinds = self.kinds().unwrap_or_default().join("', '");
        format!("id > 0 AND substring(event_type FROM '^[^.]*\\.[^.]*') IN ('{kinds}')")
    }

    /// The rows of a table of `schema` that are looked at, for FROM: of `audit_logs` those that events of
    /// these projections made, and what was changed by hand in their tables.
    pub(super) fn rows_of(&self, table: &str, schema: &str) -> String {
        if self.is_all() || table != AUDIT {
            return format!("{schema}.{table}");
        }
        let tables = self.tables().join("', '");
        format!(
            "(SELECT * FROM {schema}.{table} WHERE {} OR id < 0 AND entity_type IN ('{tables}'))",
            self.by_an_event()
        )
    }

    /// Which rows of a live table are taken over as they are, as a condition in SQL; `None`: none.
    pub(super) fn kept_of(&self, table: &str) -> Option<String> {
        if self.is_all() || (table != AUDIT && self.reaches(table)) {
            return None;
        }
        Some(match table {
            AUDIT => format!("({}) IS NOT TRUE", self.by_an_event()),
            _ => "true".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Result<Scope, UnknownProjection> {
        Scope::named(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn projections_are_named_by_themselves_or_by_their_tables() {
        assert!(named(&[]).unwrap().is_all());
        let accounts = named(&["transactions"]).unwrap();
        assert_eq!(accounts, named(&["banking.account"]).unwrap());
        assert_eq!(accounts.tables(), ["accounts", "transactions"]);
        assert!(accounts.reaches("audit_logs") && !accounts.reaches("users"));
        assert_ne!(accounts.of_build("1"), Scope::all().of_build("1"));
    }

    #[test]
    fn those_that_share_a_table_go_together() {
        let kinds = named(&["ssot_api_aliases"]).unwrap().kinds().unwrap();
        assert_eq!(kinds, ["contracts.api_contract", "contracts.governance_rule"]);
    }

    #[test]
    fn what_there_is_not_is_said_with_what_there_is() {
        let said = named(&["banking.acount"]).unwrap_err().to_string();
        assert!(said.contains("near: banking.account"), "{said}");
        assert!(said.contains("support.ticket (support_tickets)"), "{said}");
        assert!(named(&["contracts.rulebook"]).is_err(), "it makes no rows");
        assert!(named(&["audit_logs"]).unwrap_err().to_string().contains("leave the names out"));
    }
}
