//! The read tables as they are asked for: their addresses, what filters them, in which order they
//! are walked, and whose their rows are.

use daybook_domain::access;

use crate::banking::account::{AccountRow, TransactionRow};
use crate::catalog::TableInfo;
use crate::identity::api_key::ApiKeyRow;
use crate::identity::user::{UserIdentifierRow, UserRow};
use crate::platform::audit_log::AuditLogRow;
use crate::table::ColumnName;

/// How a parameter selects rows. Every one of them has an index behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// Equal to a UUID.
    Id,
    /// Equal to a text, where case counts.
    Text,
    /// Equal to a value of `public.user_status`.
    UserStatus,
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

/// Whose a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The user in this column.
    User(&'static str),
    /// The owner of the account in this column.
    Account(&'static str),
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
    /// Whose its rows are.
    pub owner: Owner,
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

/// Every table that has an address.
pub const READ_TABLES: &[ReadTable] = &[
    ReadTable {
        context: "identity",
        plural: "users",
        info: TableInfo::of::<UserRow>(),
        kind: Some("identity.user"),
        resource: "identity.user",
        action: access::READ,
        stream: "id",
        filters: &[
            on("email", "id", Match::Identifier("email")),
            on("username", "id", Match::Identifier("username")),
            by("status", Match::UserStatus),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("created_from", "created_at", Match::From),
            on("created_before", "created_at", Match::Before),
        ],
        order: &[sort("created_at", "timestamptz"), ID],
        newest_first: true,
        owner: Owner::User("id"),
        single: true,
    },
    ReadTable {
        context: "identity",
        plural: "user_identifiers",
        info: TableInfo::of::<UserIdentifierRow>(),
        kind: Some("identity.user"),
        resource: "identity.user",
        action: access::READ,
        stream: "user_id",
        filters: &[by("kind", Match::Text), by("key", Match::Text), by("user_id", Match::Id)],
        order: &[sort("kind", "text"), sort("key", "text")],
        newest_first: false,
        owner: Owner::User("user_id"),
        single: false,
    },
    ReadTable {
        context: "identity",
        plural: "api_keys",
        info: TableInfo::of::<ApiKeyRow>(),
        kind: Some("identity.api_key"),
        resource: "identity.api_key",
        action: access::READ,
        stream: "id",
        filters: &[
            by("user_id", Match::Id),
            by("prefix", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("expires_from", "expires_at", Match::From),
            on("expires_before", "expires_at", Match::Before),
        ],
        order: &[ID],
        newest_first: true,
        owner: Owner::User("user_id"),
        single: true,
    },
    ReadTable {
        context: "banking",
        plural: "accounts",
        info: TableInfo::of::<AccountRow>(),
        kind: Some("banking.account"),
        resource: "banking.account",
        action: access::READ,
        stream: "id",
        filters: &[
            by("user_id", Match::Id),
            by("account_number", Match::Text),
            by("account_type", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
        ],
        order: &[ID],
        newest_first: false,
        owner: Owner::User("user_id"),
        single: true,
    },
    ReadTable {
        context: "banking",
        plural: "transactions",
        info: TableInfo::of::<TransactionRow>(),
        kind: Some("banking.account"),
        resource: "banking.account",
        action: access::READ,
        stream: "account_id",
        filters: &[
            by("account_id", Match::Id),
            by("transaction_type", Match::Text),
            by("status", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("from", "transaction_date", Match::From),
            on("before", "transaction_date", Match::Before),
        ],
        order: &[sort("transaction_date", "timestamptz"), ID],
        newest_first: true,
        owner: Owner::Account("account_id"),
        single: true,
    },
    ReadTable {
        context: "platform",
        plural: "audit_logs",
        info: TableInfo::of::<AuditLogRow>(),
        kind: None,
        resource: access::LOG,
        action: access::HISTORY,
        stream: "stream_id",
        filters: &[
            by("user_id", Match::Id),
            by("entity_type", Match::Text),
            by("entity_id", Match::Id),
            on("from", "created_at", Match::From),
            on("before", "created_at", Match::Before),
        ],
        order: &[sort("id", "int8")],
        newest_first: true,
        owner: Owner::User("user_id"),
        single: true,
    },
];

impl ReadTable {
    /// The table at `/v1/{context}/{plural}`; `-` and `_` are the same there.
    #[must_use]
    pub fn at(context: &str, plural: &str) -> Option<&'static Self> {
        let same = |a: &str, b: &str| a.replace('-', "_") == b;
        READ_TABLES.iter().find(|t| same(context, t.context) && same(plural, t.plural))
    }

    /// The table whose rows are the entities of this kind of stream.
    #[must_use]
    pub fn of_kind(kind: &str) -> Option<&'static Self> {
        READ_TABLES.iter().find(|table| table.kind == Some(kind) && table.stream == "id")
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
        let asked: Vec<_> = READ_TABLES.iter().map(ReadTable::name).collect();
        assert_eq!(asked.iter().copied().collect::<BTreeSet<_>>(), known);
        assert_eq!(asked.len(), known.len());
        for table in READ_TABLES {
            let found = ReadTable::at(table.context, table.plural).unwrap();
            assert_eq!(found.name(), table.name(), "two tables at one address");
        }
    }

    #[test]
    fn filters_and_orders_name_columns_that_exist_and_are_no_secret() {
        for table in READ_TABLES {
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
