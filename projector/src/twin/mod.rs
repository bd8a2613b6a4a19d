//! A second set of the read tables, in another schema: generically from PostgreSQL's catalogue, so
//! that nothing about them is written down twice. It comes in steps, since a table without indexes
//! fills faster, and one under row-level security cannot be filled by COPY at all: bare tables; keys
//! and indexes; foreign keys; triggers, policies and grants.
//!
//! What a second set takes over: columns, defaults, generated columns, checks, storage, options,
//! partitions, keys, indexes, foreign keys (among themselves), triggers, row-level security,
//! policies, grants, comments. What it could not take over is refused beforehand ([`Twin::unmoved`]).
//! Functions and types are not copied: both sets use those in `public`.

mod indexes;

use std::collections::BTreeMap;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::task::JoinSet;

use crate::catalog::{TABLES, Tables};
use crate::table::LIVE;

/// How names are printed by the catalogue: every one of ours with its schema, times in UTC.
const PRINTING: &str =
    "SET LOCAL search_path = pg_catalog; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'";

/// A schema's name that nobody made up in SQL: lower case, digits and underscores.
#[must_use]
pub fn is_schema_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_lowercase() || first == '_')
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name.len() <= 63
}

/// For connections whose work is to leave the other processors alone.
pub(crate) const ALONE: &str =
    "SET max_parallel_maintenance_workers = 0; SET max_parallel_workers_per_gather = 0";

/// The read tables of another schema. Whoever makes one works as the owner (`daybook_migrator`).
#[derive(Debug, Clone)]
pub struct Twin {
    /// The schema.
    pub schema: String,
    /// The tables' names, in the order in which rows are made.
    pub names: Vec<String>,
    /// Whether indexes are there before the rows, as far as they can be.
    steady: bool,
}

impl Twin {
    /// All read tables, in `schema`, which need not be there yet.
    #[must_use]
    pub fn of(schema: &str) -> Self {
        Self {
            schema: schema.to_owned(),
            names: TABLES.iter().map(|table| table.name.to_owned()).collect(),
            steady: false,
        }
    }

    /// The same with its indexes made before the rows: each row costs more then, and there is no
    /// great work at the end that others would have to stand. What is unique comes last all the
    /// same, since rows are written in another order than they came to be in.
    #[must_use]
    pub fn steady(mut self) -> Self {
        self.steady = true;
        self
    }

    /// The same without `table`.
    #[must_use]
    pub fn without(mut self, table: &str) -> Self {
        self.names.retain(|name| name != table);
        self
    }

    /// Its statements.
    #[must_use]
    pub fn statements(&self) -> Tables {
        Tables::of(&self.schema)
    }

    /// What is bound to the live tables and would be left behind; empty when all is well.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn unmoved(&self, connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar(include_str!("unmoved.sql"))
            .bind(&self.names)
            .fetch_all(connection)
            .await
    }

    /// Makes the schema and the bare tables with their partitions, in one transaction.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn make_tables(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let mut transaction = sqlx::Connection::begin(connection).await?;
        run(&format!("{PRINTING}; CREATE SCHEMA {}", self.schema), &mut transaction).await?;
        let tables: Vec<(String, String)> =
            self.printed(include_str!("tables.sql"), &mut transaction).await?;
        for (_, statement) in tables {
            run(&statement, &mut transaction).await?;
        }
        transaction.commit().await
    }

    /// Makes the foreign keys; rows that break one are refused. `tell` hears of the bytes of tables whose
    /// rows were looked at for one, and are to be.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn make_foreign_keys(
        &self,
        connection: &mut PgConnection,
        tell: &(dyn Fn(i64, i64) + Send + Sync),
    ) -> Result<(), sqlx::Error> {
        self.all(include_str!("foreign_keys.sql"), connection, tell).await
    }

    /// Makes triggers, policies and grants, in one transaction: who may read a table is under its
    /// policies from the first moment on.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn make_rights(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.all(include_str!("rights.sql"), connection, &|_, _| ()).await
    }

    /// Tells the planner what is in the tables; and `tell` of how many bytes of how many.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn analyze(
        &self,
        connection: &mut PgConnection,
        tell: &(dyn Fn(i64, i64) + Send + Sync),
    ) -> Result<(), sqlx::Error> {
        let sizes = sizes_of(&self.names, &self.schema, connection).await?;
        let (mut done, total) = (0, sizes.values().sum());
        for name in &self.names {
            tell(done, total);
            run(&format!("ANALYZE {}.{name}", self.schema), connection).await?;
            done += sizes.get(name).copied().unwrap_or(0);
        }
        Ok(())
    }

    /// Whether the schema is there.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn exists(&self, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
            .bind(&self.schema)
            .fetch_one(connection)
            .await
    }

    /// Takes everything away again, however far it was made. Nothing outside may hang on it.
    ///
    /// # Errors
    /// When something does, or the server refuses.
    pub async fn drop(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        drop_schema(&self.schema, connection).await
    }

    /// What the catalogue prints of the live tables, in a transaction of its own.
    async fn definitions<T>(
        &self,
        query: &'static str,
        connection: &mut PgConnection,
    ) -> Result<Vec<T>, sqlx::Error>
    where
        T: for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut tried = 0;
        loop {
            let mut transaction = sqlx::Connection::begin(&mut *connection).await?;
            run(PRINTING, &mut transaction).await?;
            let printed = self.printed(query, &mut transaction).await;
            transaction.rollback().await?;
            match printed {
                Err(error) if tried < 5 && is_deadlock(&error) => tried += 1,
                other => return other,
            }
        }
    }

    /// The same in the caller's transaction, to whose end the live tables stay where they are: where
    /// another set takes their place meanwhile, their names would be those of the one, and their
    /// definitions, which are looked up by number, those of the other.
    async fn printed<T>(
        &self,
        query: &'static str,
        transaction: &mut PgConnection,
    ) -> Result<Vec<T>, sqlx::Error>
    where
        T: for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin,
    {
        hold_live(&self.names, transaction).await?;
        sqlx::query_as(query).bind(&self.names).bind(&self.schema).fetch_all(transaction).await
    }

    async fn all(
        &self,
        query: &'static str,
        connection: &mut PgConnection,
        tell: &(dyn Fn(i64, i64) + Send + Sync),
    ) -> Result<(), sqlx::Error> {
        let statements: Vec<(String, String)> = self.definitions(query, connection).await?;
        let mut transaction = sqlx::Connection::begin(connection).await?;
        run(PRINTING, &mut transaction).await?;
        let sizes = sizes_of(&self.names, &self.schema, &mut transaction).await?;
        let size = |table: &str| sizes.get(table).copied().unwrap_or(0);
        let (mut done, total) = (0, statements.iter().map(|(table, _)| size(table)).sum());
        for (table, statement) in statements {
            tell(done, total);
            run(&statement, &mut transaction).await?;
            done += size(&table);
        }
        transaction.commit().await
    }
}

/// Whether a migration and we each had tables that the other wanted.
fn is_deadlock(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).as_deref() == Some("40P01")
}

/// Keeps the live tables of these names in their place until the transaction ends.
pub(crate) async fn hold_live(
    names: &[String],
    transaction: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let live: Vec<String> = names.iter().map(|name| format!("{LIVE}.{name}")).collect();
    run(&format!("LOCK TABLE {} IN ACCESS SHARE MODE", live.join(", ")), transaction).await
}

/// The table that is only ever added to.
pub(crate) const AUDIT: &str = "audit_logs";

/// How the live tables and those of `coming` change places: the live ones go into the schema `away`,
/// which is there and has none. Partitions that only the live ones have are made first. Views go with
/// the names, not with the tables. All of it is for one transaction that holds both sets locked.
pub(crate) async fn change_places(
    coming: &Twin,
    away: &str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    run(PRINTING, connection).await?;
    let missing: Vec<String> = sqlx::query_scalar(include_str!("partitions.sql"))
        .bind(&coming.names)
        .bind(LIVE)
        .bind(&coming.schema)
        .fetch_all(&mut *connection)
        .await?;
    let views = views_of(&coming.names, connection).await?;
    run(&missing.join(";\n"), connection).await?;
    for (from, to) in [(LIVE, away), (coming.schema.as_str(), LIVE)] {
        let moves: Vec<String> = sqlx::query_scalar(include_str!("moves.sql"))
            .bind(&coming.names)
            .bind(from)
            .bind(to)
            .fetch_all(&mut *connection)
            .await?;
        run(&moves.join(";\n"), connection).await?;
    }
    for (_, make) in &views {
        run(make, connection).await?;
    }
    Ok(())
}

/// The views that read live tables of these names, each after those that it reads: its name, and how
/// to make it again.
pub(crate) async fn views_of(
    names: &[String],
    connection: &mut PgConnection,
) -> Result<Vec<(String, String)>, sqlx::Error> {
    sqlx::query_as(include_str!("views.sql")).bind(names).bind(LIVE).fetch_all(connection).await
}

/// Takes a schema of tables away. One statement for all tables, since they refer to each other, and
/// never a cascade, which would take with it what somebody built on them.
pub(crate) async fn drop_schema(
    schema: &str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let mut transaction = sqlx::Connection::begin(connection).await?;
    let views: Option<String> =
        sqlx::query_scalar(DROP_ALL).bind(schema).bind("v").fetch_one(&mut *transaction).await?;
    let tables: Option<String> =
        sqlx::query_scalar(DROP_ALL).bind(schema).bind("rp").fetch_one(&mut *transaction).await?;
    if let Some(views) = views {
        run(&format!("DROP VIEW {views}"), &mut transaction).await?;
    }
    if let Some(tables) = tables {
        run(&format!("DROP TABLE {tables}"), &mut transaction).await?;
    }
    run(&format!("DROP SCHEMA IF EXISTS {schema}"), &mut transaction).await?;
    sqlx::query("DELETE FROM projector.set_checkpoints WHERE schema_name = $1")
        .bind(schema)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

const DROP_ALL: &str = "SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', ')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND NOT c.relispartition AND strpos($2, c.relkind::text) > 0";

/// How large tables of a schema are with their partitions, in bytes, without indexes.
pub(crate) async fn sizes_of(
    names: &[String],
    schema: &str,
    connection: &mut PgConnection,
) -> Result<BTreeMap<String, i64>, sqlx::Error> {
    let sizes: Vec<(String, i64)> = sqlx::query_as(include_str!("sizes.sql"))
        .bind(names)
        .bind(schema)
        .fetch_all(connection)
        .await?;
    Ok(sizes.into_iter().collect())
}

/// Of how many bytes of the tables of a schema indexes are made right now, as far as they are.
pub(crate) async fn being_indexed(
    schema: &str,
    connection: &mut PgConnection,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(include_str!("being_indexed.sql")).bind(schema).fetch_one(connection).await
}

/// Runs statements that the catalogue gave.
pub(crate) async fn run(
    statements: &str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    if statements.is_empty() {
        return Ok(());
    }
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await?;
    Ok(())
}

/// What the next task that ends gives; `None`: all have ended. Who goes no further after an error drops
/// the others, which ends them.
pub(crate) async fn joined<T: 'static, E: From<sqlx::Error> + 'static>(
    tasks: &mut JoinSet<Result<T, E>>,
) -> Result<Option<T>, E> {
    let broke = |panic| sqlx::Error::Protocol(format!("a task of ours broke: {panic}"));
    match tasks.join_next().await {
        Some(ended) => ended.map_err(broke)?.map(Some),
        None => Ok(None),
    }
}
