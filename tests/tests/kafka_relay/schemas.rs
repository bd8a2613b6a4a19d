//! What is served about the topic is true of what is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use daybook_store::Log;
use daybook_tests::{Kafka, Service};
use rdkafka::Message as _;
use rdkafka::message::Headers as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{published, read, start_relay};

/// Words of JSON Schema that say something for people.
const FOR_PEOPLE: [&str; 10] = [
    "$schema",
    "$id",
    "$defs",
    "title",
    "description",
    "default",
    "examples",
    "format",
    "deprecated",
    "writeOnly",
];

/// What of `value` does not fit `schema`. A word that is not known here is an objection too.
fn objections(value: &Value, schema: &Value, root: &Value, at: &str) -> Vec<String> {
    let Some(words) = schema.as_object() else {
        return if schema == &json!(false) {
            vec![format!("{at}: nothing may be here")]
        } else {
            vec![]
        };
    };
    let mut all = Vec::new();
    for (word, wanted) in words {
        let fits = match word.as_str() {
            word if FOR_PEOPLE.contains(&word) || word.starts_with("x-") => continue,
            "$ref" => {
                let pointer = wanted.as_str().expect("a reference").trim_start_matches('#');
                let target = root.pointer(pointer).expect("a definition");
                all.extend(objections(value, target, root, at));
                continue;
            }
            "properties" => {
                for (name, schema) in wanted.as_object().expect("properties") {
                    if let Some(value) = value.get(name) {
                        all.extend(objections(value, schema, root, &format!("{at}/{name}")));
                    }
                }
                continue;
            }
            "items" => {
                for value in value.as_array().into_iter().flatten() {
                    all.extend(objections(value, wanted, root, &format!("{at}/items")));
                }
                continue;
            }
            "allOf" => {
                for schema in wanted.as_array().expect("schemas") {
                    all.extend(objections(value, schema, root, at));
                }
                continue;
            }
            "type" => types(wanted).iter().any(|kind| is_of(value, kind)),
            "required" => wanted
                .as_array()
                .expect("names")
                .iter()
                .all(|name| value.get(name.as_str().expect("a name")).is_some()),
            "additionalProperties" => properties_are_known(value, wanted, words),
            "const" => value == wanted,
            "enum" => wanted.as_array().expect("values").contains(value),
            "anyOf" => fitting(value, wanted, root) >= 1,
            "oneOf" => fitting(value, wanted, root) == 1,
            "minimum" => value.as_f64().is_none_or(|n| n >= wanted.as_f64().expect("a number")),
            "maximum" => value.as_f64().is_none_or(|n| n <= wanted.as_f64().expect("a number")),
            "minLength" => length(value).is_none_or(|n| n >= wanted.as_u64().expect("a number")),
            "maxLength" => length(value).is_none_or(|n| n <= wanted.as_u64().expect("a number")),
            "minItems" => items(value).is_none_or(|n| n >= wanted.as_u64().expect("a number")),
            "maxItems" => items(value).is_none_or(|n| n <= wanted.as_u64().expect("a number")),
            // Checked by those who take the commands; here it is only known.
            "pattern" | "uniqueItems" | "propertyNames" => continue,
            other => panic!("{at}: the schema says {other:?}, which this test does not know"),
        };
        if !fits {
            all.push(format!("{at}: {value} does not fit {word} {wanted}"));
        }
    }
    all
}

fn types(wanted: &Value) -> Vec<&str> {
    match wanted {
        Value::String(one) => vec![one],
        many => many.as_array().expect("types").iter().filter_map(Value::as_str).collect(),
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type {other}"),
    }
}

fn properties_are_known(
    value: &Value,
    wanted: &Value,
    words: &serde_json::Map<String, Value>,
) -> bool {
    let known = |name: &String| {
        words.get("properties").and_then(|properties| properties.get(name)).is_some()
    };
    wanted != &json!(false) || value.as_object().is_none_or(|fields| fields.keys().all(known))
}

fn fitting(value: &Value, schemas: &Value, root: &Value) -> usize {
    let fits = |schema: &&Value| objections(value, schema, root, "").is_empty();
    schemas.as_array().expect("schemas").iter().filter(fits).count()
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

fn items(value: &Value) -> Option<u64> {
    value.as_array().map(|items| items.len() as u64)
}

#[test]
fn what_does_not_fit_is_seen() {
    let schema = json!({
        "type": "object", "required": ["a"], "additionalProperties": false,
        "properties": { "a": { "$ref": "#/$defs/A" } },
        "$defs": { "A": { "anyOf": [{ "type": "string", "maxLength": 2 }, { "type": "null" }] } },
    });
    let wrong = |value: Value| objections(&value, &schema, &schema, "").len();
    assert_eq!(wrong(json!({ "a": "ab" })) + wrong(json!({ "a": null })), 0);
    for value in [json!({}), json!({ "a": 1 }), json!({ "a": "abc" }), json!({ "a": "a", "b": 1 })]
    {
        assert_eq!(wrong(value), 1);
    }
}

#[tokio::test]
async fn real_records_are_as_the_served_documents_say() {
    let Some(kafka) = Kafka::shared().await else { return };
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let _ = service.key_of(ada).await;
    let account = json!({ "user_id": ada, "account_name": "A", "account_type": "checking",
        "account_number": "K-1", "currency": "EUR" });
    let account = service.command("/v1/banking/accounts", account).await.accepted();
    let path =
        format!("/v1/banking/accounts/{}/deposit", account["stream_id"].as_str().expect("an id"));
    let _ = service.command(&path, json!({ "amount": "12.30" })).await.accepted();
    let head = Log::new(service.database.pools().await.projector).head().await.expect("the head");

    let prefix = Kafka::prefix("schemas");
    let folder = tempfile::tempdir().expect("a folder");
    let _relay = start_relay(&service.database, folder.path(), kafka, &prefix, "relay", &[]);
    let topic = format!("{prefix}daybook.events");
    let pools = service.database.pools().await;
    published(&pools.projector, &topic, head.position, Duration::from_secs(30)).await;

    let document = service.ask_openly(Method::GET, "/asyncapi.json", None).await.accepted();
    assert_eq!(document["asyncapi"], "3.0.0");
    let header_schema = &document["components"]["schemas"]["Headers"];
    let (mut schemas, mut seen) = (BTreeMap::<String, Value>::new(), BTreeSet::new());
    for record in read(kafka, &topic).into_values().flatten() {
        let headers = record.headers().expect("headers").iter().map(|header| {
            let text = std::str::from_utf8(header.value.expect("a value")).expect("text");
            (header.key.to_owned(), json!(text))
        });
        let headers = Value::Object(headers.collect());
        assert_eq!(objections(&headers, header_schema, header_schema, "headers"), [""; 0]);
        for name in headers.as_object().expect("headers").keys() {
            assert!(header_schema["properties"].get(name).is_some(), "{name} is not documented");
        }
        let text = |name: &str| headers[name].as_str().expect("text").to_owned();
        let (name, version) = (text("ce_type"), text("ce_schemaversion"));
        let message = &document["components"]["messages"][format!("{name}.{version}")];
        let address = message["payload"]["schema"]["$ref"].as_str().expect("an address").to_owned();
        if !schemas.contains_key(&address) {
            let schema = service.ask_openly(Method::GET, &address, None).await.accepted();
            schemas.insert(address.clone(), schema);
        }
        let value = serde_json::from_slice(record.payload().expect("a value")).expect("JSON");
        let schema = &schemas[&address];
        assert_eq!(objections(&value, schema, schema, &name), [""; 0], "{value}");
        seen.insert(name);
    }
    for name in ["identity.user.registered", "identity.api_key.issued", "banking.account.deposited"]
    {
        assert!(seen.contains(name), "{name} is not among {seen:?}");
    }
}
