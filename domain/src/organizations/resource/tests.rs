use serde_json::json;

use super::commands::Restore;
use super::*;
use crate::aggregate::RefusalSort::{Exists, Invalid, NotFound, Rule};
use crate::aggregate::{Given, given};
use crate::testing::*;
use crate::values::UserRole;

const ORG: Uuid = Uuid::from_u128(0x0c);
const ID: Uuid = Uuid::from_u128(0x4e5);
const NOTHING: Decision = Ok(vec![]);

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn created(metadata: Value) -> ResourceEvent {
    Created {
        org_id: ORG,
        name: value("Printer"),
        resource_type: value("device"),
        metadata: object(metadata),
    }
    .into()
}

fn create(metadata: Value) -> Create {
    Create {
        org_id: ORG,
        name: value("Printer"),
        resource_type: value("device"),
        metadata: object(metadata),
    }
}

fn gone(with_organization: bool) -> ResourceEvent {
    Deleted { org_id: ORG, with_organization, reason: None }.into()
}

fn past(events: impl IntoIterator<Item = ResourceEvent>) -> Given<Resource> {
    given(events).knowing(ResourceFacts { organization: Standing::Present })
}

fn asked() -> Context {
    asked_as(UserRole::User)
}

#[test]
fn it_is_made_for_an_organization_that_is_there() {
    let made = past([]).decide(create(json!({"tier": "premium"})), &asked());
    assert_eq!(
        made,
        one(match created(json!({"tier": "premium"})) {
            ResourceEvent::Created(event) => event,
            other => panic!("{other:?}"),
        })
    );
    let decide = |organization| {
        given::<Resource>([])
            .knowing(ResourceFacts { organization })
            .decide(create(json!({})), &asked())
    };
    let says = format!("there is no organization {ORG} to have the resource");
    assert_refused(decide(Standing::Unknown), Rule, "organization-not-found", &says);
    let says = format!("the organization {ORG} is deleted; restore it first");
    assert_refused(decide(Standing::Deleted), Rule, "organization-deleted", &says);
    let again = past([created(json!({}))]).decide(create(json!({})), &asked());
    assert_refused(again, Exists, "resource-already-exists", "this resource exists already");
}

#[test]
fn it_is_renamed() {
    let rename =
        |name: &str| past([created(json!({}))]).decide(Rename { name: value(name) }, &asked());
    assert_eq!(rename("Printer"), NOTHING);
    assert_eq!(rename("Press"), one(Renamed { name: value("Press") }));
}

#[test]
fn metadata_is_merged_and_kept_as_it_then_is() {
    let past = past([created(json!({"a": {"b": 1, "c": 2}, "d": [1]}))]);
    let set = |patch: Value| past.decide(SetMetadata { metadata: object(patch) }, &asked());
    let metadata = object(json!({"a": {"b": 1, "c": 3}, "e": true}));
    let patch = json!({"a": {"c": 3}, "d": null, "e": true});
    assert_eq!(set(patch), one(MetadataSet { metadata }));
    assert_eq!(set(json!({"a": {"b": 1}, "x": null})), NOTHING);
    assert_eq!(set(json!({})), NOTHING);
}

#[test]
fn metadata_has_a_bound() {
    // {"a":"…"} is eight bytes longer than the text in it.
    let of = |bytes: usize| json!({ "a": "x".repeat(bytes - 8) });
    assert!(past([]).decide(create(of(MAX_METADATA)), &asked()).is_ok());
    let says = "metadata of at most 65536 bytes is kept, this would be 65537";
    let over = past([]).decide(create(of(MAX_METADATA + 1)), &asked());
    assert_refused(over, Invalid, "metadata-too-large", says);
    // What counts is what comes out.
    let full = past([created(of(MAX_METADATA))]);
    let set = |patch: Value| full.decide(SetMetadata { metadata: object(patch) }, &asked());
    let over = set(json!({"b": 1}));
    assert_refused(
        over,
        Invalid,
        "metadata-too-large",
        "metadata of at most 65536 bytes is kept, this would be 65542",
    );
    assert!(set(json!({"a": null, "b": 1})).is_ok());
}

#[test]
fn it_is_deleted_and_restored() {
    let delete = commands::Delete { reason: None };
    let there = past([created(json!({}))]);
    assert_eq!(there.decide(delete.clone(), &asked()), Ok(vec![gone(false)]));
    assert_eq!(there.decide(Restore {}, &asked()), NOTHING);
    for with_organization in [false, true] {
        let deleted = past([created(json!({})), gone(with_organization)]);
        assert_eq!(deleted.decide(delete.clone(), &asked()), NOTHING);
        let restored = Restored { org_id: ORG, with_organization: false };
        assert_eq!(deleted.decide(Restore {}, &asked()), one(restored));
        let says = "the resource is deleted; restore it first";
        let rename = deleted.decide(Rename { name: value("x") }, &asked());
        assert_refused(rename, Rule, "resource-deleted", says);
        let set = deleted.decide(SetMetadata { metadata: Map::new() }, &asked());
        assert_refused(set, Rule, "resource-deleted", says);
        // Not without its organization.
        let facts = ResourceFacts { organization: Standing::Deleted };
        let alone = given::<Resource>([created(json!({})), gone(with_organization)]).knowing(facts);
        let says = format!("the organization {ORG} is deleted; restore it first");
        assert_refused(alone.decide(Restore {}, &asked()), Rule, "organization-deleted", &says);
    }
    let back = past([created(json!({})), deleted_with(ORG), restored_with(ORG)]);
    assert_eq!(back.state, there.state);
}

#[test]
fn what_was_never_made_does_nothing() {
    let commands: [ResourceCommand; 4] = [
        Rename { name: value("x") }.into(),
        SetMetadata { metadata: Map::new() }.into(),
        commands::Delete { reason: None }.into(),
        Restore {}.into(),
    ];
    for command in commands {
        assert_eq!(Resource::default().organization(ID, &command), None);
        let refused = past([]).decide(command, &asked());
        assert_refused(refused, NotFound, "resource-not-found", "there is no such resource");
    }
}

#[test]
fn it_holds_its_organization_while_it_is_there() {
    let state = past([created(json!({}))]).state;
    let held = vec![Hold { target: ORG, expires_at: None }];
    let made = Resource::default().effects(ID, &created(json!({})));
    assert_eq!((made.lifecycle, made.references), (Lifecycle::Opens, vec![ORG]));
    assert_eq!(made.holds, held);
    // Without the state at hand they are the same: a deletion of the organization writes them so.
    for state in [state, Resource::default()] {
        let deleted = state.effects(ID, &deleted_with(ORG));
        assert_eq!((deleted.lifecycle, deleted.unholds), (Lifecycle::Closes, vec![ORG]));
        let restored = state.effects(ID, &restored_with(ORG));
        assert_eq!((restored.lifecycle, restored.holds), (Lifecycle::Reopens, held.clone()));
    }
    let there = past([created(json!({}))]).state;
    assert_eq!(there.organization(ID, &Restore {}.into()), Some(ORG));
    assert_eq!(there.owner(ID, &Restore {}.into()), None);
    assert_eq!(Resource::default().organization(ID, &create(json!({})).into()), Some(ORG));
    assert_eq!(there.reads(&Restore {}.into()), Some(ORG));
}
