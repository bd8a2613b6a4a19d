use super::commands::*;
use super::events::*;
use super::*;
use crate::aggregate::RefusalSort::{Exists, Forbidden, Invalid, NotFound, Rule};
use crate::aggregate::{Given, fold, given};
use crate::context::Actor;
use crate::organizations::organization::{OrganizationEvent, events as organization};
use crate::testing::*;
use crate::values::{PlanTier, UserRole, UserStatus};

type Decision = Result<Vec<SessionEvent>, SessionError>;

const NOTHING: Decision = Ok(vec![]);
const ORG: Uuid = Uuid::from_u128(0x0c);
const DAY: i64 = 24 * 60;

fn one(event: impl Into<SessionEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn opened(org_id: Option<Uuid>, minutes: i64) -> Opened {
    let token_hash = value(&"1".repeat(64));
    Opened { user_id: ADA, org_id, token_hash, expires_at: after_noon(minutes) }
}

fn open(org_id: Option<Uuid>, minutes: Option<i64>) -> Open {
    let Opened { user_id, org_id, token_hash, .. } = opened(org_id, 0);
    Open { user_id, org_id, token_hash, expires_at: minutes.map(after_noon) }
}

fn extend(minutes: i64) -> Extend {
    Extend { expires_at: Some(after_noon(minutes)) }
}

fn extended(minutes: i64) -> Extended {
    Extended { user_id: ADA, org_id: None, expires_at: after_noon(minutes) }
}

fn closed(reason: Option<&str>) -> Closed {
    Closed { user_id: ADA, org_id: None, reason: reason.map(value) }
}

fn expired() -> SessionEvent {
    Expired { user_id: ADA, org_id: None }.into()
}

/// An organization that Ada began, and what happened to it then.
fn organization(events: impl IntoIterator<Item = OrganizationEvent>) -> Organization {
    let created =
        organization::Created { name: value("Oakford"), plan_tier: PlanTier::Free, owner_id: ADA };
    let events: Vec<_> = std::iter::once(created.into()).chain(events).collect();
    fold(&events)
}

fn knowing(status: UserStatus) -> SessionFacts {
    SessionFacts { user: Some(user(UserRole::User, status)), organization: Some(organization([])) }
}

/// A past, with an active user who is a member.
fn past(events: impl IntoIterator<Item = SessionEvent>) -> Given<Session> {
    given(events).knowing(knowing(UserStatus::Active))
}

/// An hour's session.
fn hour(events: impl IntoIterator<Item = SessionEvent>) -> Given<Session> {
    past(std::iter::once(opened(None, 60).into()).chain(events))
}

fn ada() -> Context {
    asked_by(actor(ADA, UserRole::User))
}

fn at(minutes: i64) -> Context {
    Context { now: after_noon(minutes), ..ada() }
}

#[test]
fn is_opened_once_for_a_day_unless_told() {
    assert_eq!(past([]).decide(open(None, None), &ada()), one(opened(None, DAY)));
    assert_eq!(past([]).decide(open(None, Some(5)), &ada()), one(opened(None, 5)));
    for past in [hour([]), hour([closed(None).into()]), hour([expired()])] {
        let says = "this session is opened already";
        let again = past.decide(open(None, None), &ada());
        assert_refused(again, Exists, "session-already-opened", says);
    }
}

#[test]
fn only_active_people_have_sessions() {
    for (status, says) in [
        (UserStatus::Inactive, "inactive"),
        (UserStatus::Suspended, "suspended"),
        (UserStatus::Deleted, "deleted"),
    ] {
        let result = past([]).knowing(knowing(status)).decide(open(None, None), &ada());
        let says = format!("{ADA} is {says}, not active");
        assert_refused(result, Rule, "user-not-active", &says);
    }
    let nobody = past([]).knowing(SessionFacts::default()).decide(open(None, None), &ada());
    let says = format!("there is no user {ADA} to have a session");
    assert_refused(nobody, Rule, "no-such-user", &says);
    let (_, system) = crate::identity::bootstrap::system_users()[0].clone();
    let facts = SessionFacts { user: Some(fold(&[system])), organization: None };
    let system = past([]).knowing(facts).decide(open(None, None), &ada());
    let says = format!("{ADA} is a part of the service, which does not sign in");
    assert_refused(system, Rule, "system-user", &says);
}

#[test]
fn whoever_opens_a_session_learns_its_token() {
    let admin = asked_by(actor(BOB, UserRole::Admin));
    assert!(past([]).decide(open(None, None), &admin).is_ok());
    for role in UserRole::ALL.iter().filter(|role| **role != UserRole::Admin) {
        let result = past([]).decide(open(None, None), &asked_by(actor(BOB, *role)));
        let says = format!("the session is {ADA}'s: only they or an administrator may do this");
        assert_refused(result, Forbidden, "not-your-session", &says);
    }
    let limited = |scopes: &[&str]| {
        let scopes = Some(scopes.iter().map(|&scope| scope.to_owned()).collect());
        asked_by(Actor { scopes, ..actor(ADA, UserRole::User) })
    };
    assert!(past([]).decide(open(None, None), &limited(&["*"])).is_ok());
    for scopes in [&["identity.session:*"][..], &["*:open"], &[]] {
        let result = past([]).decide(open(None, None), &limited(scopes));
        let says = "a session has no limits, so a key that has some opens none";
        assert_refused(result, Forbidden, "session-beyond-key", says);
    }
}

#[test]
fn a_session_is_on_behalf_of_an_organization_that_the_user_is_in() {
    assert_eq!(past([]).decide(open(Some(ORG), None), &ada()), one(opened(Some(ORG), DAY)));
    let deleted =
        organization::Deleted { resources: vec![], sessions_closed: 0, reason: None }.into();
    let another = organization::Created {
        name: value("Elsewhere"),
        plan_tier: PlanTier::Free,
        owner_id: BOB,
    };
    for organization in
        [None, Some(organization([deleted])), Some(fold(&[OrganizationEvent::from(another)]))]
    {
        let facts = SessionFacts { organization, ..knowing(UserStatus::Active) };
        let result = past([]).knowing(facts).decide(open(Some(ORG), None), &ada());
        let says = format!("{ADA} is not a member of the organization {ORG}");
        assert_refused(result, Rule, "not-a-member", &says);
    }
}

#[test]
fn it_ends_in_the_future_and_within_ninety_days() {
    let latest = 90 * DAY;
    assert!(past([]).decide(open(None, Some(latest)), &ada()).is_ok());
    assert!(hour([]).decide(extend(latest), &ada()).is_ok());
    let says =
        "a session ends in the future: 2023-11-14T22:13:20Z is not after 2023-11-14T22:13:20Z";
    assert_refused(
        past([]).decide(open(None, Some(0)), &ada()),
        Invalid,
        "expiry-not-in-future",
        says,
    );
    let says =
        "a session lasts 90 days at most: 2024-02-12T22:14:20Z is after 2024-02-12T22:13:20Z";
    for result in [
        past([]).decide(open(None, Some(latest + 1)), &ada()),
        hour([]).decide(extend(latest + 1), &ada()),
    ] {
        assert_refused(result, Invalid, "session-too-long", says);
    }
}

#[test]
fn it_is_extended_and_never_shortened() {
    assert_eq!(hour([]).decide(extend(90), &ada()), one(extended(90)));
    assert_eq!(hour([]).decide(extend(60), &ada()), NOTHING);
    assert_eq!(hour([]).decide(Extend { expires_at: None }, &ada()), one(extended(DAY)));
    let longer = hour([extended(3 * DAY).into()]);
    assert_eq!(longer.decide(Extend { expires_at: None }, &ada()), NOTHING);
    let says = "the session ends at 2023-11-14T23:13:20Z, and extending it does not shorten it: 2023-11-14T22:43:20Z is before that";
    assert_refused(hour([]).decide(extend(30), &ada()), Rule, "session-not-shortened", says);
}

#[test]
fn only_for_an_active_user_it_is_extended() {
    for status in [UserStatus::Inactive, UserStatus::Suspended, UserStatus::Deleted] {
        let says = format!("{ADA} is {status}, not active");
        for wanted in [extend(90), Extend { expires_at: None }] {
            let refused = hour([]).knowing(knowing(status)).decide(wanted, &ada());
            assert_refused(refused, Rule, "user-not-active", &says);
        }
        let close = Close { reason: None };
        assert!(hour([]).knowing(knowing(status)).decide(close, &ada()).is_ok());
    }
}

#[test]
fn what_ended_is_not_extended() {
    let says = "the session is closed; open another one";
    let over = hour([closed(None).into()]).decide(extend(90), &ada());
    assert_refused(over, Rule, "session-closed", says);
    let says = "the session has expired; open another one";
    for past in [hour([expired()]), hour([])] {
        assert_refused(past.decide(extend(90), &at(60)), Rule, "session-expired", says);
    }
}

#[test]
fn it_is_closed_once_and_for_good() {
    let close = || Close { reason: Some(value("left")) };
    assert_eq!(hour([]).decide(close(), &ada()), one(closed(Some("left"))));
    for past in [hour([closed(None).into()]), hour([expired()])] {
        assert_eq!(past.decide(close(), &ada()), NOTHING);
        assert_eq!(past.decide(Expire {}, &at(60)), NOTHING);
    }
}

#[test]
fn it_expires_when_its_time_has_come() {
    assert_eq!(hour([]).decide(Expire {}, &at(60)), Ok(vec![expired()]));
    let says = "the session ends at 2023-11-14T23:13:20Z, not before";
    assert_refused(hour([]).decide(Expire {}, &at(59)), Rule, "session-not-due", says);
    let longer = hour([extended(90).into()]).decide(Expire {}, &at(60));
    assert!(longer.is_err(), "{longer:?}");
}

#[test]
fn it_is_its_users_or_an_administrators() {
    let says = format!("the session is {ADA}'s: only they or an administrator may do this");
    for role in UserRole::ALL {
        let context = asked_by(actor(BOB, *role));
        for command in
            [SessionCommand::from(extend(90)), SessionCommand::from(Close { reason: None })]
        {
            let result = hour([]).decide(command, &context);
            if *role == UserRole::Admin {
                assert!(result.is_ok());
            } else {
                assert_refused(result, Forbidden, "not-your-session", &says);
            }
        }
    }
}

#[test]
fn nothing_is_asked_of_what_was_never_opened() {
    let commands: [SessionCommand; 3] =
        [extend(90).into(), Close { reason: None }.into(), Expire {}.into()];
    for command in commands {
        let result = past([]).decide(command, &ada());
        assert_refused(result, NotFound, "session-not-found", "there is no such session");
    }
}

#[test]
fn it_holds_its_user_and_organization_until_it_ends() {
    let state = Session::default();
    let effects = state.effects(BOB, &opened(Some(ORG), 60).into());
    assert_eq!(effects.lifecycle, Lifecycle::Opens);
    assert_eq!(effects.references, [ADA, ORG]);
    let until = |minutes| {
        [ADA, ORG].map(|target| Hold { target, expires_at: Some(after_noon(minutes)) }).to_vec()
    };
    assert_eq!(effects.holds, until(60));
    assert_eq!(effects.claims, [Claim::new("session.token_hash", "1".repeat(64))]);

    let longer = Extended { org_id: Some(ORG), ..extended(90) };
    assert_eq!(state.effects(BOB, &longer.into()).holds, until(90));
    let over: [SessionEvent; 2] = [
        Closed { org_id: Some(ORG), ..closed(None) }.into(),
        Expired { user_id: ADA, org_id: Some(ORG) }.into(),
    ];
    for event in over {
        let effects = state.effects(BOB, &event);
        assert_eq!((effects.lifecycle, effects.unholds), (Lifecycle::Closes, vec![ADA, ORG]));
        assert!(effects.releases.is_empty(), "a token is never used again");
    }
}

#[test]
fn it_is_closed_along_with_others_while_it_is_open() {
    let why = || Some(value("all of them"));
    assert_eq!(hour([]).state.closed_with_others(why()), Some(closed(Some("all of them")).into()));
    for past in [past([]), hour([closed(None).into()]), hour([expired()])] {
        assert_eq!(past.state.closed_with_others(why()), None);
    }
}
