//! What narrows a list of rows, checked before it becomes a condition.

use chrono::{DateTime, Utc};
use daybook_http::{Params, Problem};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::tables::{FilterBy, Match, ReadTable};

/// A value that a client gave for a filter.
#[derive(Debug, Clone, PartialEq)]
enum Given {
    Id(Uuid),
    Text(String),
    Number(i64),
    Time(DateTime<Utc>),
}

/// The filters of one request.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    given: Vec<(FilterBy, Given)>,
}

impl Filters {
    /// Takes the table's filters out of the request's parameters.
    ///
    /// # Errors
    /// `400` for a value of the wrong sort.
    pub fn take(table: &ReadTable, params: &mut Params) -> Result<Self, Problem> {
        let mut given = Vec::new();
        for filter in table.filters {
            let name = filter.name;
            let value = match filter.how {
                Match::Id => params.parse(name, "a UUID")?.map(Given::Id),
                Match::Number => params.parse(name, "a whole number")?.map(Given::Number),
                Match::From | Match::Before => {
                    params.parse::<DateTime<Utc>>(name, INSTANT)?.map(Given::Time)
                }
                Match::Text | Match::Enum(_) | Match::Identifier(_) => {
                    text(name, params.text(name))?.map(Given::Text)
                }
            };
            given.extend(value.map(|value| (*filter, value)));
        }
        Ok(Self { given })
    }

    /// The filters as text, for cursors: the same filters always give the same text.
    #[must_use]
    pub fn text(&self) -> String {
        let each = |(filter, value): &(FilterBy, Given)| match value {
            Given::Id(id) => format!("{}={id}", filter.name),
            Given::Text(text) => format!("{}={text:?}", filter.name),
            Given::Number(number) => format!("{}={number}", filter.name),
            Given::Time(time) => format!("{}={}", filter.name, time.to_rfc3339()),
        };
        self.given.iter().map(each).collect::<Vec<_>>().join("&")
    }

    /// Adds ` AND …` for each filter.
    pub(super) fn push(&self, query: &mut QueryBuilder<Postgres>) {
        for (filter, value) in &self.given {
            push(query, filter, value);
        }
    }
}

/// What an instant looks like.
pub const INSTANT: &str =
    "an RFC 3339 time such as 2026-01-31T12:00:00Z (a + in a query string is written %2B)";

/// PostgreSQL's text has no NUL.
fn text(name: &str, value: Option<String>) -> Result<Option<String>, Problem> {
    match value {
        Some(text) if text.contains('\0') => {
            Err(Problem::malformed(format!("query parameter {name} has a NUL character in it")))
        }
        value => Ok(value),
    }
}

fn push(query: &mut QueryBuilder<Postgres>, filter: &FilterBy, value: &Given) {
    query.push(" AND stored.").push(filter.column);
    match (filter.how, value) {
        (Match::Identifier(kind), Given::Text(text)) => {
            query.push(" = (SELECT i.user_id FROM public.user_identifiers i WHERE i.kind = ");
            query.push_bind(kind).push(" AND i.key = ").push_bind(text.to_lowercase()).push(")");
        }
        // Compared as text, an unknown value selects nothing rather than being an error.
        (Match::Enum(of), Given::Text(text)) => {
            query.push(" = (SELECT s FROM unnest(enum_range(NULL::").push(of);
            query.push(")) s WHERE s::text = ");
            query.push_bind(text.clone()).push(")");
        }
        (Match::From, Given::Time(time)) => {
            query.push(" >= ").push_bind(*time);
        }
        (Match::Before, Given::Time(time)) => {
            query.push(" < ").push_bind(*time);
        }
        (_, Given::Id(id)) => {
            query.push(" = ").push_bind(*id);
        }
        (_, Given::Text(text)) => {
            query.push(" = ").push_bind(text.clone());
        }
        (_, Given::Number(number)) => {
            query.push(" = ").push_bind(*number);
        }
        (_, Given::Time(time)) => {
            query.push(" = ").push_bind(*time);
        }
    }
}
