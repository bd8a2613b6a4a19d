//! Transfers between two accounts here.

use super::*;
use crate::aggregate::RefusalSort::{Invalid, Rule};
use crate::testing::assert_refused;
use commands::Transfer;

fn send(to: u128, amount: &str) -> Transfer {
    let fields = json!({"to_account_id": id(to), "amount": amount, "description": "rent"});
    serde_json::from_value(fields).expect("a transfer")
}

/// From the account 1 to the account 2.
fn decide(
    source: &Given<Account>,
    target: &Given<Account>,
    asked: &Transfer,
) -> Result<Transferred, AccountError> {
    transfer(&source.state, id(1), &target.state, asked, &teller())
}

#[test]
fn both_accounts_have_their_half() {
    let done =
        decide(&account("40.00", "0.00"), &account("0.00", "0.00"), &send(2, "30.00")).unwrap();
    let half = |direction, after, other, n| Entry {
        transaction_id: teller().fresh_id(n),
        transfer_id: Some(teller().fresh_id(2)),
        counterparty_account_id: Some(id(other)),
        description: Some(personal("rent")),
        ..entry(TransactionType::Transfer, direction, "30.00", after)
    };
    let out = events::TransferredOut(half(Direction::Debit, "10.00", 2, 0));
    let into = events::TransferredIn(half(Direction::Credit, "30.00", 1, 1));
    assert_eq!(done, Transferred { source: out.into(), target: into.into() });
}

#[test]
fn an_id_from_outside_is_the_debits() {
    let asked = Transfer { transaction_id: Some(id(9)), ..send(2, "1.00") };
    let done = decide(&account("40.00", "0.00"), &account("0.00", "0.00"), &asked).unwrap();
    let of = |event: &AccountEvent| {
        let entry = event.entry().expect("an entry");
        (entry.transaction_id, entry.id_given)
    };
    assert_eq!(of(&done.source), (id(9), true));
    assert_eq!(of(&done.target), (teller().fresh_id(1), false));
}

#[test]
fn it_is_never_decided_on_one_account_alone() {
    let alone = account("40.00", "0.00").decide(send(2, "1.00"), &teller());
    let says = "a transfer is decided on both accounts at once";
    assert_refused(alone, Invalid, "transfer-needs-both-accounts", says);
}

#[test]
fn the_source_must_have_it() {
    let target = account("0.00", "0.00");
    let result = decide(&account("40.00", "0.00"), &target, &send(2, "50.00"));
    assert_refused(result, Rule, "insufficient-funds", "balance 40.00 EUR, asked 50.00 EUR");
    assert!(decide(&account("40.00", "10.00"), &target, &send(2, "50.00")).is_ok());
}

#[test]
fn it_goes_to_another_account() {
    let one = account("40.00", "0.00");
    let says = format!("a transfer goes to another account, and {} is the same", id(1));
    assert_refused(decide(&one, &one, &send(1, "1.00")), Invalid, "same-account", &says);
}

#[test]
fn both_accounts_must_be_open() {
    let fine = account("40.00", "0.00");
    let icy = given::<Account>([opened("0.00"), holding("40.00"), frozen()]);
    let gone = given::<Account>([opened("0.00"), closed()]);
    let none = given::<Account>([]);
    let asked = send(2, "1.00");
    let refused = |source, target, sort, code, says: &str| {
        assert_refused(decide(source, target, &asked), sort, code, says);
    };
    let says = "the account is frozen; unfreeze it first";
    refused(&icy, &fine, Rule, "account-frozen", says);
    refused(&gone, &fine, Rule, "account-closed", "the account is closed");
    let says = "there is no such account";
    refused(&none, &fine, crate::aggregate::RefusalSort::NotFound, "account-not-found", says);

    let says = format!("the account {} to transfer to is frozen or closed", id(2));
    refused(&fine, &icy, Rule, "target-account-not-open", &says);
    refused(&fine, &gone, Rule, "target-account-not-open", &says);
    let says = format!("there is no account {} to transfer to", id(2));
    refused(&fine, &none, Rule, "target-account-not-found", &says);
}

#[test]
fn it_stays_in_one_currency() {
    let AccountEvent::Opened(event) = opened("0.00") else { panic!() };
    let dollars = given::<Account>([events::Opened { currency: value("USD"), ..event }.into()]);
    let fine = account("40.00", "0.00");
    let says = "the account is in EUR, the one to transfer to in USD";
    let result = decide(&fine, &dollars, &send(2, "1.00"));
    assert_refused(result, Rule, "target-account-currency", says);
    let asked = Transfer { currency: Some(value("USD")), ..send(2, "1.00") };
    let result = decide(&fine, &account("0.00", "0.00"), &asked);
    assert_refused(result, Rule, "wrong-currency", "the account is in EUR, asked USD");
}

#[test]
fn a_full_target_does_not_tell_its_balance() {
    let says = format!("the account {} to transfer to cannot hold 1.00 more", id(2));
    let full = account("9999999999999.50", "0.00");
    let result = decide(&account("40.00", "0.00"), &full, &send(2, "1.00"));
    assert_refused(result, Rule, "target-account-full", &says);
}
