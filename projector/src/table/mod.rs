//! Typed rows of read tables: each column is written down once, and everything
//! that PostgreSQL, COPY and the audit trail must know of it follows.

pub mod column;
mod decimal;
mod millionths;
mod statements;

use std::fmt::Debug;
use std::hash::Hash;

use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use uuid::Uuid;

pub use column::{Column, Hundredths, JsonText, Words};
pub use millionths::Millionths;
pub use statements::{LIVE, SCRATCH, Statements};

/// A column of a read table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnName {
    /// Its name.
    pub name: &'static str,
    /// The type of the arrays that carry it.
    pub array: &'static str,
    /// The type that its parameters are cast to, where assignment does not do it (enums, jsonb).
    pub cast: Option<&'static str>,
    /// Never shown in the audit trail, in differences or in answers.
    pub secret: bool,
}

/// How long a partition of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A month.
    Month,
    /// An ISO week: Monday to Sunday.
    Week,
}

/// A row of a read table. Made by the macro [`table!`](macro@crate::table).
pub trait Row: Clone + PartialEq + Send + Sync + 'static {
    /// What identifies the row in memory; its columns are the table's key, but for a partition column.
    type Key: Clone + Debug + Eq + Hash + Ord + Send + Sync + 'static;
    /// The table.
    const TABLE: &'static str;
    /// The columns that a projection writes; generated ones are absent.
    const COLUMNS: &'static [ColumnName];
    /// The columns of [`Row::Key`]; unique in the table.
    const KEY: &'static [&'static str];
    /// The column by whose month (or week, see [`Row::PERIOD`]) the table is partitioned, if it is.
    const MONTH: Option<&'static str>;
    /// How long a partition is, where there are any.
    const PERIOD: Period = Period::Month;
    /// Whether its changes have rows in `audit_logs`.
    const AUDITED: bool = true;
    /// The column that `audit_logs.entity_id` shows.
    const ENTITY: &'static str;

    /// Its key.
    fn key(&self) -> Self::Key;
    /// What `audit_logs.entity_id` says.
    fn entity(&self) -> Uuid;
    /// Whether no later event is expected to change it: a rebuild need not keep it at hand.
    fn settled(&self) -> bool {
        false
    }
    /// The moment that decides its partition.
    fn month(&self) -> Option<chrono::DateTime<chrono::Utc>>;
    /// Binds one array a column.
    fn bind<'q>(query: BoundQuery<'q>, rows: &[&Self]) -> BoundQuery<'q>;
    /// Binds one array a column of the key.
    fn bind_keys<'q>(query: BoundQuery<'q>, keys: &[Self::Key]) -> BoundQuery<'q>;
    /// Reads a row that [`Statements::select`] gave.
    ///
    /// # Errors
    /// A column that is not what this build expects.
    fn read(row: &PgRow) -> Result<Self, sqlx::Error>;
    /// Appends the row in COPY's binary format.
    fn copy(&self, out: &mut Vec<u8>);
    /// The row as a JSON object without secrets, in the order of its columns; with `other`, only
    /// the columns in which the two differ.
    fn json(&self, other: Option<&Self>) -> String;
    /// A key as a JSON object, as [`Row::json`] has its columns.
    fn key_json(key: &Self::Key) -> String;
}

/// What a partition's column holds: an instant, or a day, which is the instant it begins in UTC.
pub trait Moment {
    /// The instant.
    fn moment(&self) -> chrono::DateTime<chrono::Utc>;
}

impl Moment for chrono::DateTime<chrono::Utc> {
    fn moment(&self) -> chrono::DateTime<chrono::Utc> {
        *self
    }
}

impl Moment for chrono::NaiveDate {
    fn moment(&self) -> chrono::DateTime<chrono::Utc> {
        self.and_time(chrono::NaiveTime::MIN).and_utc()
    }
}

/// A query whose parameters are being bound.
pub type BoundQuery<'q> = Query<'q, Postgres, PgArguments>;

/// A column's name as PostgreSQL has it: a word that Rust keeps for itself is written `r#type` here.
#[must_use]
pub const fn in_sql(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// Writes down a read table: its row, its key and its columns in order.
///
/// `table! { /// … pub struct AccountRow in "accounts", key (id: Uuid), entity id { id: Uuid, …, status: String as "user_status", secret password_hash: String, } }`
#[macro_export]
macro_rules! table {
    (
        $(#[$meta:meta])*
        pub struct $Row:ident in $table:literal,
        key ($($key:ident: $Key:ty),+),
        entity $entity:ident
        $(, month $month:ident)?
        $(, week $week:ident)?
        $(, settled $settled:expr)?
        $(, audited $audited:literal)?
        ;
        $($(#[$column_meta:meta])* $([$secret:ident])? $column:ident: $Type:ty $(as $cast:literal)?,)+
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $Row {
            $($(#[$column_meta])* #[allow(missing_docs, reason = "a column's name says what it is")] pub $column: $Type,)+
        }

        impl $crate::table::Row for $Row {
            type Key = ($($Key,)+);
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [$crate::table::ColumnName] = &[
                $($crate::table::ColumnName {
                    name: $crate::table::in_sql(stringify!($column)),
                    array: <$Type as $crate::table::Column>::ARRAY,
                    cast: $crate::table!(@cast $($cast)?),
                    secret: $crate::table!(@secret $($secret)?),
                },)+
            ];
            const KEY: &'static [&'static str] = &[$(stringify!($key)),+];
            const MONTH: Option<&'static str> = $crate::table!(@name $($month)? $($week)?);
            $(const PERIOD: $crate::table::Period = $crate::table!(@week $week);)?
            $(const AUDITED: bool = $audited;)?
            const ENTITY: &'static str = stringify!($entity);

            fn key(&self) -> Self::Key {
                ($(self.$key.clone(),)+)
            }

            fn entity(&self) -> uuid::Uuid {
                self.$entity
            }

            $(fn settled(&self) -> bool {
                let settled: fn(&Self) -> bool = $settled;
                settled(self)
            })?

            fn month(&self) -> Option<chrono::DateTime<chrono::Utc>> {
                $crate::table!(@month self $($month)? $($week)?)
            }

            fn bind<'q>(query: $crate::table::BoundQuery<'q>, rows: &[&Self]) -> $crate::table::BoundQuery<'q> {
                query$(.bind(rows.iter().map(|row| $crate::table::Column::bound(&row.$column)).collect::<Vec<_>>()))+
            }

            fn bind_keys<'q>(query: $crate::table::BoundQuery<'q>, keys: &[Self::Key]) -> $crate::table::BoundQuery<'q> {
                $(let mut $key = Vec::with_capacity(keys.len());)+
                for key in keys {
                    let ($($key,)+) = ($(&mut $key,)+);
                    $crate::table!(@push_keys key ($($key)+));
                }
                query$(.bind($key))+
            }

            fn read(row: &sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
                let mut at = 0..;
                let mut next = || at.next().unwrap_or_default();
                Ok(Self {
                    $($column: {
                        let value: <$Type as $crate::table::Column>::Read = sqlx::Row::try_get(row, next())?;
                        <$Type as $crate::table::Column>::read(value).map_err(sqlx::Error::Decode)?
                    },)+
                })
            }

            fn copy(&self, out: &mut Vec<u8>) {
                let fields = i16::try_from(Self::COLUMNS.len()).unwrap_or(i16::MAX);
                out.extend_from_slice(&fields.to_be_bytes());
                $($crate::table::column::copy_field(&self.$column, out);)+
            }

            fn json(&self, other: Option<&Self>) -> String {
                let mut out = String::with_capacity(256);
                out.push('{');
                $(if !$crate::table!(@secret $($secret)?) && other.is_none_or(|other| other.$column != self.$column) {
                    if out.len() > 1 {
                        out.push(',');
                    }
                    out.push('"');
                    out.push_str($crate::table::in_sql(stringify!($column)));
                    out.push_str("\":");
                    $crate::table::Column::json(&self.$column, &mut out);
                })+
                out.push('}');
                out
            }

            fn key_json(key: &Self::Key) -> String {
                let ($($key,)+) = key;
                let mut out = String::from("{");
                $(
                    if out.len() > 1 {
                        out.push(',');
                    }
                    out.push('"');
                    out.push_str($crate::table::in_sql(stringify!($key)));
                    out.push_str("\":");
                    $crate::table::Column::json($key, &mut out);
                )+
                out.push('}');
                out
            }
        }
    };
    (@cast) => { None };
    (@cast $cast:literal) => { Some($cast) };
    (@secret) => { false };
    (@secret secret) => { true };
    (@week $week:ident) => { $crate::table::Period::Week };
    (@name) => { None };
    (@name $month:ident) => { Some(stringify!($month)) };
    (@month $self:ident) => { None };
    (@month $self:ident $month:ident) => { Some($crate::table::Moment::moment(&$self.$month)) };
    (@push_keys $from:ident ($a:ident)) => { $a.push(&$from.0) };
    (@push_keys $from:ident ($a:ident $b:ident)) => { $a.push(&$from.0); $b.push(&$from.1) };
}
