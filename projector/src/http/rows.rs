//! `GET /v1/{context}/{plural}` and `GET /v1/{context}/{plural}/{id}`.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use daybook_http::{Caller, Params, Problem};
use serde::Deserialize;

use super::answer::{self, PageBody};
use super::{Reads, error};
use crate::queries::filter::INSTANT;
use crate::queries::list::ListRequest;
use crate::queries::one::{self, Found, RowId};
use crate::queries::past::{self, Upto};
use crate::queries::reader::View;
use crate::queries::tables::ReadTable;

type Pairs = Query<Vec<(String, String)>>;

/// A page of rows.
pub(super) async fn list(
    State(reads): State<Arc<Reads>>,
    Path((context, plural)): Path<(String, String)>,
    Query(pairs): Pairs,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, Problem> {
    let table = table(&context, &plural)?;
    let view = View::of(&caller.actor, table)?;
    let request = ListRequest::read(table, Params::new(pairs)?)?;
    let position = reads.stands_on(&headers).await?;
    let page = request.run(&reads.reader, &view).await.map_err(|e| error::of_sql(&e))?;
    let body = PageBody {
        data: &page.rows,
        has_more: page.next.is_some(),
        next_cursor: page.next.clone(),
        position,
    };
    answer::json(&body, position)
}

/// One row, now or as it was.
pub(super) async fn one(
    State(reads): State<Arc<Reads>>,
    Path((context, plural, id)): Path<(String, String, String)>,
    Query(pairs): Pairs,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, Problem> {
    let table = table(&context, &plural)?;
    if !table.single {
        return Err(Problem::not_found(format!("rows of {} have no address", table.path())));
    }
    let mut params = Params::new(pairs)?;
    let upto = upto(&mut params)?;
    params.finish(&["as_of", "at_position"])?;
    let place = Place { table, id: RowId::parse(table, &id), text: &id };
    match upto {
        None => now(&reads, &place, &headers, &caller).await,
        Some(upto) => then(&reads, &place, upto, &headers, &caller).await,
    }
}

fn table(context: &str, plural: &str) -> Result<&'static ReadTable, Problem> {
    ReadTable::at(context, plural)
        .ok_or_else(|| Problem::not_found(format!("there is no table at /v1/{context}/{plural}")))
}

/// `as_of` or `at_position`.
fn upto(params: &mut Params) -> Result<Option<Upto>, Problem> {
    let instant = params.parse::<DateTime<Utc>>("as_of", INSTANT)?;
    let position = params.parse::<i64>("at_position", "a position of the log")?;
    match (instant, position) {
        (None, None) => Ok(None),
        (Some(instant), None) => Ok(Some(Upto::Instant(instant))),
        (None, Some(position)) if position >= 0 => Ok(Some(Upto::Position(position))),
        (None, Some(_)) => Err(Problem::malformed("at_position is not negative")),
        (Some(_), Some(_)) => Err(Problem::malformed("as_of and at_position exclude each other")),
    }
}

/// Where a row is said to be.
struct Place<'a> {
    table: &'static ReadTable,
    id: Option<RowId>,
    text: &'a str,
}

impl Place<'_> {
    /// The same for what is not there and for what this caller may not see.
    fn missing(&self) -> Problem {
        Problem::not_found(format!("there is no {}/{}", self.table.path(), self.text))
    }

    async fn find(&self, reads: &Reads, view: &View) -> Result<Option<Found>, Problem> {
        let Some(id) = self.id else { return Ok(None) };
        one::find(&reads.reader, view, self.table, id).await.map_err(|e| error::of_sql(&e))
    }

    async fn find_in_time(&self, reads: &Reads, view: &View) -> Result<Option<Found>, Problem> {
        let Some(id) = self.id else { return Ok(None) };
        reads.find_in_time(view, self.table, id).await
    }
}

async fn now(
    reads: &Reads,
    place: &Place<'_>,
    headers: &HeaderMap,
    caller: &Caller,
) -> Result<Response, Problem> {
    let view = View::of(&caller.actor, place.table)?;
    let position = reads.stands_on(headers).await?;
    let found = place.find(reads, &view).await?.ok_or_else(|| place.missing())?;
    answer::json(&found.row, position)
}

async fn then(
    reads: &Reads,
    place: &Place<'_>,
    upto: Upto,
    headers: &HeaderMap,
    caller: &Caller,
) -> Result<Response, Problem> {
    let view = View::of_past(&caller.actor, place.table)?;
    reads.stands_on(headers).await?;
    let position = past::position(&reads.log, upto).await.map_err(|e| error::of_past(&e))?;
    let position = position.unwrap_or_default();
    let found = place.find_in_time(reads, &view).await?.ok_or_else(|| place.missing())?;
    let not_yet = || {
        Problem::not_found(format!(
            "{}/{} did not exist at position {position}",
            place.table.path(),
            place.text
        ))
        .with("position", position)
    };
    if place.table.kind.is_none() {
        // A row of the audit trail never changes: it was there, or it was not.
        return if stood_at(&found)? > position {
            Err(not_yet())
        } else {
            answer::json(&found.row, position)
        };
    }
    let stream = found.stream.ok_or_else(not_yet)?;
    let past = past::fold(&reads.log, stream, Upto::Position(position))
        .await
        .map_err(|e| error::of_past(&e))?;
    let is_it = |row: &&crate::rows::SeenRow| {
        row.table == place.table.name() && place.id == Some(RowId::Uuid(row.entity))
    };
    let row = past.rows.iter().find(is_it).ok_or_else(not_yet)?;
    let response = answer::json(&row.row, position)?;
    Ok(if place.table.stream == "id" {
        answer::with_version(response, past.version)
    } else {
        response
    })
}

/// The position of an audit row's event.
fn stood_at(found: &Found) -> Result<i64, Problem> {
    #[derive(Deserialize)]
    struct Standing {
        position: Option<i64>,
    }
    let standing: Standing =
        serde_json::from_str(found.row.get()).map_err(|error| Problem::internal(&error))?;
    Ok(standing.position.unwrap_or_default())
}
