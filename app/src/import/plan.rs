//! Commands as imports plan them.

use chrono::{DateTime, SecondsFormat, Utc};
use daybook_command::batch::Line;
use serde_json::{Map, Value};
use uuid::Uuid;

/// A command, and the line of the file that it comes from.
#[derive(Debug)]
pub struct Planned {
    /// The line.
    pub source: u64,
    /// The command.
    pub line: Line,
}

/// A command that happened at `at` in the world. `data` is an object.
#[must_use]
pub fn command(kind: &str, id: Uuid, stream: Uuid, at: DateTime<Utc>, data: Value) -> Line {
    let fields = match data {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    Line {
        id: Some(id),
        command_type: kind.to_owned(),
        stream_id: Some(stream),
        expected_version: None,
        occurred_at: Some(at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        data: fields,
    }
}
