//! Opening, renaming, limits, freezing and closing.

use super::*;
use crate::aggregate::RefusalSort::{Exists, Forbidden, NotFound, Rule};
use crate::identity::user::User;
use crate::testing::assert_refused;

fn open(overdraft_limit: &str) -> AccountCommand {
    command(
        "open",
        json!({
            "user_id": ADA, "account_name": "Household", "account_type": "checking",
            "account_number": "CZ-1", "currency": "EUR", "overdraft_limit": overdraft_limit,
        }),
    )
}

fn owned_by(status: UserStatus) -> AccountFacts {
    AccountFacts { owner: Some(user(UserRole::User, status)) }
}

fn nobody() -> Given<Account> {
    given::<Account>([]).knowing(owned_by(UserStatus::Active))
}

#[test]
fn opens_for_an_active_user_once() {
    let as_user = asked_as(UserRole::User);
    assert_eq!(nobody().decide(open("0.00"), &as_user), Ok(vec![opened("0.00")]));
    let again = given::<Account>([opened("0.00")]).knowing(owned_by(UserStatus::Active));
    let again = again.decide(open("0.00"), &as_user);
    assert_refused(again, Exists, "account-already-open", "this account is open already");

    for facts in [AccountFacts::default(), AccountFacts { owner: Some(User::default()) }] {
        let result = given::<Account>([]).knowing(facts).decide(open("0.00"), &as_user);
        let says = format!("there is no user {ADA} to own the account");
        assert_refused(result, Rule, "owner-not-found", &says);
    }
    for status in [UserStatus::Inactive, UserStatus::Suspended, UserStatus::Deleted] {
        let result = given::<Account>([]).knowing(owned_by(status)).decide(open("0.00"), &as_user);
        let says = format!("the account's owner {ADA} is {status}, not active");
        assert_refused(result, Rule, "owner-not-active", &says);
    }
}

#[test]
fn is_in_dollars_without_overdraft_where_nothing_is_said() {
    let bare = json!({
        "user_id": ADA, "account_name": "A", "account_type": "loan", "account_number": "1",
    });
    let events = nobody().decide(command("open", bare), &teller()).expect("opened");
    let AccountEvent::Opened(event) = &events[0] else { panic!("{events:?}") };
    assert_eq!((event.currency.as_str(), event.overdraft_limit.hundredths()), ("USD", 0));
}

#[test]
fn an_overdraft_is_the_banks_to_grant() {
    let says = "only a manager or an administrator grants an overdraft, asked 5.00 as user";
    let own = nobody().decide(open("5.00"), &asked_as(UserRole::User));
    assert_refused(own, Forbidden, "overdraft-needs-manager", says);
    assert_eq!(nobody().decide(open("5.00"), &teller()), Ok(vec![opened("5.00")]));
}

#[test]
fn nothing_is_asked_of_no_account() {
    let ends = ["freeze", "unfreeze", "close"];
    for command in ends.map(|name| command(name, json!({}))).into_iter().chain(others()) {
        let result = given::<Account>([]).decide(command, &teller());
        assert_refused(result, NotFound, "account-not-found", "there is no such account");
    }
}

fn with_pending() -> Vec<AccountEvent> {
    let pay = command("pay", json!({"amount": "1.00", "transaction_id": id(7)}));
    let pending = account("100.00", "0.00").decide(pay, &teller()).expect("pending");
    [opened("0.00"), holding("100.00")].into_iter().chain(pending).collect()
}

#[test]
fn everything_is_done_on_an_open_account_and_nothing_on_a_frozen_or_closed_one() {
    for command in others() {
        let decide = |end: Option<AccountEvent>| {
            given::<Account>(with_pending().into_iter().chain(end))
                .decide(command.clone(), &teller())
        };
        assert_eq!(decide(None).expect("one event").len(), 1, "{command:?}");
        let says = "the account is frozen; unfreeze it first";
        assert_refused(decide(Some(frozen())), Rule, "account-frozen", says);
        assert_refused(decide(Some(closed())), Rule, "account-closed", "the account is closed");
    }
}

#[test]
fn is_renamed_once() {
    let rename = || command("rename", json!({"account_name": "Holidays"}));
    let renamed = events::Renamed { account_name: personal("Holidays") };
    assert_eq!(account("0.00", "0.00").decide(rename(), &teller()), one(renamed.clone()));
    let again = given::<Account>([opened("0.00"), renamed.into()]).decide(rename(), &teller());
    assert_eq!(again, NOTHING);
}

#[test]
fn the_overdraft_limit_covers_what_is_used_of_it() {
    let set = |past: Given<Account>, limit: &str| {
        past.decide(command("set_overdraft_limit", json!({"overdraft_limit": limit})), &teller())
    };
    let limit = |limit: &str| one(events::OverdraftLimitSet { overdraft_limit: value(limit) });
    assert_eq!(set(account("0.00", "5.00"), "5.00"), NOTHING);
    assert_eq!(set(account("0.00", "0.00"), "5.00"), limit("5.00"));
    assert_eq!(set(account("-5.00", "9.00"), "5.00"), limit("5.00"));
    let says = "an overdraft limit of 4.99 EUR would be passed already: \
                balance -5.00 EUR, overdraft limit 9.00";
    let below = set(account("-5.00", "9.00"), "4.99");
    assert_refused(below, Rule, "overdraft-limit-below-use", says);
    // A fee passed the limit; a higher one helps, if not enough.
    assert_eq!(set(account("-5.00", "0.00"), "1.00"), limit("1.00"));
}

#[test]
fn freezes_and_unfreezes() {
    let (freeze, unfreeze) = (|| command("freeze", json!({})), || command("unfreeze", json!({})));
    let icy = || given::<Account>([opened("0.00"), frozen()]);
    let gone = || given::<Account>([opened("0.00"), closed()]);
    assert_eq!(account("0.00", "0.00").decide(freeze(), &teller()), Ok(vec![frozen()]));
    assert_eq!(icy().decide(freeze(), &teller()), NOTHING);
    assert_eq!(icy().decide(unfreeze(), &teller()), one(events::Unfrozen { reason: None }));
    assert_eq!(account("0.00", "0.00").decide(unfreeze(), &teller()), NOTHING);
    for command in [freeze(), unfreeze()] {
        let result = gone().decide(command, &teller());
        assert_refused(result, Rule, "account-closed", "the account is closed");
    }
}

#[test]
fn closes_at_zero_with_nothing_pending() {
    let close = || command("close", json!({}));
    assert_eq!(account("0.00", "9.00").decide(close(), &teller()), Ok(vec![closed()]));
    assert_eq!(given::<Account>([opened("0.00"), closed()]).decide(close(), &teller()), NOTHING);
    for balance in ["0.01", "-0.01"] {
        let says = format!("an account is closed at 0.00, the balance is {balance} EUR");
        let result = account(balance, "0.00").decide(close(), &teller());
        assert_refused(result, Rule, "account-not-empty", &says);
    }
    let says = "an account is closed with nothing pending, 1 transactions are";
    let pending = given::<Account>(with_pending()).decide(close(), &teller());
    assert_refused(pending, Rule, "transactions-pending", says);
    let says = "the account is frozen; unfreeze it first";
    let icy = given::<Account>([opened("0.00"), frozen()]).decide(close(), &teller());
    assert_refused(icy, Rule, "account-frozen", says);
}

#[test]
fn its_number_is_claimed_its_owner_referred_to_and_its_end_final() {
    let none = Account::default();
    let opens = none.effects(id(1), &opened("0.00"));
    assert_eq!((opens.lifecycle, opens.references), (Lifecycle::Opens, vec![ADA]));
    assert_eq!(opens.claims, [Claim::new("account.number", "CZ-1")]);
    let closes = none.effects(id(1), &closed());
    assert_eq!(closes, Effects { lifecycle: Lifecycle::Closes, ..Effects::default() });
    assert_eq!(none.effects(id(1), &holding("1.00")), Effects::default());
}
