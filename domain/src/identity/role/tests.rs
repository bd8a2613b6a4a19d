use super::commands::*;
use super::events::*;
use super::*;
use crate::aggregate::RefusalSort::{Exists, NotFound, Rule};
use crate::aggregate::{Given, fold, given};
use crate::identity::permission::{self, PermissionEvent};
use crate::testing::*;
use crate::values::UserRole;

const NOTHING: Decision = Ok(vec![]);
const WITHDRAW: Uuid = Uuid::from_u128(0x11);
const DEPOSIT: Uuid = Uuid::from_u128(0x22);

fn created() -> Created {
    Created { name: value("teller"), description: Some(value("at the counter")), is_system: false }
}

fn described(name: &str, description: Option<&str>) -> Described {
    Described { from_name: created().name, name: value(name), description: description.map(value) }
}

fn granted(permission_id: Uuid) -> RoleEvent {
    PermissionGranted { permission_id }.into()
}

fn deleted(permissions: &[Uuid]) -> RoleEvent {
    Deleted { permissions: permissions.to_vec(), reason: None }.into()
}

fn permission(is_removed: bool) -> RoleFacts {
    let mut events: Vec<PermissionEvent> = vec![
        permission::Defined {
            name: value("p"),
            resource: value("*"),
            action: value("read"),
            description: None,
        }
        .into(),
    ];
    if is_removed {
        events.push(permission::Removed { reason: None }.into());
    }
    RoleFacts { permission: Some(fold(&events)) }
}

/// A past, with a permission that stands.
fn past(events: impl IntoIterator<Item = RoleEvent>) -> Given<Role> {
    given(std::iter::once(created().into()).chain(events)).knowing(permission(false))
}

fn built_in() -> Given<Role> {
    given([Created { is_system: true, ..created() }.into()]).knowing(permission(false))
}

fn admin() -> Context {
    asked_as(UserRole::Admin)
}

/// One of each command but Create.
fn others() -> Vec<RoleCommand> {
    vec![
        Describe { name: Some(value("x")), description: None }.into(),
        GrantPermission { permission_id: WITHDRAW }.into(),
        RevokePermission { permission_id: WITHDRAW }.into(),
        Delete { reason: None }.into(),
    ]
}

#[test]
fn is_created_once_and_never_as_a_built_in_one() {
    let create = || Create { name: value("teller"), description: Some(value("at the counter")) };
    assert_eq!(given::<Role>([]).decide(create(), &admin()), one(created()));
    for past in [past([]), past([deleted(&[])])] {
        let says = "this role is created already";
        assert_refused(past.decide(create(), &admin()), Exists, "role-already-created", says);
    }
}

#[test]
fn nothing_is_asked_of_what_was_never_created() {
    for command in others() {
        let result = given::<Role>([]).decide(command, &admin());
        assert_refused(result, NotFound, "role-not-found", "there is no such role");
    }
}

#[test]
fn a_built_in_role_neither_changes_nor_goes() {
    for command in others() {
        let says = "the role \"teller\" is built in: it neither changes nor goes";
        assert_refused(built_in().decide(command, &admin()), Rule, "system-role", says);
    }
}

#[test]
fn a_deleted_role_is_gone_for_good() {
    for command in others() {
        let again = matches!(command, RoleCommand::Delete(_));
        let result = past([deleted(&[])]).decide(command, &admin());
        if again {
            assert_eq!(result, NOTHING);
        } else {
            let says = "the role \"teller\" was deleted; create another one";
            assert_refused(result, Rule, "role-deleted", says);
        }
    }
    assert!(past([deleted(&[])]).state.standing().is_none() && past([]).state.standing().is_some());
}

#[test]
fn name_and_description_change_as_far_as_they_are_given() {
    let decide = |json: &str| {
        use crate::message::CommandMessage;
        past([]).decide(RoleCommand::decode("describe", json).expect(json), &admin())
    };
    assert_eq!(decide("{}"), NOTHING);
    assert_eq!(decide(r#"{"name":"teller","description":"at the counter"}"#), NOTHING);
    assert_eq!(decide(r#"{"name":"clerk"}"#), one(described("clerk", Some("at the counter"))));
    assert_eq!(decide(r#"{"description":null}"#), one(described("teller", None)));
}

#[test]
fn permissions_are_granted_and_revoked_once() {
    let grant = || GrantPermission { permission_id: WITHDRAW };
    let revoke = || RevokePermission { permission_id: WITHDRAW };
    assert_eq!(past([]).decide(grant(), &admin()), Ok(vec![granted(WITHDRAW)]));
    assert_eq!(past([granted(WITHDRAW)]).decide(grant(), &admin()), NOTHING);
    let revoked = PermissionRevoked { permission_id: WITHDRAW };
    assert_eq!(past([granted(WITHDRAW)]).decide(revoke(), &admin()), one(revoked.clone()));
    assert_eq!(past([]).decide(revoke(), &admin()), NOTHING);
    assert_eq!(past([granted(WITHDRAW), revoked.into()]).decide(revoke(), &admin()), NOTHING);
}

#[test]
fn only_a_permission_that_stands_is_granted() {
    for facts in [RoleFacts::default(), permission(true)] {
        let result =
            past([]).knowing(facts).decide(GrantPermission { permission_id: WITHDRAW }, &admin());
        let says = format!("there is no permission {WITHDRAW} to grant");
        assert_refused(result, Rule, "no-such-permission", &says);
    }
}

#[test]
fn a_role_grants_a_thousand_permissions_at_most() {
    let grants = |count: u128| (0..count).map(|n| granted(Uuid::from_u128(1_000 + n)));
    let grant = || GrantPermission { permission_id: WITHDRAW };
    assert_eq!(past(grants(999)).decide(grant(), &admin()), Ok(vec![granted(WITHDRAW)]));
    let says = "a role grants at most 1000 permissions, this one has 1000";
    let full = past(grants(1_000)).decide(grant(), &admin());
    assert_refused(full, Rule, "too-many-permissions", says);
}

#[test]
fn deleting_names_what_was_granted_to_the_last() {
    let past = past([granted(DEPOSIT), granted(WITHDRAW)]);
    let deletion = past.decide(Delete { reason: None }, &admin());
    assert_eq!(deletion, Ok(vec![deleted(&[WITHDRAW, DEPOSIT])]));
}

#[test]
fn it_holds_what_it_grants_and_gives_its_name_back() {
    let state = Role::default();
    let effects = state.effects(ADA, &created().into());
    assert_eq!(effects.lifecycle, Lifecycle::Opens);
    assert_eq!(effects.claims, [Claim::new("role.name", "teller")]);

    let state: Role = fold(&[created().into(), granted(WITHDRAW)]);
    let grant = state.effects(ADA, &granted(DEPOSIT));
    assert_eq!(grant.references, [DEPOSIT]);
    assert_eq!(grant.holds, [Hold { target: DEPOSIT, expires_at: None }]);
    let revoke = state.effects(ADA, &PermissionRevoked { permission_id: WITHDRAW }.into());
    assert_eq!(revoke.unholds, [WITHDRAW]);

    let renamed = state.effects(ADA, &described("clerk", None).into());
    assert_eq!(renamed.claims, [Claim::new("role.name", "clerk")]);
    assert_eq!(renamed.releases, [Claim::new("role.name", "teller")]);
    let same = state.effects(ADA, &described("teller", None).into());
    assert_eq!(same, Effects::default());

    let gone = state.effects(ADA, &deleted(&[WITHDRAW]));
    assert_eq!(gone.lifecycle, Lifecycle::Removes);
    assert_eq!(gone.releases, [Claim::new("role.name", "teller")]);
    assert_eq!(gone.unholds, [WITHDRAW]);
}
