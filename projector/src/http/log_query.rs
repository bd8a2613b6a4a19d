//! What a reader of the log asks for, and in which form.

use axum::http::{HeaderMap, header};
use chrono::{DateTime, Utc};
use daybook_http::{Params, Problem};
use daybook_store::Filter;
use uuid::Uuid;

use crate::queries::cursor::{self, LogCursor};
use crate::queries::filter::INSTANT;
use crate::queries::list;

/// The most values of a parameter that takes several.
const MAX_VALUES: usize = 100;

/// The parameters of `/v1/events`.
pub(super) const OF_ALL: &[&str] = &[
    "from_position",
    "types",
    "contexts",
    "kinds",
    "tenant",
    "actor",
    "correlation",
    "from",
    "to",
    "limit",
    "cursor",
];
/// The parameters of `/v1/streams/{id}/events`.
pub(super) const OF_STREAM: &[&str] =
    &["from_position", "types", "actor", "correlation", "from", "to", "limit", "cursor"];

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One page, as a JSON document.
    Page,
    /// One event a line, up to the head.
    Lines,
    /// Server-sent events, for as long as the client listens.
    Live,
}

impl Form {
    /// What the client accepts; JSON where it does not say.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT).iter();
        let kinds = accepted.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
        for kind in kinds {
            match kind.split(';').next().map(str::trim) {
                Some("application/x-ndjson" | "application/ndjson") => return Self::Lines,
                Some("text/event-stream") => return Self::Live,
                Some("application/json") => return Self::Page,
                _ => {}
            }
        }
        Self::Page
    }
}

/// Where reading starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// After this position.
    After(i64),
    /// After the position of the event that was seen last.
    Seen(i64),
    /// Where the cursor says, if the log is still the same one.
    Cursor(LogCursor),
    /// With what comes from now on.
    End,
}

/// What is asked of the log.
#[derive(Debug, Clone)]
pub(super) struct LogQuery {
    pub(super) filter: Filter,
    pub(super) start: Start,
    pub(super) limit: i64,
    pub(super) form: Form,
}

impl LogQuery {
    /// Reads parameters and headers; `stream` for one stream's events.
    pub(super) fn read(
        mut params: Params,
        headers: &HeaderMap,
        stream: Option<Uuid>,
    ) -> Result<Self, Problem> {
        let form = Form::of(headers);
        let (known, of_all) = match stream {
            Some(_) => (OF_STREAM, false),
            None => (OF_ALL, true),
        };
        let mut filter = Filter {
            types: several(&mut params, "types")?,
            actor: params.parse("actor", "a UUID")?,
            correlation: params.parse("correlation", "a UUID")?,
            from: params.parse::<DateTime<Utc>>("from", INSTANT)?,
            to: params.parse::<DateTime<Utc>>("to", INSTANT)?,
            streams: stream.map(|id| vec![id]),
            ..Filter::default()
        };
        if of_all {
            filter.contexts = several(&mut params, "contexts")?;
            filter.kinds = several(&mut params, "kinds")?;
            filter.tenant = params.parse("tenant", "a UUID")?;
        }
        let limit = params.text("limit");
        let start = start(&mut params, headers)?;
        let limit = match (form, limit) {
            (Form::Page, Some(text)) => {
                list::limit(&mut Params::new(vec![("limit".to_owned(), text)])?)?
            }
            (Form::Page, None) => list::DEFAULT_LIMIT,
            (Form::Lines | Form::Live, None) => list::MAX_LIMIT,
            (Form::Lines | Form::Live, Some(_)) => {
                return Err(Problem::malformed(
                    "limit is for pages; lines and live events end by themselves",
                ));
            }
        };
        params.finish(known)?;
        Ok(Self { filter, start, limit, form })
    }
}

/// `Last-Event-ID`, else `cursor`, else `from_position`.
fn start(params: &mut Params, headers: &HeaderMap) -> Result<Start, Problem> {
    let cursor = params.text("cursor");
    let from = params.text("from_position");
    if let Some(value) = headers.get("last-event-id") {
        let seen = value.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok());
        return seen
            .filter(|seen| *seen >= 0)
            .map(Start::Seen)
            .ok_or_else(|| Problem::malformed("Last-Event-ID is no position of the log"));
    }
    match (cursor, from.as_deref()) {
        (Some(_), Some(_)) => {
            Err(Problem::malformed("cursor and from_position exclude each other"))
        }
        (Some(text), None) => cursor::decode(&text).map(Start::Cursor).ok_or_else(|| {
            Problem::malformed("the cursor is none that was given out; start without one")
        }),
        (None, Some("end")) => Ok(Start::End),
        (None, Some(text)) => match text.parse::<i64>() {
            Ok(position) if position >= 0 => Ok(Start::After((position - 1).max(0))),
            _ => Err(Problem::malformed(format!(
                "query parameter from_position={text:?} is no position of the log, nor \"end\""
            ))),
        },
        (None, None) => Ok(Start::After(0)),
    }
}

fn several(params: &mut Params, name: &str) -> Result<Option<Vec<String>>, Problem> {
    let Some(text) = params.text(name) else { return Ok(None) };
    let values: Vec<String> = text.split(',').map(str::trim).map(String::from).collect();
    if values.len() > MAX_VALUES || text.contains('\0') || values.iter().any(String::is_empty) {
        return Err(Problem::malformed(format!(
            "query parameter {name} takes 1 to {MAX_VALUES} names, with commas between them"
        )));
    }
    Ok(Some(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        pairs: &[(&str, &str)],
        headers: &[(&'static str, &'static str)],
    ) -> Result<LogQuery, Problem> {
        let pairs = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let headers =
            headers.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
        LogQuery::read(Params::new(pairs)?, &headers, None)
    }

    #[test]
    fn a_start_is_a_position_a_cursor_or_what_was_seen_last() {
        assert_eq!(read(&[], &[]).unwrap().start, Start::After(0));
        assert_eq!(read(&[("from_position", "5")], &[]).unwrap().start, Start::After(4));
        assert_eq!(read(&[("from_position", "end")], &[]).unwrap().start, Start::End);
        let resumed = read(&[("from_position", "5")], &[("last-event-id", "9")]).unwrap();
        assert_eq!(resumed.start, Start::Seen(9));
        let cursor = cursor::encode(&LogCursor { epoch: 1, after: 3 }).unwrap();
        let start = read(&[("cursor", &cursor)], &[]).unwrap().start;
        assert_eq!(start, Start::Cursor(LogCursor { epoch: 1, after: 3 }));
        assert!(read(&[("cursor", &cursor), ("from_position", "1")], &[]).is_err());
        assert!(read(&[("from_position", "x")], &[]).is_err());
    }

    #[test]
    fn the_form_follows_the_accept_header_and_unknown_parameters_are_refused() {
        assert_eq!(read(&[], &[("accept", "*/*")]).unwrap().form, Form::Page);
        let lines = read(&[], &[("accept", "text/html, application/x-ndjson;q=1")]).unwrap();
        assert_eq!(lines.form, Form::Lines);
        assert_eq!(read(&[], &[("accept", "text/event-stream")]).unwrap().form, Form::Live);
        assert!(read(&[("limit", "5")], &[("accept", "text/event-stream")]).is_err());
        assert!(read(&[("limit", "1001")], &[]).is_err());
        let problem = read(&[("type", "x")], &[]).unwrap_err();
        assert!(problem.detail.contains("types"), "{}", problem.detail);
        assert!(read(&[("types", "a,,b")], &[]).is_err());
    }
}
