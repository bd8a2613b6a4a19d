//! `/asyncapi.json` and `/schemas/{type}/{version}.json`: the topic of events and the shape of each
//! event, made from the same list as everything else.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use daybook_domain::catalog::{self, AggregateEntry};
use daybook_domain::message::MessageType;
use daybook_http::Problem;
use daybook_store::LANES;
use daybook_store::kafka::Naming;
use serde_json::{Map, Value, json};

/// The headers of a record: name, JSON Schema, whether it is always there, meaning.
const HEADERS: [(&str, &str, bool, &str); 25] = [
    ("ce_specversion", "string", true, "1.0"),
    ("ce_id", "string", true, "The position, as text; with ce_source it names one event for ever"),
    ("ce_source", "uri-reference", true, "/daybook/log/ and the log's epoch"),
    ("ce_type", "string", true, "Such as banking.account.withdrawn"),
    ("ce_subject", "uuid", true, "The stream"),
    ("ce_time", "date-time", true, "When the log took it"),
    ("content-type", "string", true, "application/json"),
    ("ce_position", "number", true, "Its place in the log, from 1, without gaps"),
    ("ce_lane", "number", true, "Its lane, which is its partition"),
    ("ce_laneseq", "number", true, "Its place in its lane, from 1, without gaps"),
    ("ce_streamversion", "number", true, "Its place in its stream, from 1, without gaps"),
    ("ce_schemaversion", "number", true, "The version of its type's shape"),
    ("ce_logepoch", "number", true, "The life of the log in which it was published"),
    ("ce_commandid", "uuid", true, "The command that made it"),
    ("ce_actorid", "uuid", true, "Who asked"),
    ("ce_correlationid", "uuid", true, "What ties several commands together"),
    ("ce_occurredat", "date-time", false, "When it happened in the world, where that was said"),
    ("ce_tenantid", "uuid", false, "The organization on whose behalf"),
    ("ce_causationid", "uuid", false, "The event or command that caused it"),
    ("ce_sessionid", "uuid", false, "The session in which it was asked"),
    ("ce_ipaddress", "string", false, "The client's address"),
    ("ce_useragent", "string", false, "The client's own name"),
    ("ce_traceparent", "string", false, "W3C trace context"),
    (
        "ce_after",
        "string",
        false,
        "lane:laneseq, separated by commas: events that this one refers to",
    ),
    ("ce_redacted", "string", false, "true: a secret or its hash was taken out of the data"),
];

/// The document, served.
pub(super) async fn document(State(naming): State<Naming>) -> Json<Value> {
    Json(build(&naming))
}

/// One event's schema, served.
pub(super) async fn schema(Path((name, file)): Path<(String, String)>) -> Response {
    let version = file.strip_suffix(".json").and_then(|version| version.parse().ok());
    match version.and_then(|version| event_schema(&name, version)) {
        Some(schema) => ([(CONTENT_TYPE, "application/schema+json")], Json(schema).0.to_string())
            .into_response(),
        None => Problem::not_found(format!(
            "there is no event {name} of a version {file}; /asyncapi.json lists them"
        ))
        .into_response(),
    }
}

fn events() -> impl Iterator<Item = (&'static AggregateEntry, &'static MessageType)> {
    catalog::AGGREGATES
        .iter()
        .flat_map(|aggregate| aggregate.events.iter().map(move |event| (aggregate, event)))
}

/// The JSON Schema of an event's data.
#[must_use]
pub fn event_schema(name: &str, version: i16) -> Option<Value> {
    let found = events().find(|(_, event)| (event.name, event.version) == (name, version));
    let (_, event) = found?;
    let mut schema = (event.schema)().to_value();
    schema["$id"] = json!(address(event));
    schema["title"] = json!(event.name);
    Some(schema)
}

fn address(event: &MessageType) -> String {
    format!("/schemas/{}/{}.json", event.name, event.version)
}

/// The document, AsyncAPI 3.0.
#[must_use]
pub fn build(naming: &Naming) -> Value {
    let (mut messages, mut in_channel) = (Map::new(), Map::new());
    for (aggregate, event) in events() {
        let key = format!("{}.{}", event.name, event.version);
        let schema = (event.schema)().to_value();
        messages.insert(
            key.clone(),
            json!({
                "name": event.name,
                "title": event.name,
                "summary": schema["description"].as_str().unwrap_or(event.name),
                "tags": [{ "name": aggregate.kind }],
                "contentType": "application/json",
                "headers": { "$ref": "#/components/schemas/Headers" },
                "payload": {
                    "schemaFormat": "application/schema+json;version=draft-2020-12",
                    "schema": { "$ref": address(event) },
                },
                "bindings": { "kafka": {
                    "key": { "type": "string", "format": "uuid", "description": "The stream" },
                    "bindingVersion": "0.5.0",
                } },
            }),
        );
        in_channel.insert(key.clone(), json!({ "$ref": format!("#/components/messages/{key}") }));
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Daybook's events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The log, as CloudEvents 1.0 in Kafka's binary mode. Partition = lane; the key is the stream. Read what is committed (isolation.level=read_committed): every event once, in the order of its lane.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "channels": { "events": {
            "address": naming.events(),
            "title": "All events",
            "description": "Filled from the log by the relay; nothing else writes to it. It can be deleted, and is filled again.",
            "messages": in_channel,
            "bindings": { "kafka": {
                "topic": naming.events(),
                "partitions": LANES,
                "topicConfiguration": { "cleanup.policy": ["delete"] },
                "bindingVersion": "0.5.0",
            } },
        } },
        "operations": { "publish": {
            "action": "send",
            "channel": { "$ref": "#/channels/events" },
            "summary": "The relay publishes each event once, in the order of its lane",
        } },
        "components": { "messages": messages, "schemas": { "Headers": headers() } },
    })
}

fn headers() -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, kind, always, meaning) in HEADERS {
        let mut schema = json!({ "type": "string", "description": meaning });
        match kind {
            "string" => {}
            "number" => schema["pattern"] = json!("^[0-9]+$"),
            format => schema["format"] = json!(format),
        }
        properties.insert(name.to_owned(), schema);
        if always {
            required.push(name);
        }
    }
    json!({ "type": "object", "required": required, "properties": properties })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_a_message_with_a_schema_that_is_served() {
        let document = build(&Naming { prefix: "p.".into(), generation: 2 });
        assert_eq!(document["channels"]["events"]["address"], "p.daybook.events.g2");
        let messages = document["components"]["messages"].as_object().unwrap();
        assert_eq!(messages.len(), events().count());
        for (key, message) in messages {
            let reference = message["payload"]["schema"]["$ref"].as_str().unwrap();
            let (name, file) =
                reference.strip_prefix("/schemas/").unwrap().split_once('/').unwrap();
            let version = file.strip_suffix(".json").unwrap().parse().unwrap();
            let schema = event_schema(name, version).unwrap();
            assert_eq!(schema["$id"], reference);
            assert_eq!(schema["type"], "object", "{key}");
            assert_eq!(
                document["channels"]["events"]["messages"][key]["$ref"],
                format!("#/components/messages/{key}")
            );
        }
        assert!(event_schema("banking.account.withdrawn", 99).is_none());
    }
}
