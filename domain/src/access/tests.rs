mod table;

use super::*;
use crate::context::{IMPORTER_USER, SYSTEM_USER};
use crate::testing::{ADA, actor, value};

use UserRole::{Admin, Auditor, Manager, User, Viewer};
use table::TABLE;

#[test]
fn roles_grant_what_the_table_says() {
    for (resource, action, marks) in TABLE {
        for (role, mark) in [Admin, Manager, User, Viewer, Auditor].into_iter().zip(marks.chars()) {
            let who = actor(ADA, role);
            let found = (may(&who, resource, action, false), may(&who, resource, action, true));
            let expected = match mark {
                'a' => (true, true),
                'o' => (false, true),
                '-' => (false, false),
                _ => panic!("{mark}"),
            };
            assert_eq!(found, expected, "{role}: {action} {resource}");
        }
    }
}

#[test]
fn the_table_has_every_command() {
    for aggregate in AGGREGATES {
        for command in aggregate.commands {
            let known = TABLE
                .iter()
                .any(|(kind, name, _)| (*kind, *name) == (aggregate.kind, command.name));
            assert!(known, "who may {} {}?", command.name, aggregate.kind);
        }
    }
}

fn with_scopes(role: UserRole, scopes: &[&str]) -> Actor {
    let scopes = Some(scopes.iter().map(|&scope| scope.to_owned()).collect());
    Actor { scopes, ..actor(ADA, role) }
}

#[test]
fn scopes_narrow() {
    let rows: &[(&[&str], &str, &str, bool)] = &[
        (&["*"], "banking.account", "withdraw", true),
        (&["*:*"], "banking.account", "withdraw", true),
        (&["banking.*:*"], "banking.account", "withdraw", true),
        (&["banking.account:*"], "banking.account", "withdraw", true),
        (&["banking.account:withdraw"], "banking.account", "withdraw", true),
        (&["log:read", "*:withdraw"], "banking.account", "withdraw", true),
        (&[], "banking.account", "withdraw", false),
        (&["banking.account:read"], "banking.account", "withdraw", false),
        (&["banking.account:with"], "banking.account", "withdraw", false),
        (&["banking.acc:withdraw"], "banking.account", "withdraw", false),
        (&["open_banking.*:*"], "banking.account", "withdraw", false),
        (&["banking.*:*"], "banking_extra.account", "withdraw", false),
        (&["identity.*:*"], "banking.account", "withdraw", false),
        (&["withdraw"], "banking.account", "withdraw", false),
        (&[""], "banking.account", "withdraw", false),
        (&["banking.account:read"], "banking.account", HISTORY, true),
        (&["banking.account:history"], "banking.account", READ, false),
        (&["log:read"], LOG, HISTORY, false),
        (&["log:history"], LOG, HISTORY, true),
    ];
    for (scopes, resource, action, expected) in rows {
        let found = may(&with_scopes(Admin, scopes), resource, action, false);
        assert_eq!(found, *expected, "{scopes:?}: {action} {resource}");
    }
}

#[test]
fn scopes_never_widen() {
    for (resource, action, _) in TABLE {
        for role in [Admin, Manager, User, Viewer, Auditor] {
            for own in [false, true] {
                let without = may(&actor(ADA, role), resource, action, own);
                let with_all = may(&with_scopes(role, &["*", "*:*"]), resource, action, own);
                assert_eq!(without, with_all, "{role}: {action} {resource}");
            }
        }
    }
}

#[test]
fn only_those_who_may_import_say_when() {
    for role in [Manager, User, Viewer, Auditor] {
        assert!(!may_say_when(&actor(ADA, role)), "{role}");
    }
    assert!(may_say_when(&actor(ADA, Admin)));
    assert!(may_say_when(&Actor::importer()) && Actor::importer().id == IMPORTER_USER);
    assert!(may_say_when(&Actor::system()) && Actor::system().id == SYSTEM_USER);
    assert!(!may_say_when(&with_scopes(Admin, &["banking.*:*"])));
    assert!(may_say_when(&with_scopes(Admin, &["log:import"])));
}

#[test]
fn a_scope_must_name_something_that_the_role_allows() {
    for (role, scope, expected) in [
        (User, "*", true),
        (User, "banking.account:withdraw", true),
        (User, "banking.account:*", true),
        (User, "banking.account:charge_fee", false),
        (User, "identity.user:suspend", false),
        (User, "log:*", false),
        (Viewer, "banking.account:withdraw", false),
        (Viewer, "banking.*:read", true),
        (Auditor, "log:history", true),
        (Manager, "platform.projector:retry", true),
        (Admin, "identity.user:suspend", true),
        (Admin, "identity.user:suspnd", false),
    ] {
        assert_eq!(grants_anything(role, &value(scope)), expected, "{role}: {scope}");
    }
}

#[test]
fn a_scope_is_within_others_when_they_name_all_of_it() {
    let who = with_scopes(User, &["banking.*:read", "identity.api_key:*"]);
    for (scope, expected) in [
        ("banking.account:read", true),
        ("banking.*:read", true),
        ("identity.api_key:*", true),
        ("banking.*:*", false),
        ("*:read", false),
        ("*", false),
    ] {
        assert_eq!(within_own_scopes(&who, &value(scope)), expected, "{scope}");
        assert!(within_own_scopes(&actor(ADA, User), &value(scope)), "no limit");
    }
}

#[test]
fn built_in_roles_that_were_assigned_add_up() {
    let who = Actor { roles: vec![Viewer, Auditor], ..actor(ADA, User) };
    assert!(may(&who, "banking.account", READ, false) && may(&who, LOG, HISTORY, false));
    assert!(may(&who, "banking.account", "withdraw", true), "what their own role allows");
    assert!(!may(&who, "banking.account", "withdraw", false));
    assert!(!who.is_admin() && !who.is_manager());
    let promoted = Actor { roles: vec![Admin], ..actor(ADA, User) };
    assert!(promoted.is_admin() && promoted.is_manager());
    assert!(may(&promoted, "identity.user", "suspend", false));
}

fn granted(grants: &[&str]) -> Actor {
    Actor { grants: grants.iter().map(|grant| value(grant)).collect(), ..actor(ADA, User) }
}

#[test]
fn what_roles_grant_is_allowed_whosever_it_is() {
    let rows: &[(&[&str], &str, &str, bool)] = &[
        (&["banking.account:withdraw"], "banking.account", "withdraw", true),
        (&["banking.account:withdraw"], "banking.account", "deposit", false),
        (&["banking.account:*"], "banking.account", "charge_fee", true),
        (&["banking.*:read"], "banking.account", READ, true),
        (&["banking.*:read"], "banking.account", HISTORY, true),
        (&["banking.*:read"], "banking.account", "withdraw", false),
        (&["open_banking.*:*"], "banking.account", READ, false),
        (&["*:read"], "identity.user", READ, true),
        (&["*:read"], LOG, READ, true),
        (&["*:read"], LOG, HISTORY, false),
        (&["*:suspend"], "identity.user", "suspend", true),
        (&["*:*"], LOG, IMPORT, true),
        (&[], "banking.account", READ, false),
    ];
    for (grants, resource, action, expected) in rows {
        let found = may(&granted(grants), resource, action, false);
        assert_eq!(found, *expected, "{grants:?}: {action} {resource}");
    }
}

#[test]
fn scopes_narrow_grants_too() {
    let who = Actor {
        scopes: Some(vec!["banking.account:read".to_owned()]),
        ..granted(&["banking.account:*"])
    };
    assert!(may(&who, "banking.account", READ, false));
    assert!(!may(&who, "banking.account", "withdraw", false));
}

const WITHIN: Whose = Whose { own: false, within: true };

fn member(role: MemberRole) -> Actor {
    Actor { tenant: Some(uuid::Uuid::from_u128(7)), tenant_role: Some(role), ..actor(ADA, User) }
}

/// Resource and action; then, of owner, admin, member and viewer, whether they may within it.
const MEMBERS: &[(&str, &str, &str)] = &[
    ("organizations.organization", READ, "yyyy"),
    ("organizations.organization", HISTORY, "yyyy"),
    ("organizations.organization", "create", "yyy-"),
    ("organizations.organization", "rename", "yyy-"),
    ("organizations.organization", "add_member", "yy--"),
    ("organizations.organization", "change_member_role", "yy--"),
    ("organizations.organization", "remove_member", "yy--"),
    ("organizations.organization", "change_plan", "yy--"),
    ("organizations.organization", "delete", "yy--"),
    ("organizations.organization", "restore", "yy--"),
    ("organizations.billing_account", "open", "yy--"),
    ("organizations.billing_account", "change_details", "yy--"),
    ("organizations.billing_account", "suspend", "yy--"),
    ("organizations.billing_account", "resume", "yy--"),
    ("organizations.billing_account", "close", "yy--"),
    ("organizations.billing_account", READ, "yyyy"),
    ("organizations.resource", "create", "yyy-"),
    ("organizations.resource", "rename", "yyy-"),
    ("organizations.resource", "set_metadata", "yyy-"),
    ("organizations.resource", "delete", "yyy-"),
    ("organizations.resource", "restore", "yyy-"),
    ("organizations.resource", READ, "yyyy"),
];

/// A new command of what organizations have is nobody's until somebody has said whose.
#[test]
fn the_members_table_has_every_command_of_organizations() {
    let theirs = AGGREGATES.iter().filter(|one| one.kind.starts_with("organizations."));
    for aggregate in theirs {
        for command in aggregate.commands {
            let known = MEMBERS
                .iter()
                .any(|(kind, name, _)| (*kind, *name) == (aggregate.kind, command.name));
            assert!(known, "which members may {} {}?", command.name, aggregate.kind);
        }
    }
}

#[test]
fn members_may_within_their_organization_what_the_table_says() {
    for (resource, action, marks) in MEMBERS {
        for (role, mark) in MemberRole::ALL.iter().rev().zip(marks.chars()) {
            let who = member(*role);
            let found = may(&who, resource, action, WITHIN);
            assert_eq!(found, mark == 'y', "{role}: {action} {resource}");
            assert!(!may(&who, resource, action, false), "{role}: elsewhere {action} {resource}");
        }
    }
}

#[test]
fn a_membership_counts_only_with_an_organization_and_within_the_keys_scopes() {
    let stray = Actor { tenant: None, ..member(MemberRole::Owner) };
    assert!(!may(&stray, "organizations.resource", "create", WITHIN));
    let none = Actor { tenant_role: None, ..member(MemberRole::Owner) };
    assert!(!may(&none, "organizations.resource", "create", WITHIN));
    let scopes = Some(vec!["organizations.resource:read".to_owned()]);
    let narrowed = Actor { scopes, ..member(MemberRole::Owner) };
    assert!(may(&narrowed, "organizations.resource", READ, WITHIN));
    assert!(!may(&narrowed, "organizations.resource", "create", WITHIN));
}
