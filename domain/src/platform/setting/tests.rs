use serde_json::json;

use super::commands::{Set, Unset};
use super::*;
use crate::aggregate::RefusalSort::{Invalid, NotFound, Rule};
use crate::aggregate::{Given, given};
use crate::testing::*;
use crate::values::UserRole;

const ID: Uuid = Uuid::from_u128(0x5e7);
const NOTHING: Decision = Ok(vec![]);

fn set(value: Value) -> Set {
    Set {
        key: crate::testing::value("mail.host"),
        value,
        value_type: None,
        is_secret: false,
        about: None,
    }
}

fn was_set(value: Value, value_type: SettingType) -> SettingEvent {
    events::Set {
        key: crate::testing::value("mail.host"),
        value_type,
        is_secret: false,
        value: Some(value),
        secret_value: None,
        about: None,
    }
    .into()
}

fn was_hidden(value: Value) -> SettingEvent {
    events::Set {
        key: crate::testing::value("mail.host"),
        value_type: SettingType::String,
        is_secret: true,
        value: None,
        secret_value: Some(SecretValue(value)),
        about: None,
    }
    .into()
}

fn past(events: impl IntoIterator<Item = SettingEvent>) -> Given<Setting> {
    given(events)
}

fn asked() -> Context {
    asked_as(UserRole::Admin)
}

#[test]
fn its_first_value_fixes_its_type() {
    for (value, value_type) in [
        (json!("a"), SettingType::String),
        (json!(1), SettingType::Number),
        (json!(true), SettingType::Boolean),
        (json!([1]), SettingType::Json),
        (json!({}), SettingType::Json),
    ] {
        let decided = past([]).decide(set(value.clone()), &asked());
        assert_eq!(decided, Ok(vec![was_set(value, value_type)]));
    }
    let number = past([was_set(json!(1), SettingType::Number)]);
    let next = number.decide(set(json!(1.5)), &asked());
    assert_eq!(next, Ok(vec![was_set(json!(1.5), SettingType::Number)]));
    let says = "the setting's values are of type number, this one is of type string";
    assert_refused(number.decide(set(json!("1")), &asked()), Rule, "setting-wrong-type", says);
    let other = Set { value_type: Some(SettingType::Integer), ..set(json!(2)) };
    let says = "the setting's type was fixed as number when it was set first; asked integer";
    assert_refused(number.decide(other, &asked()), Rule, "setting-type-fixed", says);
    let whole = Set { value_type: Some(SettingType::Integer), ..set(json!(1.5)) };
    let says = "the setting's values are of type integer, this one is of type number";
    assert_refused(past([]).decide(whole, &asked()), Rule, "setting-wrong-type", says);
}

#[test]
fn null_is_no_value() {
    let says = "null is no value; unset the setting to take its value away";
    assert_refused(past([]).decide(set(Value::Null), &asked()), Invalid, "setting-null", says);
}

#[test]
fn the_same_again_is_nothing() {
    let before = past([was_set(json!("a"), SettingType::String)]);
    assert_eq!(before.decide(set(json!("a")), &asked()), NOTHING);
    let about = Set { about: Some(value("where mail goes")), ..set(json!("a")) };
    assert_eq!(before.decide(about, &asked()).map(|events| events.len()), Ok(1));
    let secret = past([was_hidden(json!("a"))]);
    let again = Set { is_secret: true, ..set(json!("a")) };
    assert_eq!(secret.decide(again, &asked()), NOTHING);
}

#[test]
fn it_is_unset_and_set_again_with_the_type_it_had() {
    let events = [was_set(json!("a"), SettingType::String), events::Unset {}.into()];
    let before = past(events[..1].to_vec());
    assert_eq!(before.decide(Unset {}, &asked()), Ok(vec![events[1].clone()]));
    let unset = past(events);
    assert_eq!(unset.decide(Unset {}, &asked()), NOTHING);
    let again = unset.decide(set(json!("a")), &asked());
    assert_eq!(again, Ok(vec![was_set(json!("a"), SettingType::String)]));
    assert!(unset.decide(set(json!(1)), &asked()).is_err());
    let never = past([]).decide(Unset {}, &asked());
    assert_refused(never, NotFound, "setting-not-found", "there is no such setting");
}

#[test]
fn a_secret_stays_one() {
    let secret = Set { is_secret: true, ..set(json!("hunter2")) };
    assert!(!format!("{secret:?}").contains("hunter2"));
    let decided = past([]).decide(secret.clone(), &asked());
    assert_eq!(decided, Ok(vec![was_hidden(json!("hunter2"))]));
    assert!(!format!("{decided:?}").contains("hunter2"));
    let hidden = past([was_hidden(json!("hunter2"))]);
    assert!(!format!("{:?}", hidden.state).contains("hunter2"));
    let says = "the setting is a secret and stays one: say is_secret with every value of it";
    let told = hidden.decide(set(json!("hunter3")), &asked());
    assert_refused(told, Rule, "setting-stays-secret", says);
    // What was told before can be kept from now on.
    let known = past([was_set(json!("hunter2"), SettingType::String)]);
    assert_eq!(known.decide(secret, &asked()), Ok(vec![was_hidden(json!("hunter2"))]));
}

#[test]
fn it_keeps_its_key() {
    let before = past([was_set(json!("a"), SettingType::String)]);
    let other = Set { key: value("mail.port"), ..set(json!("a")) };
    let says = "this setting's key is mail.host, and a setting keeps its key";
    assert_refused(before.decide(other, &asked()), Rule, "setting-other-key", says);
}

#[test]
fn a_value_has_a_bound() {
    let of = |bytes: usize| set(json!("x".repeat(bytes - 2)));
    assert!(past([]).decide(of(MAX_VALUE), &asked()).is_ok());
    let says = "a value of at most 65536 bytes is kept, this one has 65537";
    let over = past([]).decide(of(MAX_VALUE + 1), &asked());
    assert_refused(over, Invalid, "setting-too-large", says);
}

#[test]
fn its_key_is_claimed_once() {
    let event = was_set(json!("a"), SettingType::String);
    let first = Setting::default().effects(ID, &event);
    assert_eq!(first.claims, [Claim::new(KEY_CLAIM, "mail.host")]);
    assert_eq!(first.lifecycle, Lifecycle::Opens);
    assert_eq!(past([event.clone()]).state.effects(ID, &event), Effects::default());
    assert_eq!(Setting::default().owner(ID, &Unset {}.into()), None);
}
