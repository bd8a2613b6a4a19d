//! The SQL of a read table, written once when the process starts.

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{ColumnName, Row};

/// The schema that is read by everyone.
pub const LIVE: &str = "public";
/// The schema of a transaction's own temporary tables.
pub const SCRATCH: &str = "pg_temp";

/// The statements of one table in one schema. Names come from [`Row`]'s constants alone, so that no
/// text from outside ever is part of one.
#[derive(Debug, Clone)]
pub struct Statements {
    /// Rows by key: one array a key column.
    pub select: SqlStr,
    /// New rows: one array a column.
    pub insert: SqlStr,
    /// Changed rows: one array a column; key columns are never set, since an update that sets one
    /// takes a stronger lock even when nothing changes.
    pub update: SqlStr,
    /// Rows that are gone: one array a column.
    pub delete: SqlStr,
    /// COPY … FROM STDIN in binary format.
    pub copy: String,
}

impl Statements {
    /// The statements of `R`'s table in `schema`.
    #[must_use]
    pub fn of<R: Row>(schema: &str) -> Self {
        let table = format!("{schema}.{}", R::TABLE);
        let names = list(R::COLUMNS, |column| column.name.to_owned());
        let given = list(R::COLUMNS, |column| match column.cast {
            Some(cast) => format!("given.{}::{cast}", column.name),
            None => format!("given.{}", column.name),
        });
        let arrays = arrays(R::COLUMNS);
        let is_key = |column: &&ColumnName| R::KEY.contains(&column.name);
        let same_row = same::<R>(R::MONTH);
        let keys: Vec<ColumnName> = R::COLUMNS.iter().filter(is_key).copied().collect();
        let set: Vec<ColumnName> = R::COLUMNS
            .iter()
            .filter(|column| !is_key(column) && R::MONTH != Some(column.name))
            .copied()
            .collect();
        let set = list(&set, |column| match column.cast {
            Some(cast) => format!("{0} = given.{0}::{cast}", column.name),
            None => format!("{0} = given.{0}", column.name),
        });
        // What is cast on the way in is read back as text.
        let read = list(R::COLUMNS, |column| match column.cast {
            Some(_) => format!("stored.{}::text", column.name),
            None => format!("stored.{}", column.name),
        });
        let select = format!(
            "SELECT {read} FROM {} JOIN {table} AS stored ON {}",
            self::arrays(&keys),
            same::<R>(None)
        );
        Self {
            select: safe(select),
            insert: safe(format!("INSERT INTO {table} ({names}) SELECT {given} FROM {arrays}")),
            update: safe(format!(
                "UPDATE {table} AS stored SET {set} FROM {arrays} WHERE {same_row}"
            )),
            delete: safe(format!("DELETE FROM {table} AS stored USING {arrays} WHERE {same_row}")),
            copy: format!("COPY {table} ({names}) FROM STDIN WITH (FORMAT binary)"),
        }
    }
}

fn safe(text: String) -> SqlStr {
    AssertSqlSafe(text).into_sql_str()
}

fn list(columns: &[ColumnName], each: impl Fn(&ColumnName) -> String) -> String {
    columns.iter().map(each).collect::<Vec<_>>().join(", ")
}

/// `unnest($1::uuid[], …) AS given (id, …)`
fn arrays(columns: &[ColumnName]) -> String {
    let mut parameters = String::new();
    for (at, column) in columns.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        let _ = write!(parameters, "{comma}${}::{}[]", at + 1, column.array);
    }
    format!("unnest({parameters}) AS given ({})", list(columns, |column| column.name.to_owned()))
}

/// The partition column, where given, spares PostgreSQL looking into the other partitions.
fn same<R: Row>(month: Option<&'static str>) -> String {
    R::KEY
        .iter()
        .copied()
        .chain(month)
        .map(|name| format!("stored.{name} = given.{name}"))
        .collect::<Vec<_>>()
        .join(" AND ")
}
