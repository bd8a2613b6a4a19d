//! `GET /v1/journals/{journal}`: what people did that made no event.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use daybook_http::{Caller, Params, Problem};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::answer::{self, PageBody};
use super::reading::{asked, require_history};
use super::{Reads, error};
use crate::queries::cursor;
use crate::queries::filter::INSTANT;
use crate::queries::journals::{self, Journal, JournalFilter};
use crate::queries::list;
use crate::queries::reader::{Eyes, View};

type Pairs = Query<Vec<(String, String)>>;

/// The parameters.
pub(super) const PARAMETERS: &[(&str, &str)] = &[
    ("user", "Of this user: who asked, read, or was to be signed in"),
    ("code", "With this code, such as insufficient-funds; of reads, of this sort, such as replay"),
    ("from", "At or after this RFC 3339 time"),
    ("before", "Before this RFC 3339 time"),
    ("address", "From this address, or this network"),
    ("limit", "Rows a page"),
    ("cursor", "Where to go on: next_cursor of the page before"),
];

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JournalCursor {
    before: i64,
}

/// A page of a journal, newest first, for those who may read everyone's past.
pub(super) async fn list(
    State(reads): State<Arc<Reads>>,
    Path(name): Path<String>,
    Query(pairs): Pairs,
    caller: Caller,
) -> Result<Response, Problem> {
    require_history(&caller)?;
    let journal = Journal::called(&name).ok_or_else(|| {
        let names: Vec<&str> = Journal::ALL.iter().map(|journal| journal.name()).collect();
        Problem::not_found(format!("there is no journal {name}; there are {}", names.join(", ")))
    })?;
    let mut written_down = asked(&pairs);
    written_down["journal"] = journal.name().into();
    let mut params = Params::new(pairs)?;
    let code = params.text("code");
    if code.as_ref().is_some_and(|code| code.contains('\0')) {
        return Err(Problem::malformed("query parameter code has a NUL character in it"));
    }
    let filter = JournalFilter {
        user: params.parse("user", "a UUID")?,
        code,
        from: params.parse("from", INSTANT)?,
        before: params.parse("before", INSTANT)?,
        address: params.parse("address", "an address or a network")?,
    };
    let cursor = params.text("cursor").map(|text| {
        cursor::decode::<JournalCursor>(&text).ok_or_else(|| {
            Problem::malformed("the cursor is none that was given out; start without one")
        })
    });
    let before = cursor.transpose()?.map(|cursor| cursor.before);
    let limit = list::limit(&mut params)?;
    let known: Vec<&str> = PARAMETERS.iter().map(|(name, _)| *name).collect();
    params.finish(&known)?;
    let view =
        View { user: caller.actor.id, organization: caller.actor.tenant, eyes: Eyes::Auditor };
    let mut rows = journals::page(&reads.reader, &view, journal, &filter, before, limit + 1)
        .await
        .map_err(|e| error::of_sql(&e))?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > wanted;
    rows.truncate(wanted);
    reads.note_read(&caller, "journal", written_down, rows.len());
    let next = match rows.last().filter(|_| more) {
        Some((id, _)) => Some(
            cursor::encode(&JournalCursor { before: *id })
                .map_err(|error| Problem::internal(&error))?,
        ),
        None => None,
    };
    let position = reads.log.head().await.map_err(|e| error::of_log(&e))?.position;
    let data: Vec<Box<RawValue>> = rows.into_iter().map(|(_, row)| row).collect();
    answer::json(&PageBody { data: &data, has_more: more, next_cursor: next, position }, position)
}
