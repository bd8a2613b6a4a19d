//! The read side's part of the OpenAPI document, from the same lists as the routes.

use serde_json::{Map, Value, json};

use super::whole::Whole;
use super::{audit, journals, log_query};
use crate::queries::journals::Journal;
use crate::queries::list;
use crate::queries::tables::{FilterBy, Match, ReadTable, read_tables};
use crate::table::ColumnName;

/// The whole log.
pub(super) const EVENTS: &str = "/v1/events";
/// One stream.
pub(super) const STREAM_EVENTS: &str = "/v1/streams/{id}/events";
/// The projector's state.
pub(super) const PROJECTOR: &str = "/v1/platform/projector";
/// Rebuilds of the read tables.
pub(super) const REBUILDS: &str = "/v1/rebuilds";
/// Another try for parked events.
pub(super) const RETRY: &str = "/v1/platform/projector/retry";

/// Who changed what.
pub(super) const AUDIT: &str = "/v1/audit";
/// What people did that made no event.
pub(super) const JOURNALS: &str = "/v1/journals/{journal}";

/// Said of filters that cannot be meant.
const UNKNOWN: &str =
    "A name that nothing has, or an end in the future; errors[] says which parameter";

/// Every address that answers GET, and its operation in OpenAPI 3.1.
#[must_use]
pub fn operations() -> Vec<(String, Value)> {
    let mut operations = Vec::new();
    for table in read_tables() {
        operations.push((table.path(), list_operation(table)));
        if table.single {
            operations.push((format!("{}/{{id}}", table.path()), one_operation(table)));
            if table.kind.is_some() {
                operations.push((format!("{}/{{id}}/diff", table.path()), diff_operation(table)));
            }
        }
    }
    operations.push((EVENTS.to_owned(), events_operation(log_query::OF_ALL, false)));
    operations.push((STREAM_EVENTS.to_owned(), events_operation(log_query::OF_STREAM, true)));
    operations.push((
        PROJECTOR.to_owned(),
        json!({
            "tags": ["platform"],
            "operationId": "platform.projector.read",
            "summary": "How far the tables are behind the log, by lane; parked events; lanes that wait",
            "responses": { "200": { "description": "The state", "headers": position_header() }, "403": problem("This caller may not") },
        }),
    ));
    operations.push((AUDIT.to_owned(), audit_operation()));
    operations.push((JOURNALS.to_owned(), journals_operation()));
    operations.push((
        REBUILDS.to_owned(),
        json!({
            "tags": ["platform"],
            "operationId": "platform.rebuilds.list",
            "summary": "Rebuilds of the read tables, newest first: state, rate, time left, what differed",
            "responses": { "200": { "description": "The newest fifty", "headers": position_header() }, "403": problem("This caller may not") },
        }),
    ));
    operations
}

fn audit_operation() -> Value {
    let texts = |(name, description): &(&str, &str)| {
        parameter(name, description, json!({ "type": "string" }))
    };
    let mut parameters: Vec<Value> = audit::PARAMETERS.iter().map(texts).collect();
    parameters.extend(freshness_headers());
    let page = json!({ "type": "object", "properties": {
        "data": { "type": "array", "items": { "type": "object" } }, "has_more": { "type": "boolean" },
        "next_cursor": { "type": ["string", "null"] }, "position": { "type": "integer" },
    } });
    let mut responses = responses(&page);
    responses["422"] = problem(UNKNOWN);
    for form in Whole::MEDIA {
        responses["200"]["content"][form] =
            json!({ "schema": { "type": "string", "description": "Every row, oldest first" } });
    }
    json!({
        "tags": ["audit"],
        "operationId": "audit",
        "summary": "Who changed what: a page, all of it, a count, or a sample",
        "parameters": parameters,
        "responses": responses,
    })
}

fn journals_operation() -> Value {
    let texts = |(name, description): &(&str, &str)| {
        parameter(name, description, json!({ "type": "string" }))
    };
    let mut parameters: Vec<Value> = journals::PARAMETERS.iter().map(texts).collect();
    let names: Vec<&str> = Journal::ALL.iter().map(|journal| journal.name()).collect();
    parameters.push(
        json!({ "name": "journal", "in": "path", "required": true, "schema": { "enum": names } }),
    );
    let page = json!({ "type": "object", "properties": {
        "data": { "type": "array", "items": { "type": "object" } }, "has_more": { "type": "boolean" },
        "next_cursor": { "type": "string" }, "position": { "type": "integer" },
    } });
    json!({
        "tags": ["audit"],
        "operationId": "journals",
        "summary": "Refused commands, attempts to sign in, reads of everyone's past: newest first",
        "parameters": parameters,
        "responses": responses(&page),
    })
}

/// Every address of the read side that answers POST, and its operation in OpenAPI 3.1.
#[must_use]
pub fn actions() -> Vec<(String, Value)> {
    vec![(
        RETRY.to_owned(),
        json!({
            "tags": ["platform"],
            "operationId": "platform.projector.retry",
            "summary": "Has parked events tried again",
            "parameters": [parameter("lane", "Only this lane's", json!({ "type": "integer" }))],
            "responses": { "200": { "description": "How many" }, "403": problem("This caller may not") },
        }),
    )]
}

fn list_operation(table: &ReadTable) -> Value {
    let mut parameters: Vec<Value> = table.filters.iter().map(filter_parameter).collect();
    let usual = if table.newest_first { "desc" } else { "asc" };
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": list::MAX_LIMIT, "default": list::DEFAULT_LIMIT });
    parameters.extend([
        parameter("limit", "Rows a page", limit),
        parameter(
            "cursor",
            "Where to go on: next_cursor of the page before",
            json!({ "type": "string" }),
        ),
        parameter(
            "order",
            "The way along the table",
            json!({ "enum": ["asc", "desc"], "default": usual }),
        ),
    ]);
    parameters.extend(freshness_headers());
    let body = json!({
        "type": "object",
        "required": ["data", "has_more", "position"],
        "properties": {
            "data": { "type": "array", "items": row_schema(table) },
            "has_more": { "type": "boolean" },
            "next_cursor": { "type": "string", "description": "Opaque; only where there is more" },
            "position": { "type": "integer", "description": "The position that the page stands on, at least" },
        },
    });
    json!({
        "tags": [table.context],
        "operationId": format!("{}.{}.list", table.context, table.plural),
        "summary": format!("Rows of {}, page by page", table.name()),
        "parameters": parameters,
        "responses": responses(&body),
    })
}

fn one_operation(table: &ReadTable) -> Value {
    let mut parameters = vec![
        json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }),
        parameter(
            "as_of",
            "As it was at this RFC 3339 time",
            json!({ "type": "string", "format": "date-time" }),
        ),
        parameter(
            "at_position",
            "As it was at this position of the log",
            json!({ "type": "integer", "minimum": 0 }),
        ),
        parameter(
            "at_version",
            "As this version of it was",
            json!({ "type": "integer", "minimum": 1 }),
        ),
    ];
    parameters.extend(freshness_headers());
    let mut responses = responses(&row_schema(table));
    responses["404"] = problem("There is none, or there was none then");
    responses["422"] = problem("That time or position is in the future");
    json!({
        "tags": [table.context],
        "operationId": format!("{}.{}.read", table.context, table.plural),
        "summary": format!("One row of {}, now or as it was", table.name()),
        "parameters": parameters,
        "responses": responses,
    })
}

fn diff_operation(table: &ReadTable) -> Value {
    let text = || json!({ "type": "string" });
    let mut parameters = vec![
        json!({ "name": "id", "in": "path", "required": true, "schema": text() }),
        json!({ "name": "from", "in": "query", "required": true, "description": "The earlier moment: an RFC 3339 time or a position of the log", "schema": text() }),
        parameter("to", "The later moment; now where it is left out", text()),
    ];
    parameters.extend(freshness_headers());
    let mut responses = responses(
        &json!({ "type": "object", "description": "changes: what differs in the end; steps: every event in between, with the rows that it changed" }),
    );
    responses["404"] = problem("There is none");
    responses["422"] = problem("That time or position is in the future");
    json!({
        "tags": [table.context],
        "operationId": format!("{}.{}.diff", table.context, table.plural),
        "summary": format!("What changed in one row of {} between two moments, and the events that changed it", table.name()),
        "parameters": parameters,
        "responses": responses,
    })
}

fn events_operation(names: &[&str], of_stream: bool) -> Value {
    let mut parameters: Vec<Value> = names.iter().map(|name| log_parameter(name)).collect();
    if of_stream {
        parameters.push(json!({ "name": "id", "in": "path", "required": true, "description": "The stream", "schema": { "type": "string", "format": "uuid" } }));
    }
    parameters.push(json!({ "name": "Last-Event-ID", "in": "header", "description": "Go on after this position", "schema": { "type": "integer" } }));
    let event = json!({ "type": "object", "description": "A CloudEvent 1.0; numbers of 64 bits are strings" });
    let page = json!({
        "type": "object",
        "properties": { "data": { "type": "array", "items": event }, "has_more": { "type": "boolean" }, "next_cursor": { "type": "string" }, "position": { "type": "integer" } },
    });
    let mut responses = responses(&page);
    responses["200"]["content"]["application/x-ndjson"] = json!({ "schema": { "type": "string", "description": "One event a line, up to the head" } });
    responses["200"]["content"]["text/event-stream"] =
        json!({ "schema": { "type": "string", "description": "Live; id: is the position" } });
    responses["409"] = problem("The cursor is of another epoch of the log");
    responses["422"] = problem(UNKNOWN);
    json!({
        "tags": ["log"],
        "operationId": if of_stream { "streams.events" } else { "events" },
        "summary": if of_stream { "The events of one stream" } else { "The events of the whole log" },
        "parameters": parameters,
        "responses": responses,
    })
}

fn log_parameter(name: &str) -> Value {
    let text = || json!({ "type": "string" });
    let (description, schema) = match name {
        "from_position" => ("The first position, or \"end\" for what comes from now on", text()),
        "types" => ("Full types such as banking.account.withdrawn, with commas between", text()),
        "contexts" => ("Contexts such as banking, with commas between", text()),
        "kinds" => ("Kinds of stream such as banking.account, with commas between", text()),
        "from" => ("Recorded at or after", json!({ "type": "string", "format": "date-time" })),
        "to" => ("Recorded at or before", json!({ "type": "string", "format": "date-time" })),
        "limit" => (
            "Events a page",
            json!({ "type": "integer", "minimum": 1, "maximum": list::MAX_LIMIT }),
        ),
        "cursor" => ("Where to go on: next_cursor of the page before", text()),
        "tenant" => ("On behalf of this organization", uuid()),
        "actor" => ("Asked for by this user", uuid()),
        "correlation" => ("Tied together by this id", uuid()),
        _ => ("", text()),
    };
    parameter(name, description, schema)
}

fn filter_parameter(filter: &FilterBy) -> Value {
    let column = filter.column;
    let (description, schema) = match filter.how {
        Match::Id => (format!("{column} is this"), uuid()),
        Match::Number => (format!("{column} is this"), json!({ "type": "integer" })),
        Match::Text | Match::Enum(_) => (format!("{column} is this"), json!({ "type": "string" })),
        Match::Identifier(kind) => {
            (format!("The user with this {kind}, whatever its case"), json!({ "type": "string" }))
        }
        Match::From => {
            (format!("{column} at or after"), json!({ "type": "string", "format": "date-time" }))
        }
        Match::Before => {
            (format!("{column} before"), json!({ "type": "string", "format": "date-time" }))
        }
    };
    parameter(filter.name, &description, schema)
}

fn freshness_headers() -> [Value; 2] {
    [
        json!({ "name": "Daybook-Min-Position", "in": "header", "description": "Answer only once the tables have reached this position", "schema": { "type": "integer" } }),
        json!({ "name": "Prefer", "in": "header", "description": "wait=2: wait for it for as many seconds", "schema": { "type": "string" } }),
    ]
}

fn row_schema(table: &ReadTable) -> Value {
    let properties: Map<String, Value> =
        table.columns().map(|column| (column.name.to_owned(), column_schema(column))).collect();
    json!({ "type": "object", "properties": properties })
}

fn column_schema(column: &ColumnName) -> Value {
    match (column.array, column.cast) {
        (_, Some("jsonb")) => json!({ "type": ["object", "array", "null"] }),
        (_, Some("text[]")) => json!({ "type": "array", "items": { "type": "string" } }),
        ("uuid", _) => json!({ "type": ["string", "null"], "format": "uuid" }),
        ("timestamptz", _) => json!({ "type": ["string", "null"], "format": "date-time" }),
        ("date", _) => json!({ "type": ["string", "null"], "format": "date" }),
        ("numeric" | "numeric(20,6)", _) => {
            json!({ "type": ["string", "null"], "format": "decimal", "examples": ["12.34"] })
        }
        ("bool", _) => json!({ "type": "boolean" }),
        ("int4" | "int8", _) => json!({ "type": ["integer", "null"] }),
        _ => json!({ "type": ["string", "null"] }),
    }
}

fn uuid() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

fn parameter(name: &str, description: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}

fn position_header() -> Value {
    json!({ "Daybook-Position": { "description": "The position that the answer stands on", "schema": { "type": "integer" } } })
}

fn responses(body: &Value) -> Value {
    json!({
        "200": { "description": "The answer", "headers": position_header(), "content": { "application/json": { "schema": body } } },
        "400": problem("A parameter is unknown or makes no sense"),
        "401": problem("No valid key"),
        "403": problem("This caller may not"),
        "429": problem("Too many requests"),
        "503": problem("The tables have not reached the position asked for, or the database is away"),
    })
}

fn problem(description: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}
