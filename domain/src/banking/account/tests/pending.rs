//! Payments, from reservation to settlement.

use super::*;
use crate::aggregate::RefusalSort::Rule;
use crate::testing::assert_refused;
use events::{
    PaymentStarted, Settlement, TransactionCancelled, TransactionCompleted, TransactionFailed,
};

fn pay(amount: &str, n: u128) -> AccountCommand {
    command("pay", json!({"amount": amount, "transaction_id": id(n)}))
}

fn started(amount: &str, n: u128) -> AccountEvent {
    PaymentStarted(Entry {
        transaction_id: id(n),
        id_given: true,
        status: TransactionStatus::Pending,
        ..entry(TransactionType::Payment, Direction::Debit, amount, "100.00")
    })
    .into()
}

/// 100.00, of it 60.00 pending as the transaction 7.
fn paying() -> Vec<AccountEvent> {
    vec![opened("0.00"), holding("100.00"), started("60.00", 7)]
}

fn end(name: &str) -> AccountCommand {
    command(name, json!({"transaction_id": id(7)}))
}

fn settlement(status: TransactionStatus, balance_after: &str) -> Settlement {
    Settlement {
        transaction_id: id(7),
        transaction_type: TransactionType::Payment,
        direction: Direction::Debit,
        amount: value("60.00"),
        currency: value("EUR"),
        status,
        balance_after: value(balance_after),
        reason: None,
    }
}

#[test]
fn a_payment_is_reserved_and_leaves_the_balance() {
    let decided = account("100.00", "0.00").decide(pay("60.00", 7), &teller());
    assert_eq!(decided, Ok(vec![started("60.00", 7)]));
    let state = given::<Account>(paying()).state;
    let book = state.book().expect("open");
    assert_eq!(
        (book.balance.hundredths(), book.reserved(), book.available()),
        (10_000, 6_000, 4_000)
    );
}

#[test]
fn a_payment_may_name_the_payee() {
    let fields = json!({"amount": "1.00", "counterparty_bank": "AB", "counterparty_account": "77"});
    let events = account("1.00", "0.00").decide(command("pay", fields), &teller()).unwrap();
    let entry = events[0].entry().expect("an entry");
    assert_eq!(entry.counterparty_bank, Some(value("AB")));
    assert_eq!(entry.counterparty_account, Some(personal("77")));
}

#[test]
fn what_is_reserved_is_not_spent_twice() {
    let decide = |asked| given::<Account>(paying()).decide(asked, &teller());
    let says = "balance 100.00 EUR, asked 40.01 EUR, of it pending 60.00";
    for asked in [
        pay("40.01", 8),
        command("withdraw", json!({"amount": "40.01"})),
        command(
            "send_transfer",
            json!({"amount": "40.01", "counterparty_bank": "AB", "counterparty_account": "77"}),
        ),
    ] {
        assert_refused(decide(asked), Rule, "insufficient-funds", says);
    }
    assert!(decide(pay("40.00", 8)).is_ok());
    assert!(decide(command("withdraw", json!({"amount": "40.00"}))).is_ok());
}

#[test]
fn an_overdraft_limit_covers_what_is_reserved() {
    let past = [opened("10.00"), holding("100.00"), started("105.00", 7)];
    let lower = command("set_overdraft_limit", json!({"overdraft_limit": "4.99"}));
    let says = "an overdraft limit of 4.99 EUR would be passed already: \
                balance 100.00 EUR, of it pending 105.00, overdraft limit 10.00";
    let result = given::<Account>(past).decide(lower, &teller());
    assert_refused(result, Rule, "overdraft-limit-below-use", says);
}

#[test]
fn a_pending_transaction_ends_in_three_ways() {
    let decide = |name| given::<Account>(paying()).decide(end(name), &teller());
    let completed = TransactionCompleted(settlement(TransactionStatus::Completed, "40.00"));
    assert_eq!(decide("complete_transaction"), one(completed));
    let failed = TransactionFailed(settlement(TransactionStatus::Failed, "100.00"));
    assert_eq!(decide("fail_transaction"), one(failed));
    let cancelled = TransactionCancelled(settlement(TransactionStatus::Cancelled, "100.00"));
    assert_eq!(decide("cancel_transaction"), one(cancelled));

    let why =
        command("fail_transaction", json!({"transaction_id": id(7), "reason": "no such payee"}));
    let events = given::<Account>(paying()).decide(why, &teller()).unwrap();
    assert_eq!(events[0].settlement().unwrap().reason, Some(value("no such payee")));
}

#[test]
fn a_pending_transaction_ends_once() {
    let ends = ["complete_transaction", "fail_transaction", "cancel_transaction"];
    let says =
        format!("the transaction {} is not pending: it has ended, or is not this account's", id(7));
    for first in ends {
        let ended = given::<Account>(paying()).decide(end(first), &teller()).unwrap();
        let past = given::<Account>(paying().into_iter().chain(ended));
        for second in ends {
            let result = past.decide(end(second), &teller());
            assert_refused(result, Rule, "transaction-not-pending", &says);
        }
    }
    let stranger = account("100.00", "0.00").decide(end("complete_transaction"), &teller());
    assert_refused(stranger, Rule, "transaction-not-pending", &says);
}

#[test]
fn what_was_reserved_is_paid_also_when_a_fee_came_between() {
    let fee = events::FeeCharged(entry(TransactionType::Fee, Direction::Debit, "90.00", "10.00"));
    let past = given::<Account>(paying().into_iter().chain([fee.into()]));
    let events = past.decide(end("complete_transaction"), &teller()).unwrap();
    assert_eq!(events[0].settlement().unwrap().balance_after, value("-50.00"));
}

#[test]
fn a_settlement_keeps_to_what_fits() {
    let most = "9999999999999.99";
    let fee =
        |after| events::FeeCharged(entry(TransactionType::Fee, Direction::Debit, most, after));
    let past = paying().into_iter().chain([fee("-9999999999950.00").into()]);
    let result = given::<Account>(past).decide(end("complete_transaction"), &teller());
    let says = "balance -9999999999950.00 EUR, with a debit of 60.00 it would pass 10^13";
    assert_refused(result, Rule, "balance-out-of-range", says);
}

#[test]
fn not_too_much_is_pending() {
    let many = (0..MAX_PENDING as u128).map(|n| started("0.01", n));
    let past = given::<Account>([opened("9.00"), holding("100.00")].into_iter().chain(many));
    let says = "10000 transactions are pending, which is the most an account keeps";
    let result = past.decide(pay("0.01", 1 << 100), &teller());
    assert_refused(result, Rule, "too-many-pending", says);
}
