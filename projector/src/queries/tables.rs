//! The read tables as they are asked for: their addresses, what filters them, and in which order
//! they are walked. Whose rows are seen is said by the policies of the database.

mod banking;
mod content;
mod contracts;
mod datacentre;
mod identity;
mod open_banking;
mod organizations;
mod platform;
mod recycling;
mod services;
mod support;

use crate::catalog::TableInfo;
use crate::table::ColumnName;

/// How a parameter selects rows. Every one of them has an index behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// Equal to a UUID.
    Id,
    /// Equal to a text, where case counts.
    Text,
    /// Equal to a value of this enum type, such as `public.user_status`.
    Enum(&'static str),
    /// Equal to a whole number.
    Number,
    /// At or after an instant.
    From,
    /// Before an instant.
    Before,
    /// The user who has this email or username (`kind` of `user_identifiers`), whatever its case.
    Identifier(&'static str),
}

/// A query parameter of a table.
#[derive(Debug, Clone, Copy)]
pub struct FilterBy {
    /// The parameter.
    pub name: &'static str,
    /// The column.
    pub column: &'static str,
    /// How.
    pub how: Match,
}

/// A column that orders a table; it never changes in a row, so that a walk along it meets every row
/// that is there all the while exactly once.
#[derive(Debug, Clone, Copy)]
pub struct SortColumn {
    /// The column.
    pub name: &'static str,
    /// Its PostgreSQL type.
    pub sql: &'static str,
}

/// A table as it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct ReadTable {
    /// The first part of its address.
    pub context: &'static str,
    /// The second.
    pub plural: &'static str,
    /// What is known of the table itself.
    pub info: TableInfo,
    /// The kind of the streams that its rows come from; `None`: from all of them.
    pub kind: Option<&'static str>,
    /// The resource that a reader needs a permission on.
    pub resource: &'static str,
    /// The permission.
    pub action: &'static str,
    /// The column with the stream that a row comes from.
    pub stream: &'static str,
    /// The parameters that filter it.
    pub filters: &'static [FilterBy],
    /// The order in which it is walked; the last columns make it unique.
    pub order: &'static [SortColumn],
    /// Whether the walk begins at the end, unless asked otherwise.
    pub newest_first: bool,
    /// Whether one row has an address of its own: `{id}`.
    pub single: bool,
}

const fn by(name: &'static str, how: Match) -> FilterBy {
    FilterBy { name, column: name, how }
}

const fn on(name: &'static str, column: &'static str, how: Match) -> FilterBy {
    FilterBy { name, column, how }
}

const fn sort(name: &'static str, sql: &'static str) -> SortColumn {
    SortColumn { name, sql }
}

const ID: SortColumn = sort("id", "uuid");

/// Every table that has an address, by context.
const BY_CONTEXT: &[&[ReadTable]] = &[
    identity::TABLES,
    organizations::TABLES,
    content::TABLES,
    services::TABLES,
    banking::TABLES,
    open_banking::TABLES,
    recycling::TABLES,
    support::TABLES,
    datacentre::TABLES,
    contracts::TABLES,
    platform::TABLES,
];

/// Every table that has an address.
pub fn read_tables() -> impl Iterator<Item = &'static ReadTable> {
    BY_CONTEXT.iter().copied().flatten()
}

impl ReadTable {
    /// The table at `/v1/{context}/{plural}`; `-` and `_` are the same there.
    #[must_use]
    pub fn at(context: &str, plural: &str) -> Option<&'static Self> {
        let same = |a: &str, b: &str| a.replace('-', "_") == b;
        read_tables().find(|t| same(context, t.context) && same(plural, t.plural))
    }

    /// The table whose rows are the entities of this kind of stream.
    #[must_use]
    pub fn of_kind(kind: &str) -> Option<&'static Self> {
        read_tables().find(|table| table.kind == Some(kind) && table.stream == "id")
    }

    /// Its name in the database.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.info.name
    }

    /// `/v1/{context}/{plural}`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/v1/{}/{}", self.context, self.plural)
    }

    /// The columns that leave the database; secrets never do.
    pub fn columns(&self) -> impl Iterator<Item = &'static ColumnName> {
        self.info.columns.iter().filter(|column| !column.secret)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalog;

    #[test]
    fn every_read_table_has_exactly_one_address() {
        let known: BTreeSet<_> = catalog::TABLES.iter().map(|table| table.name).collect();
        let asked: Vec<_> = read_tables().map(ReadTable::name).collect();
        assert_eq!(asked.iter().copied().collect::<BTreeSet<_>>(), known);
        assert_eq!(asked.len(), known.len());
        for table in read_tables() {
            let found = ReadTable::at(table.context, table.plural).unwrap();
            assert_eq!(found.name(), table.name(), "two tables at one address");
        }
    }

    #[test]
    fn filters_and_orders_name_columns_that_exist_and_are_no_secret() {
        for table in read_tables() {
            let columns: BTreeSet<_> = table.columns().map(|column| column.name).collect();
            let named = table.filters.iter().map(|filter| filter.column);
            for column in
                named.chain(table.order.iter().map(|sort| sort.name)).chain([table.stream])
            {
                assert!(columns.contains(column), "{}.{column}", table.name());
            }
            for reserved in ["limit", "cursor", "order", "as_of", "at_position"] {
                assert!(table.filters.iter().all(|filter| filter.name != reserved));
            }
        }
    }
}
