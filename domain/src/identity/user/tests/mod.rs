mod description;
mod roles;

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
fn only_active_users_sign_in() {
    assert_eq!(ada([]).decide(RecordLogin {}, &admin()), one(LoggedIn {}));
    for (event, says) in [
        (suspended(), "the user is suspended, not active"),
        (Deactivated {}.into(), "the user is inactive, not active"),
        (deleted(), "the user is deleted, not active"),
    ] {
        let past = ada([event]);
        assert_refused(past.decide(RecordLogin {}, &admin()), Rule, "user-not-active", says);
        assert_refused(past.decide(RecordFailedLogin {}, &admin()), Rule, "user-not-active", says);
    }
}

#[test]
fn five_failures_in_a_row_lock_for_fifteen_minutes() {
    let fail = |past: Given<User>, minutes| past.decide(RecordFailedLogin {}, &at(minutes));
    assert_eq!(fail(ada([]), 0), Ok(vec![failed(1, None)]));
    assert_eq!(fail(ada([failed(3, None)]), 0), Ok(vec![failed(4, None)]));
    assert_eq!(fail(ada([failed(4, None)]), 0), Ok(vec![failed(5, Some(15))]));
    // A success in between begins anew.
    assert_eq!(fail(ada([failed(4, None), LoggedIn {}.into()]), 0), Ok(vec![failed(1, None)]));

    let locked = || ada([failed(5, Some(15))]);
    let says =
        "after 5 failures in a row nobody can sign in as this user until 2023-11-14T22:28:20Z";
    assert_refused(locked().decide(RecordLogin {}, &at(14)), Rule, "user-locked", says);
    assert_eq!(fail(locked(), 14), NOTHING, "the lock is not stretched");
    assert_eq!(locked().decide(RecordLogin {}, &at(15)), one(LoggedIn {}));
    assert_eq!(fail(locked(), 15), Ok(vec![failed(1, None)]), "the count begins anew");
}

#[test]
fn locks_go_by_when_it_happened() {
    let later = Context { occurred_at: Some(after_noon(0)), ..at(60) };
    let past = ada([failed(5, Some(15))]);
    assert!(past.decide(RecordLogin {}, &later).is_err());
    assert!(past.decide(RecordLogin {}, &at(60)).is_ok());
}

#[test]
fn a_lock_is_opened_by_an_administrator() {
    let past = ada([failed(5, Some(15))]);
    assert_eq!(past.decide(Unlock {}, &admin()), one(Unlocked {}));
    assert_eq!(ada([]).decide(Unlock {}, &admin()), NOTHING);
    let open = ada([failed(5, Some(15)), Unlocked {}.into()]);
    assert_eq!(open.decide(RecordLogin {}, &admin()), one(LoggedIn {}));
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
