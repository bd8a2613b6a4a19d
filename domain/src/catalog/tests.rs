use std::collections::BTreeSet;

use super::*;

#[test]
fn names_belong_to_one_aggregate_each() {
    let mut seen = BTreeSet::new();
    for aggregate in AGGREGATES {
        assert!(seen.insert(aggregate.kind), "{} twice", aggregate.kind);
        assert_eq!(by_kind(aggregate.kind).map(|found| found.path), Some(aggregate.path));
        if let Some(path) = aggregate.path {
            assert!(seen.insert(path), "{path} twice");
            assert_eq!(by_path(path).map(|found| found.kind), Some(aggregate.kind));
            let (context, _) = aggregate.kind.split_once('.').unwrap();
            assert!(path.starts_with(&format!("{context}/")), "{path}");
        }
        for event in aggregate.events {
            assert!(seen.insert(event.name), "{} twice", event.name);
            let (kind, _) = event.name.rsplit_once('.').unwrap();
            assert_eq!(kind, aggregate.kind, "{}", event.name);
        }
        let commands: BTreeSet<_> = aggregate.commands.iter().map(|c| c.name).collect();
        assert_eq!(commands.len(), aggregate.commands.len(), "{}", aggregate.kind);
        assert!(commands.contains(aggregate.creates), "{}", aggregate.kind);
    }
    assert!(by_kind("banking.safe").is_none() && by_path("banking/safes").is_none());
}

#[test]
fn every_message_says_what_it_is_and_takes_no_more_than_it_knows() {
    for aggregate in AGGREGATES {
        for message in aggregate.commands.iter().chain(aggregate.events) {
            let schema = (message.schema)();
            let described = schema.get("description").and_then(|text| text.as_str());
            assert!(described.is_some_and(|text| text.len() > 10), "{}", message.name);
        }
        for command in aggregate.commands {
            let schema = (command.schema)();
            let closed = schema.get("additionalProperties");
            assert_eq!(closed, Some(&false.into()), "{}", command.name);
        }
    }
}

/// Fields that are about a person, wherever they stand.
const ABOUT_PEOPLE: &[&str] = &[
    "username",
    "email",
    "full_name",
    "first_name",
    "last_name",
    "phone",
    "account_name",
    "account_number",
    "counterparty_account",
    "description",
    "content",
    "title",
];

/// What is about things, though it goes by a name of the list.
const ABOUT_THINGS: &[(&str, &str)] = &[
    ("identity.permission", "description"),
    ("identity.role", "description"),
    ("services.service", "description"),
    ("contracts.api_contract", "description"),
    ("contracts.governance_rule", "description"),
];

#[test]
fn what_is_about_people_is_marked() {
    let mut marked = 0;
    for aggregate in AGGREGATES {
        for message in aggregate.commands.iter().chain(aggregate.events) {
            let schema = serde_json::to_value((message.schema)()).unwrap();
            let Some(properties) = schema["properties"].as_object() else { continue };
            for (name, property) in properties {
                if ABOUT_THINGS.contains(&(aggregate.kind, name.as_str())) {
                    continue;
                }
                if ABOUT_PEOPLE.contains(&name.as_str()) {
                    assert!(property.to_string().contains("x-personal"), "{} {name}", message.name);
                    marked += 1;
                }
            }
        }
    }
    assert!(marked > 30, "only {marked} fields found: has the schemas' shape changed?");
}
