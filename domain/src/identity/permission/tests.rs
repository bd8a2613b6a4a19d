use super::*;
use crate::aggregate::RefusalSort::{Exists, NotFound, Rule};
use crate::aggregate::{Given, fold, given};
use crate::testing::*;
use crate::values::UserRole;

const NOTHING: Decision = Ok(vec![]);

fn defined() -> Defined {
    Defined {
        name: value("withdraw anywhere"),
        resource: value("banking.account"),
        action: value("withdraw"),
        description: Some(value("for the counter")),
    }
}

fn define() -> Define {
    let Defined { name, resource, action, description } = defined();
    Define { name, resource, action, description }
}

fn described(name: &str, description: Option<&str>) -> Described {
    Described { from_name: defined().name, name: value(name), description: description.map(value) }
}

fn removed() -> PermissionEvent {
    Removed { reason: None }.into()
}

fn past(events: impl IntoIterator<Item = PermissionEvent>) -> Given<Permission> {
    given(std::iter::once(defined().into()).chain(events))
}

fn admin() -> Context {
    asked_as(UserRole::Admin)
}

#[test]
fn is_defined_once() {
    assert_eq!(given::<Permission>([]).decide(define(), &admin()), one(defined()));
    for past in [past([]), past([removed()])] {
        let says = "this permission is defined already";
        let again = past.decide(define(), &admin());
        assert_refused(again, Exists, "permission-already-defined", says);
    }
}

#[test]
fn name_and_description_change_as_far_as_they_are_given() {
    let decide = |json: &str| {
        use crate::message::CommandMessage;
        let command = PermissionCommand::decode("describe", json).expect(json);
        past([]).decide(command, &admin())
    };
    assert_eq!(decide("{}"), NOTHING);
    assert_eq!(decide(r#"{"name":"withdraw anywhere","description":"for the counter"}"#), NOTHING);
    assert_eq!(decide(r#"{"name":"counter"}"#), one(described("counter", Some("for the counter"))));
    assert_eq!(decide(r#"{"description":null}"#), one(described("withdraw anywhere", None)));
    assert_eq!(
        decide(r#"{"name":"counter","description":"new"}"#),
        one(described("counter", Some("new")))
    );
}

#[test]
fn is_removed_once_and_for_good() {
    let remove = || Remove { reason: Some(value("unused")) };
    let gone = Removed { reason: Some(value("unused")) };
    assert_eq!(past([]).decide(remove(), &admin()), one(gone));
    assert_eq!(past([removed()]).decide(remove(), &admin()), NOTHING);
    let describe = past([removed()]).decide(Describe::default(), &admin());
    let says = "the permission \"withdraw anywhere\" was removed; define another one";
    assert_refused(describe, Rule, "permission-removed", says);
    assert!(past([removed()]).state.standing().is_none() && past([]).state.standing().is_some());
}

#[test]
fn nothing_is_asked_of_what_was_never_defined() {
    let commands: [PermissionCommand; 2] =
        [Describe::default().into(), Remove { reason: None }.into()];
    for command in commands {
        let result = given::<Permission>([]).decide(command, &admin());
        assert_refused(result, NotFound, "permission-not-found", "there is no such permission");
    }
}

#[test]
fn its_name_and_what_it_permits_are_its_own_until_it_is_removed() {
    let claims = |name: &str| {
        vec![
            Claim::new("permission.name", name),
            Claim::new("permission.resource_action", "banking.account:withdraw"),
        ]
    };
    let state = Permission::default();
    let effects = state.effects(ADA, &defined().into());
    assert_eq!(effects.lifecycle, Lifecycle::Opens);
    assert_eq!(effects.claims, claims("withdraw anywhere"));

    let state: Permission = fold(&[defined().into()]);
    let renamed = state.effects(ADA, &described("counter", None).into());
    assert_eq!(renamed.claims, [Claim::new("permission.name", "counter")]);
    assert_eq!(renamed.releases, [Claim::new("permission.name", "withdraw anywhere")]);
    let same = state.effects(ADA, &described("withdraw anywhere", None).into());
    assert_eq!(same, Effects::default());

    let state: Permission = fold(&[defined().into(), described("counter", None).into()]);
    let gone = state.effects(ADA, &removed());
    assert_eq!((gone.lifecycle, gone.releases), (Lifecycle::Removes, claims("counter")));
}
