//! Many commands: `POST /v1/commands` with NDJSON in and out.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use daybook_http::{Caller, Problem};
use futures::{StreamExt, TryStreamExt};
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tokio_util::io::StreamReader;

use crate::batch::{Line, parse_line, submit_lines};
use crate::engine::Engine;
use crate::error::CommandError;
use crate::http::{BATCH_BYTES, COMMAND_BYTES, one};

/// Submits every line, and streams the answers back in order.
pub(super) async fn submit(
    State(engine): State<Arc<Engine>>,
    headers: HeaderMap,
    caller: Caller,
    body: Body,
) -> Result<Response, Problem> {
    one::require_content_type(&headers, &["application/x-ndjson", "application/ndjson"])?;
    let limited = axum::body::Body::new(http_body_util::Limited::new(body, BATCH_BYTES));
    let bytes = limited.into_data_stream().map_err(io::Error::other);
    let reader = StreamReader::new(bytes);
    let lines = FramedRead::new(reader, LinesCodec::new_with_max_length(COMMAND_BYTES));
    let numbered = lines
        .enumerate()
        .map(|(index, line)| (index as u64 + 1, line))
        // A body that breaks off (or grows too large) is reported once, as the last line.
        .scan(false, |broken, (number, line)| {
            let stop = *broken;
            *broken = matches!(&line, Err(LinesCodecError::Io(_)));
            futures::future::ready((!stop).then_some((number, line)))
        })
        .filter(|(_, line)| {
            futures::future::ready(!matches!(line, Ok(text) if text.trim().is_empty()))
        })
        .map(|(number, line)| (number, parse(line)));
    let answers = submit_lines(engine, caller, numbered).map(|answer| {
        let mut line = answer.into_json().to_string();
        line.push('\n');
        Ok::<_, io::Error>(line)
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(answers))
        .into_response())
}

/// Reads one line.
///
/// # Errors
/// The line is too long, no JSON, or no command.
fn parse(line: Result<String, LinesCodecError>) -> Result<Line, CommandError> {
    let text = line.map_err(|error| CommandError::Invalid {
        pointer: String::new(),
        detail: match error {
            LinesCodecError::MaxLineLengthExceeded => {
                format!("a command has at most {COMMAND_BYTES} bytes")
            }
            LinesCodecError::Io(error) => format!(
                "the batch broke off here ({error}); a batch has at most {BATCH_BYTES} bytes"
            ),
        },
    })?;
    parse_line(&text)
}
