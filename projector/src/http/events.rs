//! `GET /v1/events` and `GET /v1/streams/{id}/events`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use daybook_http::{Caller, Params, Problem, StillValid};
use daybook_store::records::Reading;
use daybook_store::{Head, Recorded};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::answer::{self, PageBody};
use super::log_query::{Form, LogQuery, Start};
use super::reading::{asked, require_history};
use super::tail::Tail;
use super::{Reads, error};
use crate::queries::cloud_event;
use crate::queries::cursor::{self, LogCursor};
use crate::queries::known;
use crate::queries::one::RowId;
use crate::queries::reader::{Eyes, View};
use crate::queries::tables::ReadTable;

type Pairs = Query<Vec<(String, String)>>;
type Validity = Option<Extension<StillValid>>;

/// How many pages one answer may look through for a first event that is wanted.
const MAX_PAGES: usize = 20;

/// The whole log, for those who may read everyone's past.
pub(super) async fn all(
    State(reads): State<Arc<Reads>>,
    Query(pairs): Pairs,
    headers: HeaderMap,
    validity: Validity,
    caller: Caller,
) -> Result<Response, Problem> {
    require_history(&caller)?;
    let written_down = asked(&pairs);
    let query = LogQuery::read(Params::new(pairs)?, &headers, None)?;
    let read_by = Some(ReadBy { caller, asked: written_down });
    answer(reads, query, validity, read_by).await
}

/// One stream, for those who may read its entity now, or everyone's past.
pub(super) async fn of_stream(
    State(reads): State<Arc<Reads>>,
    Path(id): Path<String>,
    Query(pairs): Pairs,
    headers: HeaderMap,
    validity: Validity,
    caller: Caller,
) -> Result<Response, Problem> {
    let missing = || Problem::not_found(format!("there is no stream {id}"));
    let stream = Uuid::parse_str(&id).map_err(|_| missing())?;
    let mut written_down = asked(&pairs);
    written_down["streams"] = id.as_str().into();
    let query = LogQuery::read(Params::new(pairs)?, &headers, Some(stream))?;
    let head = reads.log.stream_head(stream).await.map_err(|e| error::of_log(&e))?;
    let head = head.ok_or_else(missing)?;
    let everyones = require_history(&caller).is_ok();
    if !everyones {
        // What is kept from a caller and what does not exist look the same.
        let table = ReadTable::of_kind(&head.kind).ok_or_else(missing)?;
        let view = View::of_past(&caller.actor, table)?;
        if view.eyes == Eyes::Own {
            let id = RowId::Uuid(stream);
            reads.find_in_time(&view, table, id).await?.ok_or_else(missing)?;
        }
    }
    let read_by = everyones.then_some(ReadBy { caller, asked: written_down });
    answer(reads, query, validity, read_by).await
}

/// Who reads everyone's past, and what they asked for: it is written down.
struct ReadBy {
    caller: Caller,
    asked: Value,
}

async fn answer(
    reads: Arc<Reads>,
    query: LogQuery,
    validity: Validity,
    read_by: Option<ReadBy>,
) -> Result<Response, Problem> {
    if query.form == Form::Live && query.filter.to.is_some() {
        return Err(Problem::malformed("live events have no end: leave `to` out"));
    }
    let known = known::require_log(&query.filter, &reads.log).await;
    known.map_err(|e| error::of_filter(&e, true))?;
    let head = reads.log.head().await.map_err(|e| error::of_log(&e))?;
    let after = match query.start {
        Start::After(position) => position,
        Start::Seen(position) => seen_here(position, &head)?,
        Start::End => head.position,
        Start::Cursor(cursor) => same_log(cursor, &head)?,
    };
    match query.form {
        Form::Page => {
            let (response, rows) = page(&reads, &query, after, &head).await?;
            if let Some(ReadBy { caller, asked }) = read_by {
                reads.note_read(&caller, "events", asked, rows);
            }
            Ok(response)
        }
        Form::Lines => {
            let reading = begin(&reads, read_by).await?;
            Ok(Tail::new(reads, query.filter, after, head, validity).lines(reading))
        }
        Form::Live => {
            // Without an end: it goes on for as long as somebody listens.
            begin(&reads, read_by).await?;
            Ok(Tail::new(reads, query.filter, after, head, validity).live())
        }
    }
}

async fn begin(reads: &Reads, read_by: Option<ReadBy>) -> Result<Option<Reading>, Problem> {
    match read_by {
        Some(ReadBy { caller, asked }) => {
            reads.begin_read(&caller, "events", asked).await.map(Some)
        }
        None => Ok(None),
    }
}

/// What this log never gave out was seen in one that had more: a life of it that a failover ended, or
/// a server that is ahead of this one.
fn seen_here(position: i64, head: &Head) -> Result<i64, Problem> {
    if position <= head.position {
        return Ok(position);
    }
    Err(Problem::new(
        StatusCode::CONFLICT,
        "another-log",
        format!(
            "position {position}, which was seen last, is not in this log, whose last one is {}: it may be gone; \
             start without it, or ask again where a standby is behind",
            head.position
        ),
    ))
}

/// A cursor of another life of the log may have passed events that are gone.
fn same_log(cursor: LogCursor, head: &Head) -> Result<i64, Problem> {
    if cursor.epoch == head.epoch {
        return Ok(cursor.after);
    }
    Err(Problem::new(
        StatusCode::CONFLICT,
        "another-log",
        format!(
            "the cursor is of the log's epoch {}, this is epoch {}: what it had passed may be gone; start without it",
            cursor.epoch, head.epoch
        ),
    ))
}

async fn page(
    reads: &Reads,
    query: &LogQuery,
    mut after: i64,
    head: &Head,
) -> Result<(Response, usize), Problem> {
    let mut filter = query.filter.clone();
    filter.up_to_position = Some(head.position);
    let mut events: Vec<Recorded> = Vec::new();
    let mut more = after < head.position;
    // A page that found nothing has looked at a bounded stretch only: look on, but not for ever.
    for _ in 0..MAX_PAGES {
        let wanted = query.limit - i64::try_from(events.len()).unwrap_or(query.limit);
        if !more || wanted <= 0 {
            break;
        }
        let page = reads.log.page(after, &filter, wanted).await.map_err(|e| error::of_log(&e))?;
        more = page.scanned_to > after && page.scanned_to < head.position;
        after = page.scanned_to.max(after);
        events.extend(page.events);
    }
    let data: Vec<Box<RawValue>> = events
        .iter()
        .map(|event| cloud_event::json(event, head.epoch))
        .collect::<Result<_, _>>()
        .map_err(|error| Problem::internal(&error))?;
    let next = cursor::encode(&LogCursor { epoch: head.epoch, after })
        .map_err(|error| Problem::internal(&error))?;
    let body =
        PageBody { data: &data, has_more: more, next_cursor: Some(next), position: head.position };
    Ok((answer::json(&body, head.position)?, data.len()))
}
