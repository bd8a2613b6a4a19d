//! Many commands: `POST /v1/commands` with NDJSON in and out.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use daybook_http::problem::TRACE_ID;
use daybook_http::{Caller, Problem, StillValid};
use futures::{Stream, StreamExt};
use http_body_util::{LengthLimitError, Limited};
use tokio_util::codec::FramedRead;
use tokio_util::io::StreamReader;

use crate::batch::{Line, parse_line, submit_lines};
use crate::engine::Engine;
use crate::error::CommandError;
use crate::http::lines::{Lines, RawLine};
use crate::http::{Sizes, one};

/// How long a batch may pause before it is taken for broken off.
const PAUSE: Duration = Duration::from_secs(30);
/// How often it is asked whether the caller's key still works.
const KEY_ASKED: Duration = Duration::from_secs(1);

/// Submits every line, and streams the answers back in order.
pub(super) async fn submit(
    State(engine): State<Arc<Engine>>,
    Extension(sizes): Extension<Sizes>,
    valid: Option<Extension<StillValid>>,
    headers: HeaderMap,
    caller: Caller,
    body: Body,
) -> Result<Response, Problem> {
    one::require_content_type(&headers, &["application/x-ndjson", "application/ndjson"])?;
    let reader = StreamReader::new(pieces(body, sizes.batch));
    let lines = FramedRead::new(reader, Lines::new(sizes.batch.max(sizes.command)))
        .enumerate()
        .map(|(index, line)| (index as u64 + 1, line))
        .filter(|(_, line)| {
            let blank = matches!(line, Ok(RawLine::Text(text)) if text.trim().is_empty());
            futures::future::ready(!blank)
        })
        .map(move |(number, line)| (number, parse(line, sizes)));
    let lines = until_it_ends(lines, valid.map(|Extension(valid)| valid));
    let trace = TRACE_ID.try_with(Clone::clone).unwrap_or_default();
    let answers = submit_lines(engine, caller, lines).map(move |answer| {
        let mut line = TRACE_ID.sync_scope(trace.clone(), || answer.into_json()).to_string();
        line.push('\n');
        Ok::<_, io::Error>(line)
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(answers))
        .into_response())
}

/// The body as it arrives: an error when it breaks off, pauses for too long or grows too large.
fn pieces(body: Body, most: usize) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let body = Body::new(Limited::new(body, most)).into_data_stream();
    futures::stream::unfold(body, |mut body| async move {
        let piece = match tokio::time::timeout(PAUSE, body.next()).await {
            Ok(piece) => piece?.map_err(io::Error::other),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("nothing came for {} s", PAUSE.as_secs()),
            )),
        };
        Some((piece, body))
    })
}

/// Ends the batch with the line that says why: the body broke off, or the key stopped working.
fn until_it_ends<S>(
    lines: S,
    valid: Option<StillValid>,
) -> impl Stream<Item = (u64, Result<Line, CommandError>)> + Send
where
    S: Stream<Item = (u64, Parsed)> + Send,
{
    let state = (Box::pin(lines), valid, Instant::now(), false);
    futures::stream::unfold(state, |(mut lines, valid, mut asked, ended)| async move {
        if ended {
            return None;
        }
        let (number, parsed) = lines.next().await?;
        if let Some(valid) = &valid
            && asked.elapsed() > KEY_ASKED
        {
            asked = Instant::now();
            if !valid.ask().await {
                let ends = (number, Err(CommandError::KeyEnded));
                return Some((ends, (lines, None, asked, true)));
            }
        }
        let (line, ended) = match parsed {
            Parsed::Line(line) => (line, false),
            Parsed::End(error) => (Err(error), true),
        };
        Some(((number, line), (lines, valid, asked, ended)))
    })
}

enum Parsed {
    Line(Result<Line, CommandError>),
    End(CommandError),
}

fn parse(line: io::Result<RawLine>, sizes: Sizes) -> Parsed {
    match line {
        Ok(RawLine::Text(text)) if text.len() > sizes.command => {
            let line = parse_line(&text).ok().filter(|line| {
                let named = line.command_type.rsplit_once('.');
                named.is_some_and(|(kind, name)| text.len() <= sizes.of(kind, name))
            });
            Parsed::Line(line.ok_or_else(|| too_long(sizes)))
        }
        Ok(RawLine::Text(text)) => Parsed::Line(parse_line(&text)),
        Ok(RawLine::NoText) => {
            Parsed::Line(Err(CommandError::Malformed("the line is not UTF-8".into())))
        }
        Ok(RawLine::TooLong) => Parsed::Line(Err(too_long(sizes))),
        Err(error) if is_too_large(&error) => Parsed::End(CommandError::TooLarge(format!(
            "a batch has at most {} bytes: what comes after this line is not taken",
            sizes.batch
        ))),
        Err(error) => {
            Parsed::End(CommandError::Malformed(format!("the batch broke off here: {error}")))
        }
    }
}

fn too_long(sizes: Sizes) -> CommandError {
    CommandError::TooLarge(format!("a command has at most {} bytes", sizes.command))
}

fn is_too_large(error: &io::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> =
        error.get_ref().map(|inner| inner as _);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}
