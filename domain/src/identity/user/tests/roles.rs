//! Roles beside the built-in one.

use super::*;
use crate::identity::role::{self, RoleEvent};

fn role(is_deleted: bool) -> UserFacts {
    let mut events: Vec<RoleEvent> = vec![
        role::events::Created { name: value("teller"), description: None, is_system: false }.into(),
    ];
    if is_deleted {
        events.push(role::events::Deleted { permissions: vec![], reason: None }.into());
    }
    UserFacts { role: Some(fold(&events)), owns: Vec::new() }
}

fn assigned(role_id: Uuid) -> UserEvent {
    RoleAssigned { role_id }.into()
}

#[test]
fn a_role_is_assigned_and_unassigned_once() {
    let assign = || AssignRole { role_id: TELLER };
    let unassign = || UnassignRole { role_id: TELLER };
    let knowing = |events: Vec<UserEvent>| ada(events).knowing(role(false));
    assert_eq!(knowing(vec![]).decide(assign(), &admin()), Ok(vec![assigned(TELLER)]));
    assert_eq!(knowing(vec![assigned(TELLER)]).decide(assign(), &admin()), NOTHING);
    let unassigned = RoleUnassigned { role_id: TELLER };
    let past = knowing(vec![assigned(TELLER)]);
    assert_eq!(past.decide(unassign(), &admin()), one(unassigned.clone()));
    assert_eq!(knowing(vec![]).decide(unassign(), &admin()), NOTHING);
    let past = knowing(vec![assigned(TELLER), unassigned.into()]);
    assert_eq!(past.decide(unassign(), &admin()), NOTHING);
    assert_eq!(past.decide(assign(), &admin()), Ok(vec![assigned(TELLER)]), "once more");
}

#[test]
fn only_a_role_that_stands_is_assigned() {
    for facts in [UserFacts::default(), role(true)] {
        let result = ada([]).knowing(facts).decide(AssignRole { role_id: TELLER }, &admin());
        let says = format!("there is no role {TELLER} to assign");
        assert_refused(result, Rule, "no-such-role", &says);
    }
}

#[test]
fn a_user_has_a_hundred_roles_at_most() {
    let with = |count: u128| {
        ada((0..count).map(|n| assigned(Uuid::from_u128(1_000 + n)))).knowing(role(false))
    };
    let assign = || AssignRole { role_id: TELLER };
    assert_eq!(with(99).decide(assign(), &admin()), Ok(vec![assigned(TELLER)]));
    let says = "a user has at most 100 roles beside the built-in one, this one has 100";
    assert_refused(with(100).decide(assign(), &admin()), Rule, "too-many-roles", says);
}

#[test]
fn a_user_holds_the_roles_that_they_have() {
    let state: User = ada([]).state;
    let effects = state.effects(ADA, &assigned(TELLER));
    assert_eq!(effects.references, [TELLER]);
    assert_eq!(effects.holds, [Hold { target: TELLER, expires_at: None }]);
    let effects = state.effects(ADA, &RoleUnassigned { role_id: TELLER }.into());
    assert_eq!(effects.unholds, [TELLER]);
}

#[test]
fn who_was_granted_it_needs_not_be_an_administrator() {
    let actor =
        Actor { grants: vec![value("identity.user:suspend")], ..actor(BOB, UserRole::User) };
    let suspend = Suspend { reason: None };
    let context = asked_by(actor);
    assert_eq!(ada([]).decide(suspend, &context), one(Suspended { reason: None }));
    let result = ada([]).decide(Unlock {}, &context);
    let says = "only an administrator may do this, and the actor's role is user";
    assert_refused(result, Forbidden, "needs-administrator", says);
}
