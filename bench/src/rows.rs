//! The rows of the read tables, taken out of them as they are, to be written again by the floors.

use std::time::Instant;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use sqlx::postgres::{PgArguments, PgPoolCopyExt, PgRow};
use sqlx::query::Query;
use sqlx::types::Json;
use sqlx::types::ipnetwork::IpNetwork;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Row};
use uuid::Uuid;

use crate::Trouble;

/// The read tables, parents first.
pub(crate) const TABLES: [&str; 6] =
    ["users", "user_identifiers", "api_keys", "accounts", "transactions", "audit_logs"];

/// Rows of one INSERT.
const ROWS: usize = 1000;

/// A column that is written, and its type.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    sort: String,
}

/// One column's values of some rows, in an array of its type.
enum Values {
    Uuid(Vec<Option<Uuid>>),
    Text(Vec<Option<String>>),
    Time(Vec<Option<DateTime<Utc>>>),
    Number(Vec<Option<Decimal>>),
    Long(Vec<Option<i64>>),
    Short(Vec<Option<i32>>),
    Truth(Vec<Option<bool>>),
    Json(Vec<Option<Json<Box<RawValue>>>>),
    Address(Vec<Option<IpNetwork>>),
    /// A text array a row, as its printed form.
    Texts(Vec<Option<String>>),
}

/// A table's rows in pieces of a thousand, and the statement that writes a piece.
pub(crate) struct Arrays {
    statement: String,
    pieces: Vec<Vec<Values>>,
}

/// A table's rows as COPY gives and takes them.
pub(crate) struct Copied {
    table: &'static str,
    columns: String,
    bytes: Vec<u8>,
}

/// How many rows all read tables have.
pub(crate) async fn count(connection: &mut PgConnection) -> Result<i64, Trouble> {
    let mut rows = 0;
    for table in TABLES {
        rows += count_of(connection, table).await?;
    }
    Ok(rows)
}

async fn count_of(connection: &mut PgConnection, table: &str) -> Result<i64, Trouble> {
    let statement = AssertSqlSafe(format!("SELECT count(*) FROM public.{table}"));
    Ok(sqlx::query_scalar(statement).fetch_one(connection).await?)
}

/// The role that owns the tables: what anybody else writes into them is written down as a change by
/// hand, row by row, which no floor is to pay for.
pub(crate) const OWNER: &str = "daybook_migrator";

/// Empties all read tables.
pub(crate) async fn truncate(connection: &mut PgConnection) -> Result<(), Trouble> {
    let statement = AssertSqlSafe(format!("TRUNCATE {} CASCADE", TABLES.join(", ")));
    sqlx::raw_sql(statement).execute(connection).await?;
    Ok(())
}

async fn columns(connection: &mut PgConnection, table: &str) -> Result<Vec<Column>, Trouble> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute
         WHERE attrelid = ('public.' || $1)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
         ORDER BY attnum",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(name, sort)| Column { name, sort }).collect())
}

fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}

impl Arrays {
    /// A table's rows, in the order in which they lie there.
    pub(crate) async fn of(connection: &mut PgConnection, table: &str) -> Result<Self, Trouble> {
        let columns = columns(connection, table).await?;
        let read: Vec<String> = columns
            .iter()
            .map(|column| match Values::new(&column.sort) {
                Values::Text(_) | Values::Texts(_) => format!("{}::text", column.name),
                _ => column.name.clone(),
            })
            .collect();
        let taken: Vec<String> =
            columns.iter().map(|column| format!("v.{}::{}", column.name, column.sort)).collect();
        let given: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(number, column)| {
                format!("${}::{}[]", number + 1, Values::new(&column.sort).sort())
            })
            .collect();
        let all = names(&columns);
        let statement = format!(
            "INSERT INTO public.{table} ({all}) SELECT {} FROM unnest({}) AS v ({all})",
            taken.join(", "),
            given.join(", ")
        );
        let mut pieces: Vec<Vec<Values>> = Vec::new();
        let mut in_piece = ROWS;
        let select = AssertSqlSafe(format!("SELECT {} FROM public.{table}", read.join(", ")));
        let mut rows = sqlx::query(select).fetch(connection);
        while let Some(row) = rows.try_next().await? {
            if in_piece == ROWS {
                pieces.push(columns.iter().map(|column| Values::new(&column.sort)).collect());
                in_piece = 0;
            }
            in_piece += 1;
            let piece = pieces.last_mut().ok_or("no piece")?;
            for (number, values) in piece.iter_mut().enumerate() {
                values.push(&row, number)?;
            }
        }
        Ok(Self { statement, pieces })
    }

    /// Writes them with one INSERT a thousand rows, each in a transaction of its own.
    pub(crate) async fn insert(self, connection: &mut PgConnection) -> Result<(), Trouble> {
        for piece in self.pieces {
            let mut query = sqlx::query(AssertSqlSafe(self.statement.as_str()));
            for values in piece {
                query = values.bind(query);
            }
            query.execute(&mut *connection).await?;
        }
        Ok(())
    }
}

/// For each kind of array: its name in SQL, reading a value, binding all.
macro_rules! each_kind {
    ($($Kind:ident $sort:literal),+) => {
        impl Values {
            fn sort(&self) -> &'static str {
                match self { $(Self::$Kind(_) => $sort),+ }
            }

            fn push(&mut self, row: &PgRow, column: usize) -> Result<(), sqlx::Error> {
                match self { $(Self::$Kind(values) => values.push(row.try_get(column)?)),+ }
                Ok(())
            }

            fn bind(
                self,
                query: Query<'_, Postgres, PgArguments>,
            ) -> Query<'_, Postgres, PgArguments> {
                match self { $(Self::$Kind(values) => query.bind(values)),+ }
            }
        }
    };
}

each_kind! {
    Uuid "uuid", Text "text", Time "timestamptz", Number "numeric", Long "bigint", Short "integer",
    Truth "boolean", Json "jsonb", Address "inet", Texts "text"
}

impl Values {
    /// No values yet, of a type as the catalogue names it; what is not named here goes as text.
    fn new(sort: &str) -> Self {
        match sort {
            "uuid" => Self::Uuid(Vec::new()),
            "timestamp with time zone" => Self::Time(Vec::new()),
            "numeric" => Self::Number(Vec::new()),
            "bigint" => Self::Long(Vec::new()),
            "integer" => Self::Short(Vec::new()),
            "boolean" => Self::Truth(Vec::new()),
            "jsonb" => Self::Json(Vec::new()),
            "inet" => Self::Address(Vec::new()),
            array if array.ends_with("[]") => Self::Texts(Vec::new()),
            _ => Self::Text(Vec::new()),
        }
    }
}

impl Copied {
    /// A table's rows, in memory.
    pub(crate) async fn of(pool: &PgPool, table: &'static str) -> Result<Self, Trouble> {
        let columns = names(&columns(&mut *pool.acquire().await?, table).await?);
        let statement =
            format!("COPY (SELECT {columns} FROM public.{table}) TO STDOUT (FORMAT binary)");
        let mut stream = pool.copy_out_raw(&statement).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(Self { table, columns, bytes })
    }

    /// Writes them with one COPY.
    pub(crate) async fn copy(&self, connection: &mut PgConnection) -> Result<(), Trouble> {
        let Self { table, columns, bytes } = self;
        let statement = format!("COPY public.{table} ({columns}) FROM STDIN (FORMAT binary)");
        let mut copy = connection.copy_in_raw(&statement).await?;
        for chunk in bytes.chunks(1 << 20) {
            copy.send(chunk).await?;
        }
        copy.finish().await?;
        Ok(())
    }
}

/// Empties the tables and writes their rows again by arrays. Gives rows a second.
pub(crate) async fn insert_again(connection: &mut PgConnection) -> Result<f64, Trouble> {
    let rows = count(connection).await?;
    let mut arrays = Vec::new();
    for table in TABLES {
        arrays.push(Arrays::of(connection, table).await?);
    }
    let role = AssertSqlSafe(format!("SET ROLE {OWNER}"));
    sqlx::raw_sql(role).execute(&mut *connection).await?;
    truncate(connection).await?;
    let begun = Instant::now();
    for table in arrays {
        table.insert(connection).await?;
    }
    let rate = crate::measure::per_second(rows, begun);
    sqlx::raw_sql("RESET ROLE").execute(&mut *connection).await?;
    same(connection, rows).await?;
    Ok(rate)
}

/// The floor is believed only if it wrote what it was to write.
pub(crate) async fn same(connection: &mut PgConnection, rows: i64) -> Result<(), Trouble> {
    let written = count(connection).await?;
    if written == rows { Ok(()) } else { Err(format!("{written} rows instead of {rows}").into()) }
}
