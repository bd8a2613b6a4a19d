//! What comes in and goes out at once.

use super::*;
use crate::aggregate::RefusalSort::{Exists, Rule};
use crate::testing::assert_refused;
use Direction::{Credit, Debit};
use TransactionType::{Deposit, Fee, Interest, Transfer, Withdrawal};

const MOST: &str = "9999999999999.99";

fn ask(name: &str, amount: &str) -> AccountCommand {
    command(name, json!({"amount": amount}))
}

#[test]
fn money_goes_in_and_out() {
    let decide = |asked| account("40.00", "0.00").decide(asked, &teller());
    let deposited = events::Deposited(entry(Deposit, Credit, "0.01", "40.01"));
    assert_eq!(decide(ask("deposit", "0.01")), one(deposited));
    let withdrawn = events::Withdrawn(entry(Withdrawal, Debit, "40.00", "0.00"));
    assert_eq!(decide(ask("withdraw", "40")), one(withdrawn));
}

#[test]
fn no_more_goes_out_than_there_is() {
    let decide = |past: Given<Account>, amount| past.decide(ask("withdraw", amount), &teller());
    let refused = |past, amount, says| {
        assert_refused(decide(past, amount), Rule, "insufficient-funds", says);
    };
    refused(account("40.00", "0.00"), "50.00", "balance 40.00 EUR, asked 50.00 EUR");
    refused(account("40.00", "0.00"), "40.01", "balance 40.00 EUR, asked 40.01 EUR");
    refused(account("0.00", "0.00"), MOST, "balance 0.00 EUR, asked 9999999999999.99 EUR");

    let overdrawn = events::Withdrawn(entry(Withdrawal, Debit, "45.00", "-5.00"));
    assert_eq!(decide(account("40.00", "5.00"), "45.00"), one(overdrawn));
    let says = "balance 40.00 EUR, asked 45.01 EUR, overdraft limit 5.00";
    refused(account("40.00", "5.00"), "45.01", says);
    let says = "balance -5.01 EUR, asked 0.01 EUR, overdraft limit 5.00";
    refused(account("-5.01", "5.00"), "0.01", says);
}

#[test]
fn fees_and_interest_may_pass_the_limit() {
    let decide = |asked| account("1.00", "0.00").decide(asked, &teller());
    let charged = events::FeeCharged(entry(Fee, Debit, "3.50", "-2.50"));
    assert_eq!(decide(ask("charge_fee", "3.50")), one(charged));
    let interest =
        |direction| command("post_interest", json!({"amount": "3.50", "direction": direction}));
    let owed = events::InterestPosted(entry(Interest, Debit, "3.50", "-2.50"));
    assert_eq!(decide(interest("debit")), one(owed));
    let earned = events::InterestPosted(entry(Interest, Credit, "3.50", "4.50"));
    assert_eq!(decide(interest("credit")), one(earned));
}

#[test]
fn transfers_elsewhere_name_the_other_side() {
    let elsewhere = |name| {
        let fields =
            json!({"amount": "1.00", "counterparty_bank": "AB", "counterparty_account": "77"});
        account("1.00", "0.00").decide(command(name, fields), &teller())
    };
    let entry = |direction, after| Entry {
        counterparty_bank: Some(value("AB")),
        counterparty_account: Some(personal("77")),
        ..entry(Transfer, direction, "1.00", after)
    };
    let received = events::TransferReceived(entry(Credit, "2.00"));
    assert_eq!(elsewhere("receive_transfer"), one(received));
    assert_eq!(elsewhere("send_transfer"), one(events::TransferSent(entry(Debit, "0.00"))));
    let too_much =
        json!({"amount": "1.01", "counterparty_bank": "AB", "counterparty_account": "77"});
    let result = account("1.00", "0.00").decide(command("send_transfer", too_much), &teller());
    assert_refused(result, Rule, "insufficient-funds", "balance 1.00 EUR, asked 1.01 EUR");
}

#[test]
fn an_entry_says_what_it_was_told() {
    let fields = json!({
        "amount": "1.00", "currency": "EUR", "transaction_id": id(9),
        "description": "rent", "reference_number": "INV-1",
    });
    let told = Entry {
        transaction_id: id(9),
        id_given: true,
        description: Some(personal("rent")),
        reference_number: Some(value("INV-1")),
        ..entry(Deposit, Credit, "1.00", "1.00")
    };
    let event: AccountEvent = events::Deposited(told).into();
    let decided = account("0.00", "0.00").decide(command("deposit", fields), &teller());
    assert_eq!(decided, Ok(vec![event.clone()]));
    // An id from outside is claimed, so that it is used once; fresh ones are unique.
    let claims = Account::default().effects(id(1), &event).claims;
    assert_eq!(claims, [Claim::new("transaction.id", id(9).to_string())]);
}

#[test]
fn money_is_in_the_accounts_currency() {
    let says = "the account is in EUR, asked USD";
    let fields = json!({
        "amount": "1.00", "currency": "USD", "direction": "debit",
        "counterparty_bank": "AB", "counterparty_account": "77",
    });
    for name in [
        "deposit",
        "withdraw",
        "charge_fee",
        "post_interest",
        "pay",
        "receive_transfer",
        "send_transfer",
    ] {
        let taken: &[&str] = match name {
            "post_interest" => &["amount", "currency", "direction"],
            "pay" | "receive_transfer" | "send_transfer" => {
                &["amount", "currency", "counterparty_bank", "counterparty_account"]
            }
            _ => &["amount", "currency"],
        };
        let fields: serde_json::Map<_, _> =
            taken.iter().map(|field| ((*field).to_owned(), fields[*field].clone())).collect();
        // Nothing is there: but the currency is what is wrong.
        let result = account("0.00", "0.00").decide(command(name, fields.into()), &teller());
        assert_refused(result, Rule, "wrong-currency", says);
    }
}

#[test]
fn a_pending_transactions_id_is_taken() {
    let pay = command("pay", json!({"amount": "1.00", "transaction_id": id(7)}));
    let pending = account("9.00", "0.00").decide(pay, &teller()).expect("pending");
    let past = given::<Account>([opened("0.00"), holding("9.00")].into_iter().chain(pending));
    let says = format!("there is a transaction {} already", id(7));
    for name in ["deposit", "withdraw", "pay"] {
        let again = command(name, json!({"amount": "1.00", "transaction_id": id(7)}));
        assert_refused(past.decide(again, &teller()), Exists, "transaction-exists", &says);
    }
}

#[test]
fn balances_stay_below_ten_to_the_thirteenth_either_way() {
    let full = account(MOST, "0.00").decide(ask("deposit", "0.01"), &teller());
    let says = "balance 9999999999999.99 EUR, with a credit of 0.01 it would pass 10^13";
    assert_refused(full, Rule, "balance-out-of-range", says);
    let owed = account("-9999999999999.99", "0.00").decide(ask("charge_fee", "0.01"), &teller());
    let says = "balance -9999999999999.99 EUR, with a debit of 0.01 it would pass 10^13";
    assert_refused(owed, Rule, "balance-out-of-range", says);
    // The greatest limit and the greatest amounts: no sum overflows.
    let far = account("-1.00", MOST).decide(ask("withdraw", MOST), &teller());
    let says = "balance -1.00 EUR, asked 9999999999999.99 EUR, overdraft limit 9999999999999.99";
    assert_refused(far, Rule, "insufficient-funds", says);
}

#[test]
fn amounts_are_strings_with_two_decimals_and_positive() {
    for wrong in ["0", "0.00", "-1.00", "1.001", "1e3", "10000000000000", "1,00", "", " 1", "+1"] {
        let fields = json!({"amount": wrong}).to_string();
        let error = AccountCommand::decode("deposit", &fields).expect_err(wrong).to_string();
        assert!(
            error.starts_with("deposit/amount: a positive amount such as \"12.34\""),
            "{error}"
        );
    }
    for wrong in [json!(1), json!(1.5), json!(null)] {
        let fields = json!({"amount": wrong}).to_string();
        let error = AccountCommand::decode("deposit", &fields).expect_err("no string").to_string();
        assert!(error.contains("expected a decimal string such as \"12.34\""), "{error}");
    }
}
