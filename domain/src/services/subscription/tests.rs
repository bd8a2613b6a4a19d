use super::commands::*;
use super::events::*;
use super::*;
use crate::aggregate::RefusalSort::{Exists, Invalid, NotFound, Rule};
use crate::aggregate::{Given, fold, given};
use crate::services::service::ServiceEvent;
use crate::services::service::events as of_service;
use crate::testing::*;
use crate::values::{UserRole, UserStatus};

type Decision = Result<Vec<SubscriptionEvent>, SubscriptionError>;

const NOTHING: Decision = Ok(vec![]);
const SERVICE: Uuid = Uuid::from_u128(0x5e7);

fn one(event: impl Into<SubscriptionEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn object(text: &str) -> JsonObject {
    serde_json::from_str(text).expect(text)
}

fn subscribed(expires_at: Option<i64>) -> SubscriptionEvent {
    Subscribed {
        user_id: ADA,
        service_id: SERVICE,
        plan: value("basic"),
        expires_at: expires_at.map(after_noon),
        configuration: None,
    }
    .into()
}

fn subscribe(expires_at: Option<i64>) -> Subscribe {
    Subscribe {
        user_id: ADA,
        service_id: SERVICE,
        plan: value("basic"),
        expires_at: expires_at.map(after_noon),
        configuration: None,
    }
}

fn service(then: impl IntoIterator<Item = ServiceEvent>) -> Service {
    let registered = of_service::Registered {
        name: value("Backup"),
        service_type: value("storage"),
        description: None,
        configuration: None,
    };
    fold(&[ServiceEvent::from(registered)].into_iter().chain(then).collect::<Vec<_>>())
}

fn off_the_offer() -> Service {
    service([of_service::Deactivated { reason: None }.into()])
}

fn knowing(subscriber: UserStatus, service: Service) -> SubscriptionFacts {
    let subscriber = Some(user(UserRole::User, subscriber));
    SubscriptionFacts { subscriber, service: Some(service) }
}

/// A past, with an active subscriber and an active service.
fn past(events: impl IntoIterator<Item = SubscriptionEvent>) -> Given<Subscription> {
    given(events).knowing(knowing(UserStatus::Active, service([])))
}

fn asked(past: &Given<Subscription>, command: impl Into<SubscriptionCommand>) -> Decision {
    past.decide(command, &asked_as(UserRole::User))
}

fn asked_at(
    minutes: i64,
    past: &Given<Subscription>,
    command: impl Into<SubscriptionCommand>,
) -> Decision {
    past.decide(command, &Context { now: after_noon(minutes), ..asked_as(UserRole::User) })
}

fn renew(minutes: i64) -> Renew {
    Renew { expires_at: after_noon(minutes) }
}

#[test]
fn begins_once_for_an_active_subscriber() {
    assert_eq!(asked(&past([]), subscribe(None)), Ok(vec![subscribed(None)]));
    assert_eq!(asked(&past([]), subscribe(Some(1))), Ok(vec![subscribed(Some(1))]));
    let again = asked(&past([subscribed(None)]), subscribe(None));
    let says = "this subscription has begun already";
    assert_refused(again, Exists, "subscription-already-begun", says);

    for subscriber in [None, Some(User::default())] {
        let facts = SubscriptionFacts { subscriber, service: Some(service([])) };
        let says = format!("there is no user {ADA} to subscribe");
        let result = asked(&given([]).knowing(facts), subscribe(None));
        assert_refused(result, Rule, "subscriber-not-found", &says);
    }
    for status in [UserStatus::Inactive, UserStatus::Suspended, UserStatus::Deleted] {
        let says = format!("the subscriber {ADA} is {status}, not active");
        let result = asked(&given([]).knowing(knowing(status, service([]))), subscribe(None));
        assert_refused(result, Rule, "subscriber-not-active", &says);
    }
}

#[test]
fn the_service_is_active_when_it_is_begun_renewed_or_changed() {
    let change = || ChangePlan { plan: value("gold") };
    let all = |facts: SubscriptionFacts| {
        let known = |events: Vec<SubscriptionEvent>| given(events).knowing(facts.clone());
        [
            asked(&known(vec![]), subscribe(None)),
            asked(&known(vec![subscribed(Some(1))]), change()),
            asked(&known(vec![subscribed(Some(1))]), renew(2)),
        ]
    };
    for result in all(knowing(UserStatus::Active, service([]))) {
        assert_eq!(result.expect("one event").len(), 1);
    }
    for result in all(knowing(UserStatus::Active, off_the_offer())) {
        let says = format!("the service {SERVICE} is inactive, not active");
        assert_refused(result, Rule, "service-not-active", &says);
    }
    for result in all(knowing(UserStatus::Active, Service::default())) {
        let says = format!("there is no service {SERVICE} to subscribe to");
        assert_refused(result, Rule, "service-unknown", &says);
    }
    // What needs no offer goes on without one.
    let off = given([subscribed(Some(1))]).knowing(knowing(UserStatus::Active, off_the_offer()));
    assert!(asked(&off, Configure { configuration: object("{}") }).is_ok());
    assert!(asked(&off, Cancel { reason: None }).is_ok());
    assert!(asked_at(1, &off, Expire {}).is_ok());
    assert_eq!(asked(&off, ChangePlan { plan: value("basic") }), NOTHING);
    assert_eq!(asked(&off, renew(1)), NOTHING);
}

#[test]
fn it_ends_after_it_begins_in_the_world() {
    let says = "a subscription ends after it begins: 2023-11-14T22:13:20Z is not after 2023-11-14T22:13:20Z";
    let at_once = asked(&past([]), subscribe(Some(0)));
    assert_refused(at_once, Invalid, "expiry-not-in-future", says);
    // History that is carried in: it ended long before now.
    let then =
        Context { now: after_noon(1_000), occurred_at: Some(noon()), ..asked_as(UserRole::Admin) };
    assert_eq!(past([]).decide(subscribe(Some(1)), &then), Ok(vec![subscribed(Some(1))]));
    let result = past([]).decide(subscribe(Some(0)), &then);
    assert_refused(result, Invalid, "expiry-not-in-future", says);
}

#[test]
fn instants_are_kept_to_the_microsecond() {
    let nanosecond = chrono::Duration::nanoseconds(1);
    let late = Subscribe { expires_at: Some(after_noon(1) + nanosecond), ..subscribe(None) };
    assert_eq!(asked(&past([]), late), Ok(vec![subscribed(Some(1))]));
    let hardly = Renew { expires_at: after_noon(1) + nanosecond };
    assert_eq!(asked(&past([subscribed(Some(1))]), hardly), NOTHING);
}

#[test]
fn plan_and_configuration_change() {
    let changed = PlanChanged { from: value("basic"), to: value("gold") };
    let now = past([subscribed(None)]);
    assert_eq!(asked(&now, ChangePlan { plan: value("gold") }), one(changed.clone()));
    let later = past([subscribed(None), changed.into()]);
    assert_eq!(asked(&later, ChangePlan { plan: value("gold") }), NOTHING);

    let configure = || Configure { configuration: object("{\"seats\":3}") };
    let configured = Configured { configuration: object("{\"seats\":3}") };
    assert_eq!(asked(&now, configure()), one(configured.clone()));
    assert_eq!(asked(&past([subscribed(None), configured.into()]), configure()), NOTHING);
}

#[test]
fn a_renewal_ends_later() {
    let renewed = |from, to| Renewed { from: after_noon(from), expires_at: after_noon(to) };
    let now = past([subscribed(Some(5))]);
    assert_eq!(asked(&now, renew(9)), one(renewed(5, 9)));
    assert_eq!(asked(&now, renew(5)), NOTHING);
    let twice = past([subscribed(Some(5)), renewed(5, 9).into()]);
    assert_eq!(asked(&twice, renew(12)), one(renewed(9, 12)));
    let says =
        "a renewal ends later than before: 2023-11-14T22:17:20Z is before 2023-11-14T22:18:20Z";
    assert_refused(asked(&now, renew(4)), Rule, "renewal-not-later", says);
    let says = "the subscription never expires: there is nothing to renew";
    let endless = asked(&past([subscribed(None)]), renew(9));
    assert_refused(endless, Rule, "subscription-never-expires", says);
}

#[test]
fn it_expires_when_its_time_has_come() {
    let says = "the subscription expires at 2023-11-14T22:22:20Z, not before";
    let nine = past([subscribed(Some(9))]);
    assert_refused(asked_at(8, &nine, Expire {}), Rule, "subscription-not-due", says);
    assert_eq!(asked_at(9, &nine, Expire {}), one(Expired {}));
    let says = "the subscription never expires";
    let endless = asked_at(9, &past([subscribed(None)]), Expire {});
    assert_refused(endless, Rule, "subscription-not-due", says);
    let renewed = Renewed { from: after_noon(9), expires_at: after_noon(20) };
    let later = past([subscribed(Some(9)), renewed.into()]);
    assert!(asked_at(19, &later, Expire {}).is_err() && asked_at(20, &later, Expire {}).is_ok());
}

/// One of each command that a running subscription would do.
fn changes() -> [SubscriptionCommand; 3] {
    [
        ChangePlan { plan: value("gold") }.into(),
        Configure { configuration: object("{}") }.into(),
        renew(20).into(),
    ]
}

#[test]
fn what_has_ended_stays_so() {
    let cancelled = || -> SubscriptionEvent { Cancelled { reason: Some(value("dear")) }.into() };
    let cancel = || Cancel { reason: Some(value("dear")) };
    let ended = |end: SubscriptionEvent| past([subscribed(Some(9)), end]);
    assert_eq!(asked(&past([subscribed(Some(9))]), cancel()), Ok(vec![cancelled()]));
    // Past its time and not yet expired, it can still be cancelled, and nothing else.
    assert_eq!(asked_at(9, &past([subscribed(Some(9))]), cancel()), Ok(vec![cancelled()]));
    for end in [cancelled(), Expired {}.into()] {
        assert_eq!(asked(&ended(end.clone()), cancel()), NOTHING);
        assert_eq!(asked_at(9, &ended(end), Expire {}), NOTHING);
    }
    for command in changes() {
        let says = "the subscription is cancelled; subscribe again";
        let result = asked(&ended(cancelled()), command.clone());
        assert_refused(result, Rule, "subscription-cancelled", says);
        let says = "the subscription has expired; subscribe again";
        let result = asked(&ended(Expired {}.into()), command.clone());
        assert_refused(result, Rule, "subscription-expired", says);
        let result = asked_at(9, &past([subscribed(Some(9))]), command);
        assert_refused(result, Rule, "subscription-expired", says);
    }
}

#[test]
fn nothing_is_asked_of_no_subscription() {
    let ends = [Cancel { reason: None }.into(), Expire {}.into()];
    for command in changes().into_iter().chain(ends) {
        let result = asked(&past([]), command);
        let says = "there is no such subscription";
        assert_refused(result, NotFound, "subscription-not-found", says);
    }
}

#[test]
fn user_and_service_are_claimed_while_it_is_active() {
    let claim = || vec![Claim::new("subscription.active", format!("{ADA}/{SERVICE}"))];
    let none = Subscription::default();
    let opens = none.effects(BOB, &subscribed(None));
    assert_eq!((opens.lifecycle, opens.claims), (Lifecycle::Opens, claim()));
    assert_eq!(opens.references, [ADA, SERVICE]);
    let running = past([subscribed(Some(9))]).state;
    for end in [Cancelled { reason: None }.into(), Expired {}.into()] {
        let ends = running.effects(BOB, &end);
        assert_eq!((ends.lifecycle, ends.releases), (Lifecycle::Closes, claim()));
    }
    let configured = Configured { configuration: object("{}") };
    assert_eq!(running.effects(BOB, &configured.into()), Effects::default());
}

#[test]
fn what_it_rests_on_is_read() {
    let none = Subscription::default();
    let both = Reads { service_id: SERVICE, user_id: Some(ADA) };
    assert_eq!(none.reads(&subscribe(None).into()), Some(both));
    let running = past([subscribed(Some(9))]).state;
    let [change, configure, renew] = changes();
    let service_alone = Some(Reads { service_id: SERVICE, user_id: None });
    assert_eq!((running.reads(&change), running.reads(&renew)), (service_alone, service_alone));
    assert_eq!((running.reads(&configure), none.reads(&change)), (None, None));
    assert_eq!(none.owner(BOB, &subscribe(None).into()), Some(ADA));
    assert_eq!((none.owner(BOB, &change), running.owner(BOB, &change)), (None, Some(ADA)));
}
