//! Lists of rows, page by page: keyset pagination, so that a page costs the same wherever it is.

use daybook_http::{Params, Problem};
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row as _};

use super::cursor::{self, TableCursor};
use super::filter::Filters;
use super::json;
use super::reader::{Reader, View};
use super::tables::ReadTable;

/// How many rows a page has when nobody says.
pub const DEFAULT_LIMIT: i64 = 100;
/// How many rows a page has at most.
pub const MAX_LIMIT: i64 = 1_000;

/// One page of a table.
#[derive(Debug)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Box<RawValue>>,
    /// Where the walk goes on, if it does.
    pub next: Option<String>,
}

/// What a client asked of a table.
#[derive(Debug, Clone)]
pub struct ListRequest {
    table: &'static ReadTable,
    filters: Filters,
    limit: i64,
    descending: bool,
    after: Vec<String>,
}

impl ListRequest {
    /// Reads the request's parameters.
    ///
    /// # Errors
    /// `400` for an unknown parameter, a value that makes no sense, or another walk's cursor.
    pub fn read(table: &'static ReadTable, mut params: Params) -> Result<Self, Problem> {
        let filters = Filters::take(table, &mut params)?;
        let limit = limit(&mut params)?;
        let descending = match params.text("order").as_deref() {
            None => table.newest_first,
            Some("asc") => false,
            Some("desc") => true,
            Some(other) => {
                return Err(Problem::malformed(format!("order={other:?} is neither asc nor desc")));
            }
        };
        let given = params.text("cursor");
        params.finish(&known(table))?;
        let mut request = Self { table, filters, limit, descending, after: Vec::new() };
        if let Some(text) = given {
            request.after = request.go_on(&text)?;
        }
        Ok(request)
    }

    fn go_on(&self, text: &str) -> Result<Vec<String>, Problem> {
        let cursor = cursor::decode::<TableCursor>(text)
            .filter(|cursor| cursor.after.len() == self.table.order.len())
            .filter(|cursor| cursor.after.iter().all(|value| !value.contains('\0')))
            .ok_or_else(|| {
                Problem::malformed("the cursor is none that was given out; start without one")
            })?;
        if cursor.walk != self.walk() {
            return Err(Problem::malformed(
                "the cursor was given out for other filters or another order; keep them, or start without one",
            ));
        }
        Ok(cursor.after)
    }

    /// Names the walk that a cursor belongs to.
    fn walk(&self) -> String {
        let order = if self.descending { "desc" } else { "asc" };
        format!("{}/{}?{}&{order}", self.table.context, self.table.plural, self.filters.text())
    }

    /// Runs it.
    ///
    /// # Errors
    /// When the database does not answer, or refuses the cursor's values.
    pub async fn run(&self, reader: &Reader, view: &View) -> Result<Page, sqlx::Error> {
        let mut transaction = reader.begin(view).await?;
        let mut query = self.query();
        let mut rows: Vec<PgRow> = query.build().fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        let asked = usize::try_from(self.limit).unwrap_or(0);
        let more = rows.len() > asked;
        rows.truncate(asked);
        let next = match rows.last() {
            Some(last) if more => Some(self.cursor_after(last)?),
            _ => None,
        };
        let rows = rows.iter().map(|row| json::row(self.table, row)).collect::<Result<_, _>>()?;
        Ok(Page { rows, next })
    }

    fn cursor_after(&self, row: &PgRow) -> Result<String, sqlx::Error> {
        let first = self.table.columns().count();
        let after = (0..self.table.order.len())
            .map(|at| row.try_get::<String, _>(first + at))
            .collect::<Result<_, _>>()?;
        cursor::encode(&TableCursor { walk: self.walk(), after })
            .map_err(|error| sqlx::Error::Encode(error.into()))
    }

    /// The statement; whose rows it sees is the policies' to say. Names are this build's own constants, whatever clients gave is bound.
    fn query(&self) -> QueryBuilder<Postgres> {
        let table = self.table;
        let columns: Vec<_> = table.order.iter().map(|s| format!("stored.{}", s.name)).collect();
        let texts: Vec<_> = columns.iter().map(|column| format!("{column}::text")).collect();
        let mut query = QueryBuilder::new("SELECT ");
        query.push(json::select_list(table)).push(", ").push(texts.join(", "));
        query.push(" FROM public.").push(table.name()).push(" AS stored WHERE true");
        self.filters.push(&mut query);
        let (way, past) = if self.descending { (" DESC", " < (") } else { (" ASC", " > (") };
        if !self.after.is_empty() {
            query.push(" AND (").push(columns.join(", ")).push(")").push(past);
            for (at, (sort, value)) in table.order.iter().zip(&self.after).enumerate() {
                if at > 0 {
                    query.push(", ");
                }
                query.push_bind(value.clone()).push("::").push(sort.sql);
            }
            query.push(")");
        }
        let order: Vec<_> = columns.iter().map(|column| format!("{column}{way}")).collect();
        query.push(" ORDER BY ").push(order.join(", ")).push(" LIMIT ").push_bind(self.limit + 1);
        query
    }
}

/// The parameters that a table's list knows.
#[must_use]
pub fn known(table: &ReadTable) -> Vec<&'static str> {
    let filters = table.filters.iter().map(|filter| filter.name);
    filters.chain(["limit", "cursor", "order"]).collect()
}

/// Takes `limit`.
///
/// # Errors
/// `400` unless it is 1 to [`MAX_LIMIT`].
pub fn limit(params: &mut Params) -> Result<i64, Problem> {
    match params.parse::<i64>("limit", "a whole number")? {
        None => Ok(DEFAULT_LIMIT),
        Some(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        Some(limit) => {
            Err(Problem::malformed(format!("limit={limit} is not between 1 and {MAX_LIMIT}")))
        }
    }
}
