//! `GET /v1/events` and `GET /v1/streams/{id}/events`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use daybook_domain::access;
use daybook_http::{Caller, Params, Problem, StillValid};
use daybook_store::{Head, Recorded};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::answer::{self, PageBody};
use super::log_query::{Form, LogQuery, Start};
use super::tail::Tail;
use super::{Reads, error};
use crate::queries::cloud_event;
use crate::queries::cursor::{self, LogCursor};
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
    if !access::may(&caller.actor, access::LOG, access::HISTORY, false) {
        return Err(Problem::forbidden(format!(
            "the role {} and the scopes of the key in use do not allow {} on the {}",
            caller.actor.role,
            access::HISTORY,
            access::LOG
        )));
    }
    let query = LogQuery::read(Params::new(pairs)?, &headers, None)?;
    answer(reads, query, validity).await
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
    let query = LogQuery::read(Params::new(pairs)?, &headers, Some(stream))?;
    let head = reads.log.stream_head(stream).await.map_err(|e| error::of_log(&e))?;
    let head = head.ok_or_else(missing)?;
    if !access::may(&caller.actor, access::LOG, access::HISTORY, false) {
        // What is kept from a caller and what does not exist look the same.
        let table = ReadTable::of_kind(&head.kind).ok_or_else(missing)?;
        let view = View::of_past(&caller.actor, table)?;
        if view.eyes == Eyes::Own {
            let id = RowId::Uuid(stream);
            reads.find_in_time(&view, table, id).await?.ok_or_else(missing)?;
        }
    }
    answer(reads, query, validity).await
}

async fn answer(
    reads: Arc<Reads>,
    query: LogQuery,
    validity: Validity,
) -> Result<Response, Problem> {
    let head = reads.log.head().await.map_err(|e| error::of_log(&e))?;
    let after = match query.start {
        Start::After(position) => position,
        Start::End => head.position,
        Start::Cursor(cursor) => same_log(cursor, &head)?,
    };
    match query.form {
        Form::Page => page(&reads, &query, after, &head).await,
        Form::Lines => Ok(Tail::new(reads, query.filter, after, head, validity).lines()),
        Form::Live => {
            if query.filter.to.is_some() {
                return Err(Problem::malformed("live events have no end: leave `to` out"));
            }
            Ok(Tail::new(reads, query.filter, after, head, validity).live())
        }
    }
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
) -> Result<Response, Problem> {
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
    answer::json(&body, head.position)
}
