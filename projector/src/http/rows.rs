//! `GET /v1/{context}/{plural}` and `GET /v1/{context}/{plural}/{id}`.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use daybook_http::{Caller, Params, Problem};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{self, PageBody};
use super::reading::{self, require_history};
use super::{Reads, error};
use crate::contracts::audit_log::SsotAuditLogRow;
use crate::platform::audit_log::AuditLogRow;
use crate::queries::diff;
use crate::queries::filter::INSTANT;
use crate::queries::list::ListRequest;
use crate::queries::one::{self, Found, RowId};
use crate::queries::past::{self, Past, Upto};
use crate::queries::reader::{Eyes, View};
use crate::queries::tables::ReadTable;
use crate::table::Row as _;

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
    let mut asked = reading::asked(&pairs);
    let request = ListRequest::read(table, Params::new(pairs)?)?;
    let position = reads.stands_on(&headers).await?;
    let page = request.run(&reads.reader, &view).await.map_err(|e| error::of_sql(&e))?;
    if is_trail(table) && view.eyes != Eyes::Own {
        asked["table"] = table.path().into();
        reads.note_read(&caller, "audit", asked, page.rows.len());
    }
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
    params.finish(&["as_of", "at_position", "at_version"])?;
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

/// Whether its rows say who changed what.
fn is_trail(table: &ReadTable) -> bool {
    [AuditLogRow::TABLE, SsotAuditLogRow::TABLE].contains(&table.name())
}

/// `as_of`, `at_position` or `at_version`.
fn upto(params: &mut Params) -> Result<Option<Upto>, Problem> {
    let instant = params.parse::<DateTime<Utc>>("as_of", INSTANT)?;
    let position = params.parse::<i64>("at_position", "a position of the log")?;
    let version = params.parse::<i64>("at_version", "a version of the entity")?;
    match (instant, position, version) {
        (None, None, None) => Ok(None),
        (Some(instant), None, None) => Ok(Some(Upto::Instant(instant))),
        (None, Some(position), None) if position >= 0 => Ok(Some(Upto::Position(position))),
        (None, Some(_), None) => Err(Problem::malformed("at_position is not negative")),
        (None, None, Some(version)) if version >= 1 => Ok(Some(Upto::Version(version))),
        (None, None, Some(_)) => Err(Problem::malformed("versions begin with 1")),
        _ => Err(Problem::malformed("as_of, at_position and at_version exclude each other")),
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

    /// The stream that the row comes from; also of one that is gone by now, for those who may read
    /// everyone's past.
    async fn stream(&self, reads: &Reads, view: &View, caller: &Caller) -> Result<Uuid, Problem> {
        if let Some(found) = self.find_in_time(reads, view).await? {
            return found.stream.ok_or_else(|| self.missing());
        }
        let (Some(RowId::Uuid(id)), "id", Ok(())) =
            (self.id, self.table.stream, require_history(caller))
        else {
            return Err(self.missing());
        };
        let head = reads.log.stream_head(id).await.map_err(|e| error::of_log(&e))?;
        let is_it = head.is_some_and(|head| Some(head.kind.as_str()) == self.table.kind);
        if is_it { Ok(id) } else { Err(self.missing()) }
    }

    /// Has it written down that its past was read, unless it is the reader's own.
    fn note(&self, reads: &Reads, view: &View, caller: &Caller, what: &'static str, asked: Value) {
        if view.eyes != Eyes::Own {
            let asked = json!({ "table": self.table.path(), "id": self.text, "asked": asked });
            reads.note_read(caller, what, asked, 1);
        }
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
    if is_trail(place.table) {
        place.note(reads, &view, caller, "audit", json!({}));
    }
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
    if place.table.kind.is_none() {
        let found = place.find_in_time(reads, &view).await?.ok_or_else(|| place.missing())?;
        let position = position.ok_or_else(|| {
            Problem::malformed(format!("rows of {} have no versions", place.table.path()))
        })?;
        // A row of the audit trail never changes: it was there, or it was not.
        if stood_at(&found)? > position {
            return Err(not_yet(place, position));
        }
        place.note(reads, &view, caller, "past", json!({ "position": position }));
        return answer::json(&found.row, position);
    }
    let stream = place.stream(reads, &view, caller).await?;
    // An instant and a position are the same thing from here on.
    let upto = position.map_or(upto, Upto::Position);
    let past = past::fold(&reads.log, stream, upto).await.map_err(|e| error::of_past(&e))?;
    if let Upto::Version(asked) = upto
        && asked > past.version
    {
        return Err(Problem::not_found(format!(
            "{}/{} has {} versions, {asked} is not one of them",
            place.table.path(),
            place.text,
            past.version
        )));
    }
    let is_it = |row: &&crate::rows::SeenRow| {
        row.table == place.table.name() && place.id == Some(RowId::Uuid(row.entity))
    };
    let row = past.rows.iter().find(is_it).ok_or_else(|| not_there(place, &past))?;
    place.note(reads, &view, caller, "past", json!({ "position": past.position }));
    let response = answer::json(&row.row, past.position)?;
    let response = match &past.made_by {
        Some(event) => answer::with_event(response, event.position, &event.event_type),
        None => response,
    };
    Ok(if place.table.stream == "id" {
        answer::with_version(response, past.version)
    } else {
        response
    })
}

/// Its stream has no such row there: not yet, or not any more.
fn not_there(place: &Place<'_>, past: &Past) -> Problem {
    let Some(last) = past.made_by.as_ref().filter(|_| past.rows.is_empty()) else {
        return not_yet(place, past.position);
    };
    Problem::not_found(format!(
        "{}/{} was not there any more at position {}: its last event is {} at position {}",
        place.table.path(),
        place.text,
        past.position,
        last.event_type,
        last.position
    ))
    .with("position", past.position)
    .with("event_position", last.position)
}

fn not_yet(place: &Place<'_>, position: i64) -> Problem {
    Problem::not_found(format!(
        "{}/{} did not exist at position {position}",
        place.table.path(),
        place.text
    ))
    .with("position", position)
}

/// What changed in one row's stream between two moments: `GET /v1/{context}/{plural}/{id}/diff`.
pub(super) async fn diff(
    State(reads): State<Arc<Reads>>,
    Path((context, plural, id)): Path<(String, String, String)>,
    Query(pairs): Pairs,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, Problem> {
    let table = table(&context, &plural)?;
    if !table.single || table.kind.is_none() {
        let path = table.path();
        return Err(Problem::not_found(format!("there is nothing to read at {path}/{id}/diff")));
    }
    let mut params = Params::new(pairs)?;
    let (from, to) = (moment(&mut params, "from")?, moment(&mut params, "to")?);
    params.finish(&["from", "to"])?;
    let from = from.ok_or_else(|| Problem::malformed("from is missing: a time or a position"))?;
    let place = Place { table, id: RowId::parse(table, &id), text: &id };
    let view = View::of_past(&caller.actor, table)?;
    reads.stands_on(&headers).await?;
    let position =
        async |upto| past::position(&reads.log, upto).await.map(Option::unwrap_or_default);
    let from = position(from).await.map_err(|e| error::of_past(&e))?;
    let to = match to {
        Some(to) => position(to).await.map_err(|e| error::of_past(&e))?,
        None => reads.log.head().await.map_err(|e| error::of_log(&e))?.position,
    };
    if from > to {
        let says = format!("from (position {from}) is after to (position {to}); swap them");
        return Err(Problem::malformed(says));
    }
    let stream = place.stream(&reads, &view, &caller).await?;
    // A row with a stream of its own shows all of that stream; one of several only itself.
    let mut found =
        diff::between(&reads.log, stream, from, to).await.map_err(|e| error::of_past(&e))?;
    if table.stream != "id" {
        let is_it = |row: Uuid| place.id == Some(RowId::Uuid(row));
        found.changes.retain(|changed| changed.table == table.name() && is_it(changed.entity));
        for step in &mut found.steps {
            step.rows.retain(|row| row.table == table.name() && is_it(row.entity));
        }
        found.steps.retain(|step| !step.rows.is_empty());
    }
    let asked = json!({ "from_position": from, "to_position": to });
    place.note(&reads, &view, &caller, "diff", asked);
    answer::json(&found, to)
}

/// A position of the log, or a time.
fn moment(params: &mut Params, name: &str) -> Result<Option<Upto>, Problem> {
    let Some(text) = params.text(name) else { return Ok(None) };
    if let Ok(position) = text.parse::<i64>()
        && position >= 0
    {
        return Ok(Some(Upto::Position(position)));
    }
    let instant = text.parse::<DateTime<Utc>>().map_err(|_| {
        Problem::malformed(format!(
            "query parameter {name}={text:?} is no position and not {INSTANT}"
        ))
    })?;
    Ok(Some(Upto::Instant(instant)))
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
