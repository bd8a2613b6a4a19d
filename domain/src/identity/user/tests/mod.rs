mod description;
mod roles;
mod signing_in;

use super::commands::*;
use super::events::*;
use super::*;
use crate::aggregate::RefusalSort::{Exists, Forbidden, NotFound, Rule};
use crate::aggregate::{Given, fold, given};
use crate::context::Actor;
use crate::identity::bootstrap::system_users;
use crate::testing::*;

fn ada(events: impl IntoIterator<Item = UserEvent>) -> Given<User> {
    given(std::iter::once(registered(UserRole::User).into()).chain(events))
}

fn admin() -> Context {
    asked_as(UserRole::Admin)
}

fn themselves() -> Context {
    asked_as(UserRole::User)
}

fn at(minutes: i64) -> Context {
    Context { now: after_noon(minutes), ..admin() }
}

fn one(event: impl Into<UserEvent>) -> Result<Vec<UserEvent>, UserError> {
    Ok(vec![event.into()])
}

const TELLER: Uuid = Uuid::from_u128(0x7e11);

const NOTHING: Result<Vec<UserEvent>, UserError> = Ok(vec![]);

fn register() -> Register {
    let from = registered(UserRole::User);
    Register {
        username: from.username,
        email: from.email,
        full_name: from.full_name,
        first_name: None,
        last_name: None,
        phone: None,
        password_hash: from.password_hash,
        role: UserRole::User,
        verification_token_hash: from.verification_token_hash,
    }
}

fn deleted() -> UserEvent {
    Deleted { reason: None }.into()
}

fn suspended() -> UserEvent {
    Suspended { reason: None }.into()
}

fn failed(failures: u32, locked_until: Option<i64>) -> UserEvent {
    LoginFailed { failures, locked_until: locked_until.map(after_noon) }.into()
}

#[test]
fn registers_with_names_taken_apart() {
    let none = given::<User>([]);
    assert_eq!(none.decide(register(), &themselves()), one(registered(UserRole::User)));

    let alone = Register { full_name: personal(" Prince "), ..register() };
    let UserEvent::Registered(alone) = &none.decide(alone, &admin()).unwrap()[0] else { panic!() };
    assert_eq!((alone.first_name.as_str(), alone.last_name.as_str()), ("Prince", ""));

    let long = Register { full_name: personal(&"x".repeat(255)), ..register() };
    let UserEvent::Registered(long) = &none.decide(long, &admin()).unwrap()[0] else { panic!() };
    assert_eq!(long.first_name.as_str().len(), 100);

    let given_names = Register {
        first_name: Some(personal("A.")),
        last_name: Some(personal("L.")),
        ..register()
    };
    let UserEvent::Registered(named) = &none.decide(given_names, &admin()).unwrap()[0] else {
        panic!()
    };
    assert_eq!((named.first_name.as_str(), named.last_name.as_str()), ("A.", "L."));
}

#[test]
fn registers_once() {
    assert_refused(
        ada([]).decide(register(), &admin()),
        Exists,
        "user-already-registered",
        "this user is registered already",
    );
}

#[test]
fn only_administrators_give_roles_at_registration() {
    let manager = Register { role: UserRole::Manager, ..register() };
    assert_refused(
        given::<User>([]).decide(manager.clone(), &asked_as(UserRole::Manager)),
        Forbidden,
        "needs-administrator",
        "only an administrator may do this, and the actor's role is manager",
    );
    assert_eq!(given::<User>([]).decide(manager, &admin()), one(registered(UserRole::Manager)));
}

/// One of each command but Register.
fn others() -> Vec<UserCommand> {
    let hash: SecretHash = value(&"2".repeat(64));
    vec![
        VerifyEmail { token_hash: hash.clone() }.into(),
        RequestVerification { verification_token_hash: hash.clone() }.into(),
        ChangeEmail { email: personal("a@b.cz"), verification_token_hash: hash }.into(),
        ChangeUsername { username: personal("ada2") }.into(),
        ChangeProfile { full_name: Some(personal("A")), ..ChangeProfile::default() }.into(),
        ChangePassword { password_hash: value("!") }.into(),
        ChangeRole { role: UserRole::Viewer }.into(),
        AssignRole { role_id: TELLER }.into(),
        UnassignRole { role_id: TELLER }.into(),
        Unlock {}.into(),
        Suspend { reason: None }.into(),
        Reactivate {}.into(),
        RecordLogin {}.into(),
        RecordFailedLogin {}.into(),
        CloseSessions { reason: None }.into(),
        Deactivate {}.into(),
        Delete { reason: None }.into(),
        Restore {}.into(),
    ]
}

#[test]
fn nothing_is_asked_of_nobody() {
    for command in others() {
        let result = given::<User>([]).decide(command, &admin());
        assert_refused(result, NotFound, "user-not-found", "there is no such user");
    }
}

#[test]
fn parts_of_the_service_neither_change_nor_sign_in() {
    let says = "this user is a part of the service: it neither changes nor signs in";
    for (_, event) in system_users() {
        for command in others() {
            let result = given::<User>([event.clone()]).decide(command, &asked_by(Actor::system()));
            assert_refused(result, Rule, "system-user", says);
        }
    }
}

#[test]
fn a_deleted_user_is_only_restored() {
    for command in others() {
        let result = ada([deleted()]).decide(command.clone(), &admin());
        match &command {
            UserCommand::Delete(_) | UserCommand::CloseSessions(_) => assert_eq!(result, NOTHING),
            UserCommand::Restore(_) => {
                assert_eq!(result, one(Restored { status: UserStatus::Active }));
            }
            UserCommand::RecordLogin(_) | UserCommand::RecordFailedLogin(_) => {
                assert_refused(result, Rule, "user-not-active", "the user is deleted, not active");
            }
            _ => {
                let says = "the user is deleted; restore them first";
                assert_refused(result, Rule, "user-deleted", says);
            }
        }
    }
}

#[test]
fn some_things_need_an_administrator() {
    let commands: [UserCommand; 7] = [
        ChangeRole { role: UserRole::Admin }.into(),
        AssignRole { role_id: TELLER }.into(),
        UnassignRole { role_id: TELLER }.into(),
        Unlock {}.into(),
        Suspend { reason: None }.into(),
        Reactivate {}.into(),
        Restore {}.into(),
    ];
    for role in UserRole::ALL.iter().filter(|role| **role != UserRole::Admin) {
        for command in &commands {
            assert_refused(
                ada([]).decide(command.clone(), &asked_as(*role)),
                Forbidden,
                "needs-administrator",
                &format!("only an administrator may do this, and the actor's role is {role}"),
            );
        }
    }
}

#[test]
fn the_email_is_verified_by_the_last_token_once() {
    let verify = |digit: &str| VerifyEmail { token_hash: value(&digit.repeat(64)) };
    let verified = EmailVerified { email: personal("Ada@Example.com") };
    assert_eq!(ada([]).decide(verify("1"), &themselves()), one(verified.clone()));
    assert_eq!(ada([verified.clone().into()]).decide(verify("1"), &themselves()), NOTHING);

    let says = "this is not the verification token that was made last for the user's email";
    let wrong = ada([]).decide(verify("2"), &themselves());
    assert_refused(wrong, Rule, "wrong-verification-token", says);

    let new = VerificationRequested { verification_token_hash: value(&"3".repeat(64)) };
    let asked = RequestVerification { verification_token_hash: value(&"3".repeat(64)) };
    assert_eq!(ada([]).decide(asked.clone(), &themselves()), one(new.clone()));
    assert_eq!(ada([new.clone().into()]).decide(asked.clone(), &themselves()), NOTHING);
    assert_eq!(ada([verified.into()]).decide(asked, &themselves()), NOTHING);
    let old = ada([new.into()]).decide(verify("1"), &themselves());
    assert_refused(old, Rule, "wrong-verification-token", says);
}

#[test]
fn a_changed_email_is_to_be_verified_again() {
    let change = |email: &str| ChangeEmail {
        email: personal(email),
        verification_token_hash: value(&"4".repeat(64)),
    };
    let changed = EmailChanged {
        from: personal("Ada@Example.com"),
        to: personal("ada@new.cz"),
        verification_token_hash: value(&"4".repeat(64)),
    };
    let verified: UserEvent = EmailVerified { email: personal("Ada@Example.com") }.into();
    assert_eq!(ada([]).decide(change("ada@new.cz"), &themselves()), one(changed.clone()));
    assert_eq!(ada([]).decide(change("Ada@Example.com"), &themselves()), NOTHING);
    let state: User = ada([verified, changed.into()]).state;
    assert!(!state.person().unwrap().is_verified);
}

#[test]
fn username_password_and_role_change_once() {
    let renamed = UsernameChanged { from: personal("ada"), to: personal("countess") };
    let rename = ChangeUsername { username: personal("countess") };
    assert_eq!(ada([]).decide(rename.clone(), &themselves()), one(renamed.clone()));
    assert_eq!(ada([renamed.into()]).decide(rename, &themselves()), NOTHING);

    let hash: PasswordHash = value("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW");
    let changed = PasswordChanged { password_hash: hash.clone() };
    let change = ChangePassword { password_hash: hash };
    assert_eq!(ada([]).decide(change.clone(), &themselves()), one(changed.clone()));
    assert_eq!(ada([changed.into()]).decide(change, &themselves()), NOTHING);

    let promoted = RoleChanged { from: UserRole::User, to: UserRole::Admin };
    let promote = ChangeRole { role: UserRole::Admin };
    assert_eq!(ada([]).decide(promote.clone(), &admin()), one(promoted.clone()));
    assert_eq!(ada([promoted.into()]).decide(promote, &admin()), NOTHING);
}

#[test]
fn a_profile_changes_as_far_as_it_is_given() {
    let changed = |full: &str, first: &str, last: &str, phone: Option<&str>| ProfileChanged {
        full_name: personal(full),
        first_name: personal(first),
        last_name: personal(last),
        phone: phone.map(personal),
    };
    let decide = |json: &str| {
        let reachable = changed("Ada King Lovelace", "Ada", "King Lovelace", Some("+44 1"));
        let reachable = ProfileChanged { phone: Some(personal("+44 123")), ..reachable };
        let command = UserCommand::decode("change_profile", json).expect(json);
        ada([reachable.into()]).decide(command, &themselves())
    };
    use crate::message::CommandMessage;
    assert_eq!(decide("{}"), NOTHING);
    assert_eq!(decide(r#"{"full_name":"Ada King Lovelace","phone":"+44 123"}"#), NOTHING);
    assert_eq!(
        decide(r#"{"full_name":"Ada Byron"}"#),
        one(changed("Ada Byron", "Ada", "Byron", Some("+44 123")))
    );
    assert_eq!(
        decide(r#"{"last_name":"Lovelace"}"#),
        one(changed("Ada King Lovelace", "Ada", "Lovelace", Some("+44 123")))
    );
    assert_eq!(
        decide(r#"{"phone":null}"#),
        one(changed("Ada King Lovelace", "Ada", "King Lovelace", None))
    );
}

#[test]
fn users_are_barred_put_to_rest_and_brought_back() {
    let rested = || -> UserEvent { Deactivated {}.into() };
    let bar = || Suspend { reason: Some(value("fraud")) };
    let barred = Suspended { reason: Some(value("fraud")) };
    assert_eq!(ada([]).decide(bar(), &admin()), one(barred.clone()));
    assert_eq!(ada([rested()]).decide(bar(), &admin()), one(barred));
    assert_eq!(ada([suspended()]).decide(bar(), &admin()), NOTHING);

    assert_eq!(ada([]).decide(Deactivate {}, &themselves()), one(Deactivated {}));
    assert_eq!(ada([rested()]).decide(Deactivate {}, &themselves()), NOTHING);
    let says = "the user is suspended, not active";
    let lifted = ada([suspended()]).decide(Deactivate {}, &themselves());
    assert_refused(lifted, Rule, "user-not-active", says);

    for past in [suspended(), rested()] {
        assert_eq!(ada([past]).decide(Reactivate {}, &admin()), one(Reactivated {}));
    }
    assert_eq!(ada([]).decide(Reactivate {}, &admin()), NOTHING);
}

#[test]
fn a_restored_user_stands_as_before() {
    let delete = || Delete { reason: None };
    assert_eq!(ada([]).decide(delete(), &themselves()), one(Deleted { reason: None }));
    assert_eq!(ada([]).decide(Restore {}, &admin()), NOTHING);
    let events = ada([suspended(), deleted()]).decide(Restore {}, &admin());
    assert_eq!(events, one(Restored { status: UserStatus::Suspended }));
    let back = ada([suspended(), deleted(), events.unwrap().remove(0)]);
    assert_eq!(back.state.status(), Some(UserStatus::Suspended));
}

#[test]
fn who_owns_an_organization_is_not_deleted() {
    let owning = |n: u128| UserFacts { owns: (1..=n).map(Uuid::from_u128).collect(), role: None };
    let delete = |n| ada([]).knowing(owning(n)).decide(Delete { reason: None }, &admin());
    let id = Uuid::from_u128;
    let todo = "make another member the owner and have this one leave, or delete the organization; then delete the user";
    let says = format!("the user owns the organization {}: {todo}", id(1));
    assert_refused(delete(1), Rule, "owns-organizations", &says);
    let says = format!("the user owns the organizations {}, {}: {todo}", id(1), id(2));
    assert_refused(delete(2), Rule, "owns-organizations", &says);
    let many = delete(11).expect_err("a refusal").to_string();
    assert!(many.contains(&id(10).to_string()) && many.contains(" and more: "), "{many}");
    assert!(!many.contains(&id(11).to_string()), "{many}");
    // Whoever is deleted already owns nothing that is there.
    assert_eq!(
        ada([deleted()]).knowing(owning(1)).decide(Delete { reason: None }, &admin()),
        NOTHING
    );
    // A suspended owner stays one.
    let suspend = ada([]).knowing(owning(1)).decide(Suspend { reason: None }, &admin());
    assert_eq!(suspend, one(Suspended { reason: None }));
}

#[test]
fn email_and_username_are_claimed_without_case_and_kept_by_the_deleted() {
    let before = User::default();
    let effects = before.effects(ADA, &registered(UserRole::User).into());
    assert_eq!(effects.lifecycle, Lifecycle::Opens);
    let claims = [Claim::new("user.email", "ada@example.com"), Claim::new("user.username", "ada")];
    assert_eq!(effects.claims, claims);

    let state: User = fold(&[registered(UserRole::User).into()]);
    let delete = state.effects(ADA, &deleted());
    assert_eq!(delete, Effects { lifecycle: Lifecycle::Closes, ..Effects::default() });
    let restore = state.effects(ADA, &Restored { status: UserStatus::Active }.into());
    assert_eq!(restore, Effects { lifecycle: Lifecycle::Reopens, ..Effects::default() });

    let moves = |to: &str| {
        let event = UsernameChanged { from: personal("ada"), to: personal(to) };
        state.effects(ADA, &event.into())
    };
    assert_eq!(moves("Countess").claims, [Claim::new("user.username", "countess")]);
    assert_eq!(moves("Countess").releases, [Claim::new("user.username", "ada")]);
    assert_eq!(moves("ADA"), Effects::default(), "only the case changed");
}
