//! What was once written stays readable: an example of every command and of
//! every version of every event, stored as the log stores it.
//!
//! The examples are never edited, only added to. An event that needs another
//! shape gets a new version, and with it a new example beside the old one.

use std::collections::BTreeSet;

use daybook_domain::aggregate::{Aggregate, fold};
use daybook_domain::banking::account::Account;
use daybook_domain::catalog::AGGREGATES;
use daybook_domain::content::comment::Comment;
use daybook_domain::content::post::Post;
use daybook_domain::contracts::api_contract::ApiContract;
use daybook_domain::contracts::governance_rule::GovernanceRule;
use daybook_domain::contracts::rulebook::Rulebook;
use daybook_domain::datacentre::server::Server;
use daybook_domain::datacentre::usage::Usage;
use daybook_domain::identity::admins::Admins;
use daybook_domain::identity::api_key::ApiKey;
use daybook_domain::identity::permission::Permission;
use daybook_domain::identity::role::Role;
use daybook_domain::identity::session::Session;
use daybook_domain::identity::user::User;
use daybook_domain::message::{CommandMessage, DecodeError, EventMessage, MessageType};
use daybook_domain::open_banking::aisp_account::AispAccount;
use daybook_domain::organizations::billing_account::BillingAccount;
use daybook_domain::organizations::organization::Organization;
use daybook_domain::organizations::resource::Resource;
use daybook_domain::platform::notification::Notification;
use daybook_domain::platform::setting::Setting;
use daybook_domain::recycling::collection::Collection;
use daybook_domain::services::service::Service;
use daybook_domain::services::subscription::Subscription;
use daybook_domain::support::asset::Asset;
use daybook_domain::support::ticket::Ticket;
use serde_json::{Map, Value};

fn examples<A: Aggregate>() -> Value {
    let path = format!("{}/tests/examples/{}.json", env!("CARGO_MANIFEST_DIR"), A::KIND);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("JSON")
}

fn named<'a>(examples: &'a Value, part: &str) -> &'a Map<String, Value> {
    examples[part].as_object().expect("examples by name")
}

/// The schema's fields, and those that must be there.
fn fields(message: &MessageType) -> (BTreeSet<String>, BTreeSet<String>) {
    let schema = serde_json::to_value((message.schema)()).expect("JSON");
    let all = schema["properties"].as_object().map(|p| p.keys().cloned().collect());
    let required = schema["required"]
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    (all.unwrap_or_default(), required.unwrap_or_default())
}

/// The example as it is, which has every field there is, and with nothing that may be absent.
fn full_and_bare(message: &MessageType, example: &Value) -> [String; 2] {
    let (all, required) = fields(message);
    let object = example.as_object().expect("an object");
    let shown: BTreeSet<String> = object.keys().cloned().collect();
    assert_eq!(shown, all, "{}: the example shows every field", message.name);
    let bare: Map<String, Value> = object
        .iter()
        .filter(|(name, _)| required.contains(*name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    [example.to_string(), Value::Object(bare).to_string()]
}

fn commands_are_read<A: Aggregate>() {
    let examples = examples::<A>();
    let mut left: BTreeSet<&String> = named(&examples, "commands").keys().collect();
    for message in A::Command::TYPES {
        let example = named(&examples, "commands").get(message.name);
        let example = example.unwrap_or_else(|| panic!("{} {}: no example", A::KIND, message.name));
        for data in full_and_bare(message, example) {
            let command = A::Command::decode(message.name, &data).expect(message.name);
            assert_eq!(command.name(), message.name);
        }
        let mut more = example.clone();
        more["surprise"] = Value::Bool(true);
        let refused = A::Command::decode(message.name, &more.to_string());
        let refused = refused.expect_err(message.name).to_string();
        assert!(refused.contains("unknown field `surprise`"), "{refused}");
        left.retain(|name| name.as_str() != message.name);
    }
    assert!(left.is_empty(), "{}: examples of unknown commands {left:?}", A::KIND);
}

fn events_are_read_and_written_again<A: Aggregate>() {
    let examples = examples::<A>();
    for message in A::Event::TYPES {
        let short = message.name.strip_prefix(A::KIND).and_then(|rest| rest.strip_prefix('.'));
        let key = format!("{}@{}", short.expect(message.name), message.version);
        let example = named(&examples, "events").get(&key);
        let example = example.unwrap_or_else(|| panic!("{}: no example of {key}", A::KIND));
        for data in full_and_bare(message, example) {
            let event = A::Event::decode(message.name, message.version, &data).expect(message.name);
            let written: Value =
                serde_json::from_str(&event.encode().expect("JSON")).expect("JSON");
            let stored: Value = serde_json::from_str(&data).expect("JSON");
            assert_eq!(written, stored, "{}", message.name);
            assert_eq!((event.name(), event.version()), (message.name, message.version));
        }
    }
    // Every version that was ever written has an example, and is read as what it is now.
    for message in A::Event::TYPES {
        let short = message.name.strip_prefix(A::KIND).and_then(|rest| rest.strip_prefix('.'));
        for version in 1..message.version {
            let key = format!("{}@{version}", short.expect(message.name));
            let example = named(&examples, "events").get(&key);
            let example = example.unwrap_or_else(|| panic!("{}: no example of {key}", A::KIND));
            let event = A::Event::decode(message.name, version, &example.to_string()).expect(&key);
            assert_eq!((event.name(), event.version()), (message.name, message.version), "{key}");
        }
    }
    for (key, example) in named(&examples, "events") {
        let (short, version) = key.split_once('@').expect("name@version");
        let name = format!("{}.{short}", A::KIND);
        let version = version.parse().expect("a version");
        A::Event::decode(&name, version, &example.to_string()).expect(&name);
    }
}

#[test]
fn every_command_is_read() {
    commands_are_read::<User>();
    commands_are_read::<Admins>();
    commands_are_read::<Permission>();
    commands_are_read::<Role>();
    commands_are_read::<Session>();
    commands_are_read::<ApiKey>();
    commands_are_read::<Organization>();
    commands_are_read::<BillingAccount>();
    commands_are_read::<Resource>();
    commands_are_read::<Post>();
    commands_are_read::<Comment>();
    commands_are_read::<Service>();
    commands_are_read::<Subscription>();
    commands_are_read::<Account>();
    commands_are_read::<AispAccount>();
    commands_are_read::<Collection>();
    commands_are_read::<Ticket>();
    commands_are_read::<Asset>();
    commands_are_read::<Server>();
    commands_are_read::<Usage>();
    commands_are_read::<ApiContract>();
    commands_are_read::<GovernanceRule>();
    commands_are_read::<Rulebook>();
    commands_are_read::<Setting>();
    commands_are_read::<Notification>();
}

#[test]
fn every_event_is_read_and_written_again() {
    events_are_read_and_written_again::<User>();
    events_are_read_and_written_again::<Admins>();
    events_are_read_and_written_again::<Permission>();
    events_are_read_and_written_again::<Role>();
    events_are_read_and_written_again::<Session>();
    events_are_read_and_written_again::<ApiKey>();
    events_are_read_and_written_again::<Organization>();
    events_are_read_and_written_again::<BillingAccount>();
    events_are_read_and_written_again::<Resource>();
    events_are_read_and_written_again::<Post>();
    events_are_read_and_written_again::<Comment>();
    events_are_read_and_written_again::<Service>();
    events_are_read_and_written_again::<Subscription>();
    events_are_read_and_written_again::<Account>();
    events_are_read_and_written_again::<AispAccount>();
    events_are_read_and_written_again::<Collection>();
    events_are_read_and_written_again::<Ticket>();
    events_are_read_and_written_again::<Asset>();
    events_are_read_and_written_again::<Server>();
    events_are_read_and_written_again::<Usage>();
    events_are_read_and_written_again::<ApiContract>();
    events_are_read_and_written_again::<GovernanceRule>();
    events_are_read_and_written_again::<Rulebook>();
    events_are_read_and_written_again::<Setting>();
    events_are_read_and_written_again::<Notification>();
}

#[test]
fn every_aggregate_has_examples() {
    let folder = format!("{}/tests/examples", env!("CARGO_MANIFEST_DIR"));
    let stored: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    let expected: BTreeSet<String> =
        AGGREGATES.iter().map(|aggregate| format!("{}.json", aggregate.kind)).collect();
    assert_eq!(stored, expected);
}

/// What was stored before the event had another shape means what it meant.
#[test]
fn an_older_version_is_the_same_event_and_leaves_the_same_state() {
    type Event = <Asset as Aggregate>::Event;
    let examples = examples::<Asset>();
    let stored = |key: &str| {
        let (short, version) = key.split_once('@').expect("name@version");
        let data = named(&examples, "events")[key].to_string();
        let name = format!("{}.{short}", Asset::KIND);
        Event::decode(&name, version.parse().expect("a version"), &data).expect(key)
    };
    assert_eq!(stored("returned@1"), stored("returned@2"));
    let from_repair = Event::decode("support.asset.returned", 1, "{}").expect("from repair");
    let said = from_repair.encode().expect("JSON");
    assert_eq!(said, r#"{"came_from":"repair"}"#);
    let [old, new] = ["returned@1", "returned@2"].map(|returned| {
        fold::<Asset>(&[stored("registered@1"), stored("assigned@1"), stored(returned)])
    });
    assert_eq!(old, new);
    // A version that there never was is no event.
    for version in [-1, 0, 3] {
        let unknown = Event::decode("support.asset.returned", version, "{}").expect_err("unknown");
        assert!(matches!(unknown, DecodeError::UnknownVersion { .. }), "{unknown}");
    }
}

#[test]
fn what_is_not_known_is_said() {
    type Event = <Account as Aggregate>::Event;
    let name = "banking.account.frozen";
    let newer = Event::decode(name, 2, "{}").expect_err("no version 2");
    assert!(matches!(newer, DecodeError::UnknownVersion { version: 2, .. }), "{newer}");
    let stranger = Event::decode("banking.account.melted", 1, "{}").expect_err("no such event");
    assert!(matches!(stranger, DecodeError::UnknownName { .. }), "{stranger}");
    let wrong = Event::decode(name, 1, r#"{"reason":""}"#).expect_err("an empty reason");
    let says = "banking.account.frozen: text of 1 to 500 characters is allowed, this has 0";
    assert!(wrong.to_string().starts_with(says), "{wrong}");
    let command =
        <Account as Aggregate>::Command::decode("melt", "{}").expect_err("no such command");
    assert!(matches!(command, DecodeError::UnknownName { .. }), "{command}");
}
