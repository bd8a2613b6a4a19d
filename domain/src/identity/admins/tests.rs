use super::*;
use crate::aggregate::{fold, given};
use crate::identity::bootstrap::system_users;
use crate::identity::user::events::{
    Deactivated, Deleted, Reactivated, Restored, RoleChanged, Suspended,
};
use crate::testing::*;
use crate::values::{UserRole, UserStatus};

fn roster(users: &[Uuid]) -> Admins {
    let events: Vec<AdminsEvent> =
        users.iter().map(|user_id| Added { user_id: *user_id }.into()).collect();
    fold(&events)
}

fn follows(
    users: &[Uuid],
    before: &User,
    event: impl Into<UserEvent>,
) -> Result<Vec<AdminsEvent>, AdminsError> {
    let events = [event.into()];
    assert!(concerns(before, &events), "it must be asked at all");
    follow(&roster(users), ADA, before, &events, &asked_as(UserRole::Admin))
}

/// All that makes an administrator one no more.
fn departures() -> [UserEvent; 4] {
    [
        RoleChanged { from: UserRole::Admin, to: UserRole::Manager }.into(),
        Suspended { reason: None }.into(),
        Deactivated {}.into(),
        Deleted { reason: None }.into(),
    ]
}

#[test]
fn the_last_administrator_stays() {
    let ada = user(UserRole::Admin, UserStatus::Active);
    for event in departures() {
        let says = format!(
            "{ADA} is the last active administrator of 1: make another one before this one is \
             demoted, suspended, deactivated or deleted"
        );
        let refused = follows(&[ADA], &ada, event.clone());
        assert_refused(refused, RefusalSort::Rule, "last-administrator", &says);
        let removed = follows(&[ADA, BOB], &ada, event);
        assert_eq!(removed, Ok(vec![Removed { user_id: ADA }.into()]));
    }
}

#[test]
fn whoever_becomes_one_is_added() {
    let added = Ok(vec![Added { user_id: ADA }.into()]);
    let nobody = User::default();
    assert_eq!(follows(&[], &nobody, registered(UserRole::Admin)), added);
    let ada = user(UserRole::User, UserStatus::Active);
    let promoted = RoleChanged { from: UserRole::User, to: UserRole::Admin };
    assert_eq!(follows(&[BOB], &ada, promoted), added);
    let suspended = user(UserRole::Admin, UserStatus::Suspended);
    assert_eq!(follows(&[BOB], &suspended, Reactivated {}), added);
    let deleted = user(UserRole::Admin, UserStatus::Deleted);
    assert_eq!(follows(&[BOB], &deleted, Restored { status: UserStatus::Active }), added);
}

#[test]
fn what_changes_no_administrator_does_not_concern_it() {
    let admin = user(UserRole::Admin, UserStatus::Active);
    assert!(!concerns(&admin, &[]));
    assert!(!concerns(&User::default(), &[registered(UserRole::Manager).into()]));
    for event in departures() {
        assert!(!concerns(&user(UserRole::User, UserStatus::Active), &[event]));
    }
    let suspended = user(UserRole::Admin, UserStatus::Suspended);
    assert!(!concerns(&suspended, &[Deleted { reason: None }.into()]));
    for (_, event) in system_users() {
        assert!(!concerns(&User::default(), &[event]), "parts of the service do not count");
    }
}

#[test]
fn it_does_nothing_twice_and_opens_its_stream_once() {
    let context = asked_as(UserRole::Admin);
    let add = || Add { user_id: ADA };
    let added: AdminsEvent = Added { user_id: ADA }.into();
    assert_eq!(given::<Admins>([]).decide(add(), &context), Ok(vec![added.clone()]));
    assert_eq!(given::<Admins>([added.clone()]).decide(add(), &context), Ok(vec![]));
    let stranger = given::<Admins>([added.clone()]).decide(Remove { user_id: BOB }, &context);
    assert_eq!(stranger, Ok(vec![]));

    assert_eq!(roster(&[]).effects(ADMINS_STREAM, &added).lifecycle, Lifecycle::Opens);
    assert_eq!(roster(&[BOB]).effects(ADMINS_STREAM, &added), Effects::default());
}
