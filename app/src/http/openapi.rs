//! `/openapi.json`: made from the same lists that the routes are made from.

use axum::Json;
use daybook_domain::catalog::{self, AggregateEntry};
use daybook_domain::message::MessageType;
use serde_json::{Map, Value, json};

/// The document, served.
pub(super) async fn document() -> Json<Value> {
    Json(build())
}

/// The document, OpenAPI 3.1.
#[must_use]
pub fn build() -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for aggregate in catalog::AGGREGATES {
        let Some(path) = aggregate.path else { continue };
        for command in aggregate.commands {
            add_command(&mut paths, &mut schemas, aggregate, path, command);
        }
    }
    paths.insert("/v1/commands".into(), json!({ "post": batch(&mut schemas) }));
    for (path, operation) in daybook_projector::http::operations() {
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry["get"] = operation;
    }
    for (path, operation) in daybook_projector::http::actions() {
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry["post"] = operation;
    }
    for (path, summary) in [
        ("/health/live", "Whether the process runs"),
        ("/health/ready", "Whether it can do its work; names what cannot"),
        ("/metrics", "Numbers for Prometheus"),
    ] {
        paths.insert(
            path.into(),
            json!({ "get": {
            "tags": ["operations"], "summary": summary, "security": [],
            "responses": { "200": { "description": summary } },
        } }),
        );
    }
    schemas.insert("Problem".into(), problem_schema());
    schemas.insert("Accepted".into(), accepted_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Daybook",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Commands are decided and appended to one log; tables and the audit trail are posted from it. Send commands with POST, read with GET; every answer names the position in the log that it stands on.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "key": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer", "description": "An API key, or a session's token" } },
        },
    })
}

fn add_command(
    paths: &mut Map<String, Value>,
    schemas: &mut Map<String, Value>,
    aggregate: &AggregateEntry,
    path: &str,
    command: &MessageType,
) {
    let creates = command.name == aggregate.creates;
    let name = format!("{}.{}", aggregate.kind, command.name);
    let mut schema = daybook_command::secrets::public_schema(
        aggregate.kind,
        command.name,
        (command.schema)().to_value(),
    );
    let summary = schema["description"].as_str().unwrap_or(command.name).to_owned();
    lift_definitions(&mut schema, schemas);
    add_envelope(&mut schema, creates);
    schemas.insert(name.clone(), schema);
    let path =
        if creates { format!("/v1/{path}") } else { format!("/v1/{path}/{{id}}/{}", command.name) };
    let mut parameters = vec![
        json!({ "name": "dry_run", "in": "query", "description": "Decide, but append nothing", "schema": { "type": "boolean" } }),
        json!({ "name": "Idempotency-Key", "in": "header", "description": "Makes it safe to send the command again", "schema": { "type": "string", "maxLength": 255 } }),
        json!({ "name": "If-Match", "in": "header", "description": "The version that the stream must be at, in quotes", "schema": { "type": "string" } }),
    ];
    if !creates {
        parameters.push(json!({ "name": "id", "in": "path", "required": true, "description": "The stream", "schema": { "type": "string", "format": "uuid" } }));
    }
    let context = aggregate.kind.split('.').next().unwrap_or_default();
    let entry = paths.entry(path).or_insert_with(|| json!({}));
    entry["post"] = json!({
        "tags": [context],
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } },
        },
        "responses": responses(creates),
    });
    if name == "identity.session.open" {
        // With a login and a password nothing else says who asks.
        entry["post"]["security"] = json!([{ "key": [] }, {}]);
    }
}

fn responses(creates: bool) -> Value {
    let accepted = json!({
        "description": "Accepted and durable",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Accepted" } } },
    });
    let problem = |description: &str| {
        json!({
            "description": description,
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        })
    };
    let mut responses = json!({
        "200": accepted,
        "400": problem("The request cannot be read"),
        "401": problem("No valid key"),
        "403": problem("This caller may not"),
        "404": problem("There is no such thing"),
        "409": problem("A rule refuses it"),
        "412": problem("The stream is at another version"),
        "422": problem("The fields make no sense"),
        "429": problem("Too many requests"),
        "503": problem("Try again later"),
    });
    if creates {
        responses["201"] = accepted;
    }
    responses
}

/// Moves a schema's own definitions to the document's components.
fn lift_definitions(schema: &mut Value, schemas: &mut Map<String, Value>) {
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        if let Some(Value::Object(definitions)) = object.remove("$defs") {
            for (name, mut definition) in definitions {
                point_to_components(&mut definition);
                schemas.insert(name, definition);
            }
        }
    }
    point_to_components(schema);
}

fn point_to_components(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                match value {
                    Value::String(target) if name == "$ref" => {
                        *target = target.replace("#/$defs/", "#/components/schemas/");
                    }
                    other => point_to_components(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(point_to_components),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The fields that stand beside each command's own.
fn add_envelope(schema: &mut Value, creates: bool) {
    let Some(properties) = schema
        .as_object_mut()
        .map(|object| object.entry("properties").or_insert_with(|| json!({})))
    else {
        return;
    };
    properties["occurred_at"] = json!({ "type": "string", "format": "date-time", "description": "When it happened in the world, for those who may import; never in the future" });
    if creates {
        properties["id"] = json!({ "type": "string", "format": "uuid", "description": "The new stream's id; one is made where none is given" });
    }
}

fn batch(schemas: &mut Map<String, Value>) -> Value {
    let mut line = schemars::schema_for!(daybook_command::batch::Line).to_value();
    lift_definitions(&mut line, schemas);
    schemas.insert("CommandLine".into(), line);
    json!({
        "tags": ["commands"],
        "operationId": "commands.submit",
        "summary": "Submits many commands, one a line; answers stream back in order",
        "requestBody": {
            "required": true,
            "content": { "application/x-ndjson": { "schema": { "$ref": "#/components/schemas/CommandLine" } } },
        },
        "responses": { "200": { "description": "A line for each line: its number, id and status, and what a single command would have been answered with" } },
    })
}

fn accepted_schema() -> Value {
    json!({
        "type": "object",
        "required": ["stream_id", "version", "position", "events"],
        "properties": {
            "stream_id": { "type": "string", "format": "uuid" },
            "version": { "type": "integer", "description": "The stream's version after the command" },
            "position": { "type": "integer", "description": "The log's position after the command" },
            "events": { "type": "array", "items": { "type": "string" }, "description": "The types of the events, in order; none: it was so already" },
            "recorded_at": { "type": "string", "format": "date-time" },
            "replayed": { "type": "boolean", "description": "This command id was used before; this is the first answer" },
            "dry_run": { "type": "boolean" },
            "token": { "type": "string", "description": "A new session's token, shown this once" },
            "secret": { "type": "string", "description": "A new key, shown this once" },
            "verification_token": { "type": "string", "description": "To be delivered to the user, shown this once" },
        },
    })
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "errors": { "type": "array", "items": { "type": "object", "properties": { "pointer": { "type": "string" }, "detail": { "type": "string" } } } },
            "trace_id": { "type": "string" },
        },
    })
}

/// The problems that do not come from a rule of the domain, and what to do about each.
#[must_use]
pub fn problem_codes() -> Vec<(&'static str, &'static str)> {
    vec![
        ("unauthenticated", "Send a valid API key as a bearer token."),
        (
            "sign-in-failed",
            "Nobody has this login and this password. Five failures in a row lock the user for 15 minutes.",
        ),
        ("forbidden", "The key is valid, but its owner (or the key's own scopes) may not do this."),
        ("not-found", "There is nothing under this address."),
        (
            "not-posted-yet",
            "The tables have not reached the position that you asked for: wait longer, or try again.",
        ),
        ("not-yet", "That time or position lies in the future of the log."),
        (
            "another-log",
            "The cursor or Last-Event-ID is of an earlier life of the log, or of a server that is ahead of this one; start without it.",
        ),
        ("method-not-allowed", "The address exists, but not with this method."),
        (
            "malformed",
            "The request cannot be read: fix the JSON, header or parameter that the detail names.",
        ),
        ("invalid", "The request can be read, but a field makes no sense: errors[] points at it."),
        ("too-large", "Send less at once."),
        ("request-timeout", "The body did not come in time: send it again, faster."),
        ("unsupported-media-type", "Send the Content-Type that the detail names."),
        ("version-mismatch", "Somebody changed it first: read it again, then decide again."),
        ("in-progress", "The same command id is being worked on: ask again in a moment."),
        ("idempotency-key-reused", "This key was used for another command: use a new one."),
        ("contended", "Others kept changing the same stream: send the command again."),
        ("taken", "Another one has this unique key."),
        ("reference-missing", "What the command refers to does not exist."),
        ("reference-closed", "What the command refers to is closed or deleted."),
        ("held", "Others depend on it: end them first."),
        ("too-many-requests", "Slow down; Retry-After says for how long."),
        ("overloaded", "The service sheds load; Retry-After says when to try again."),
        (
            "unavailable",
            "Something the service needs is away; try again. A command is safe to send again with its Idempotency-Key.",
        ),
        (
            "unknown-event",
            "The entity has an event that this build does not know, and cannot be told: ask a newer one.",
        ),
        ("internal", "A fault of the service; its log has more under the trace_id."),
    ]
}
