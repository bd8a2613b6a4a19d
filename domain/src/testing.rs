//! What the tests of several aggregates begin with.

use std::fmt::Debug;
use std::str::FromStr;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::aggregate::{Refusal, RefusalSort, fold};
use crate::context::{Actor, Context};
use crate::identity::user::events::{Deactivated, Deleted, Registered, Suspended};
use crate::identity::user::{User, UserEvent};
use crate::message::EventMessage;
use crate::values::{Personal, UserRole, UserStatus};

pub(crate) const ADA: Uuid = Uuid::from_u128(0xada);
pub(crate) const BOB: Uuid = Uuid::from_u128(0xb0b);

/// A value out of its text.
pub(crate) fn value<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect(text)
}

pub(crate) fn personal<T: FromStr<Err: Debug>>(text: &str) -> Personal<T> {
    Personal(value(text))
}

pub(crate) fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).expect("an instant")
}

/// `minutes` after [`noon`].
pub(crate) fn after_noon(minutes: i64) -> DateTime<Utc> {
    noon() + Duration::minutes(minutes)
}

/// Asked at noon by `actor`.
pub(crate) fn asked_by(actor: Actor) -> Context {
    Context { actor, now: noon(), occurred_at: None, seed: Uuid::from_u128(0x5eed << 70) }
}

/// Asked at noon by someone with this role.
pub(crate) fn asked_as(role: UserRole) -> Context {
    asked_by(actor(ADA, role))
}

pub(crate) fn actor(id: Uuid, role: UserRole) -> Actor {
    Actor::new(id, role)
}

pub(crate) fn registered(role: UserRole) -> Registered {
    Registered {
        username: personal("ada"),
        email: personal("Ada@Example.com"),
        full_name: personal("Ada King Lovelace"),
        first_name: personal("Ada"),
        last_name: personal("King Lovelace"),
        phone: None,
        password_hash: value("!"),
        role,
        is_system: false,
        verification_token_hash: Some(value(&"1".repeat(64))),
    }
}

/// A user with a role, who stands so.
pub(crate) fn user(role: UserRole, status: UserStatus) -> User {
    let mut events: Vec<UserEvent> = vec![registered(role).into()];
    match status {
        UserStatus::Active => {}
        UserStatus::Inactive => events.push(Deactivated {}.into()),
        UserStatus::Suspended => events.push(Suspended { reason: None }.into()),
        UserStatus::Deleted => events.push(Deleted { reason: None }.into()),
    }
    fold(&events)
}

/// A refusal's name, sort and words at once.
#[track_caller]
pub(crate) fn assert_refused<T: Debug, E: Refusal>(
    result: Result<T, E>,
    sort: RefusalSort,
    code: &str,
    says: &str,
) {
    let refusal = result.expect_err("a refusal");
    assert_eq!((refusal.code(), refusal.sort()), (code, sort), "{refusal}");
    assert_eq!(refusal.to_string(), says);
}

/// The event as it comes back out of the log.
pub(crate) fn through_json<E: EventMessage>(event: &E) -> E {
    let data = event.encode().expect("JSON");
    E::decode(event.name(), event.version(), &data).expect("what was encoded")
}
