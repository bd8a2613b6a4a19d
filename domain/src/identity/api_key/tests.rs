use super::commands::*;
use super::events::*;
use super::*;
use crate::aggregate::RefusalSort::{Exists, Forbidden, Invalid, NotFound, Rule};
use crate::aggregate::{Given, given};
use crate::context::Actor;
use crate::testing::*;
use crate::values::{UserRole, UserStatus};

type Decision = Result<Vec<ApiKeyEvent>, ApiKeyError>;

const NOTHING: Decision = Ok(vec![]);

fn one(event: impl Into<ApiKeyEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn issued(scopes: &[&str], expires_at: Option<i64>) -> Issued {
    Issued {
        user_id: ADA,
        name: value("laptop"),
        prefix: value("dbk_1111"),
        secret_hash: value(&"1".repeat(64)),
        scopes: scopes.iter().map(|scope| value(scope)).collect(),
        expires_at: expires_at.map(after_noon),
    }
}

fn issue(scopes: &[&str], expires_at: Option<i64>) -> Issue {
    let Issued { user_id, name, prefix, secret_hash, scopes, expires_at } =
        issued(scopes, expires_at);
    Issue { user_id, name, prefix, secret_hash, scopes, expires_at }
}

fn rotate(expires_at: Option<i64>) -> Rotate {
    Rotate {
        prefix: value("dbk_2222"),
        secret_hash: value(&"2".repeat(64)),
        expires_at: expires_at.map(after_noon),
    }
}

fn rotated(expires_at: Option<i64>) -> Rotated {
    let Rotate { prefix, secret_hash, expires_at } = rotate(expires_at);
    Rotated { from_prefix: value("dbk_1111"), prefix, secret_hash, expires_at }
}

fn owned_by(role: UserRole, status: UserStatus) -> ApiKeyFacts {
    ApiKeyFacts { owner: Some(user(role, status)) }
}

/// A past, with an active owner of the role `user`.
fn past(events: impl IntoIterator<Item = ApiKeyEvent>) -> Given<ApiKey> {
    given(events).knowing(owned_by(UserRole::User, UserStatus::Active))
}

fn ada() -> Context {
    asked_by(actor(ADA, UserRole::User))
}

fn ada_with(scopes: &[&str]) -> Context {
    let scopes = Some(scopes.iter().map(|&scope| scope.to_owned()).collect());
    asked_by(Actor { scopes, ..actor(ADA, UserRole::User) })
}

#[test]
fn is_issued_to_an_active_owner_once() {
    let scopes = &["banking.account:withdraw", "banking.*:read"];
    assert_eq!(past([]).decide(issue(scopes, Some(1)), &ada()), one(issued(scopes, Some(1))));
    assert_eq!(past([]).decide(issue(&["*"], None), &ada()), one(issued(&["*"], None)));
    let again = past([issued(&["*"], None).into()]).decide(issue(&["*"], None), &ada());
    assert_refused(again, Exists, "api-key-already-issued", "this API key is issued already");
}

#[test]
fn its_owner_is_an_active_person() {
    let decide = |facts| given::<ApiKey>([]).knowing(facts).decide(issue(&["*"], None), &ada());
    let unknown = format!("there is no user {ADA} to own the key");
    assert_refused(decide(ApiKeyFacts::default()), Rule, "owner-not-found", &unknown);
    let empty = ApiKeyFacts { owner: Some(User::default()) };
    assert_refused(decide(empty), Rule, "owner-not-found", &unknown);
    for status in [UserStatus::Inactive, UserStatus::Suspended, UserStatus::Deleted] {
        let says = format!("the key's owner {ADA} is {status}, not active");
        let facts = owned_by(UserRole::User, status);
        assert_refused(decide(facts), Rule, "owner-not-active", &says);
    }
    let (_, event) = crate::identity::bootstrap::system_users()[0].clone();
    let system = ApiKeyFacts { owner: Some(crate::aggregate::fold(&[event])) };
    let says = format!("{ADA} is a part of the service, which needs no key");
    assert_refused(decide(system), Rule, "owner-is-system-user", &says);
}

#[test]
fn only_the_owner_and_administrators_touch_it() {
    let key = || past([issued(&["*"], None).into()]);
    let says = format!("the key is {ADA}'s: only they or an administrator may do this");
    for role in [UserRole::Manager, UserRole::User] {
        let bob = asked_by(actor(BOB, role));
        for result in [
            past([]).decide(issue(&["*"], None), &bob),
            key().decide(rotate(None), &bob),
            key().decide(Revoke { reason: None }, &bob),
        ] {
            assert_refused(result, Forbidden, "not-your-api-key", &says);
        }
    }
    let admin = asked_by(actor(BOB, UserRole::Admin));
    assert!(past([]).decide(issue(&["*"], None), &admin).is_ok());
    assert!(key().decide(Revoke { reason: None }, &admin).is_ok());
}

#[test]
fn it_has_some_scopes_and_not_too_many() {
    for asked in [0, MAX_SCOPES + 1] {
        let result = past([]).decide(issue(&vec!["*"; asked], None), &ada());
        let says = format!("a key has 1 to 64 scopes, asked {asked}");
        assert_refused(result, Invalid, "scope-count", &says);
    }
    assert!(past([]).decide(issue(&["*"; MAX_SCOPES], None), &ada()).is_ok());
}

#[test]
fn its_scopes_name_what_the_owners_role_allows() {
    for scope in ["identity.user:change_role", "banking.account:freez", "log:read", "soup:*"] {
        let result = past([]).decide(issue(&["banking.*:read", scope], None), &ada());
        let says = format!("the scope {scope} names nothing that the owner's role user allows");
        assert_refused(result, Rule, "scope-beyond-role", &says);
    }
    let admins = given::<ApiKey>([]).knowing(owned_by(UserRole::Admin, UserStatus::Active));
    assert!(admins.decide(issue(&["identity.user:change_role", "log:*"], None), &ada()).is_ok());
}

#[test]
fn a_narrow_key_neither_makes_nor_learns_a_wider_one() {
    let narrow = ada_with(&["identity.api_key:*", "banking.*:read"]);
    let same = &["banking.account:read", "identity.api_key:issue"];
    assert_eq!(past([]).decide(issue(same, None), &narrow), one(issued(same, None)));
    for scope in ["*", "*:read", "banking.*:*", "banking.account:withdraw"] {
        let says = format!("the scope {scope} is wider than the key that asks for it");
        let wider = past([]).decide(issue(&[scope], None), &narrow);
        assert_refused(wider, Forbidden, "scope-beyond-key", &says);
        let learnt = past([issued(&[scope], None).into()]).decide(rotate(None), &narrow);
        assert_refused(learnt, Forbidden, "scope-beyond-key", &says);
    }
}

#[test]
fn it_expires_in_the_future() {
    let says =
        "a key expires in the future: 2023-11-14T22:13:20Z is not after 2023-11-14T22:13:20Z";
    let issued_late = past([]).decide(issue(&["*"], Some(0)), &ada());
    assert_refused(issued_late, Invalid, "expiry-not-in-future", says);
    let key = past([issued(&["*"], None).into()]);
    assert_refused(key.decide(rotate(Some(0)), &ada()), Invalid, "expiry-not-in-future", says);
}

#[test]
fn rotating_replaces_the_secret_and_keeps_the_expiry() {
    let key = || past([issued(&["*"], Some(9)).into()]);
    assert_eq!(key().decide(rotate(None), &ada()), one(rotated(Some(9))));
    assert_eq!(key().decide(rotate(Some(20)), &ada()), one(rotated(Some(20))));
    let twice = past([issued(&["*"], Some(9)).into(), rotated(Some(9)).into()]);
    assert_eq!(twice.decide(rotate(None), &ada()), NOTHING);
    let orphan = key().knowing(owned_by(UserRole::User, UserStatus::Suspended));
    let says = format!("the key's owner {ADA} is suspended, not active");
    assert_refused(orphan.decide(rotate(None), &ada()), Rule, "owner-not-active", &says);
}

#[test]
fn what_has_ended_stays_so() {
    let revoked = || -> ApiKeyEvent { Revoked { reason: Some(value("lost")) }.into() };
    let key = |end: ApiKeyEvent| past([issued(&["*"], Some(9)).into(), end]);
    let revoke = || Revoke { reason: Some(value("lost")) };
    assert_eq!(past([issued(&["*"], None).into()]).decide(revoke(), &ada()), Ok(vec![revoked()]));
    assert_eq!(key(revoked()).decide(revoke(), &ada()), NOTHING);
    assert_eq!(key(Expired {}.into()).decide(revoke(), &ada()), NOTHING);
    assert_eq!(key(revoked()).decide(Expire {}, &ada()), NOTHING);

    let says = "the key is revoked; issue another one";
    let again = key(revoked()).decide(rotate(None), &ada());
    assert_refused(again, Rule, "api-key-revoked", says);
    let says = "the key has expired; issue another one";
    let again = key(Expired {}.into()).decide(rotate(None), &ada());
    assert_refused(again, Rule, "api-key-expired", says);
    let due = Context { now: after_noon(9), ..ada() };
    let due = past([issued(&["*"], Some(9)).into()]).decide(rotate(None), &due);
    assert_refused(due, Rule, "api-key-expired", says);
}

#[test]
fn it_expires_when_its_time_has_come() {
    let key = |expires_at| past([issued(&["*"], expires_at).into()]);
    let at = |minutes| Context { now: after_noon(minutes), ..asked_by(Actor::system()) };
    let says = "the key expires at 2023-11-14T22:22:20Z, not before";
    assert_refused(key(Some(9)).decide(Expire {}, &at(8)), Rule, "api-key-not-due", says);
    let says = "the key never expires";
    assert_refused(key(None).decide(Expire {}, &at(8)), Rule, "api-key-not-due", says);
    assert_eq!(key(Some(9)).decide(Expire {}, &at(9)), one(Expired {}));
    assert!(key(Some(9)).state.key().unwrap().is_valid_at(after_noon(8)));
    assert!(!key(Some(9)).state.key().unwrap().is_valid_at(after_noon(9)));
}

#[test]
fn nothing_is_asked_of_no_key() {
    let commands: [ApiKeyCommand; 3] =
        [rotate(None).into(), Revoke { reason: None }.into(), Expire {}.into()];
    for command in commands {
        let result = past([]).decide(command, &ada());
        assert_refused(result, NotFound, "api-key-not-found", "there is no such API key");
    }
}

#[test]
fn its_prefix_is_claimed_its_owner_referred_to_and_its_end_final() {
    let claim = |prefix: &str| vec![Claim::new("api_key.prefix", prefix)];
    let none = ApiKey::default();
    let opens = none.effects(BOB, &issued(&["*"], None).into());
    assert_eq!((opens.lifecycle, opens.references), (Lifecycle::Opens, vec![ADA]));
    assert_eq!(opens.claims, claim("dbk_1111"));
    let turns = none.effects(BOB, &rotated(None).into());
    assert_eq!((turns.claims, turns.releases), (claim("dbk_2222"), claim("dbk_1111")));
    let same = Rotated { prefix: value("dbk_1111"), ..rotated(None) };
    assert_eq!(none.effects(BOB, &same.into()), Effects::default());
    for end in [Revoked { reason: None }.into(), Expired {}.into()] {
        assert_eq!(none.effects(BOB, &end).lifecycle, Lifecycle::Closes);
    }
}
