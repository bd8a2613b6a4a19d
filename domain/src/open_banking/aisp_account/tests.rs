use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use serde_json::json;

use super::commands::{
    Categorize, ExpireConsent, Link as LinkCommand, RecordBalance, RecordTransactions,
    RenewConsent, RevokeConsent, Unlink,
};
use super::events::{
    BalanceRecorded, Categorized, ConsentExpired, ConsentRenewed, ConsentRevoked, Linked,
    Transaction, TransactionsRecorded, Unlinked,
};
use super::*;
use crate::aggregate::{Given, RefusalSort, given};
use crate::testing::{ADA, BOB, after_noon, asked_as, assert_refused, noon, personal, user, value};
use crate::values::{UserRole, UserStatus};

use RefusalSort::{Exists, Invalid, NotFound, Rule};

type Decision = Result<Vec<AispAccountEvent>, AispAccountError>;

const NOTHING: Decision = Ok(vec![]);

fn one(event: impl Into<AispAccountEvent>) -> Decision {
    Ok(vec![event.into()])
}

/// Asked so many minutes after noon.
fn at(minutes: i64) -> Context {
    Context { now: after_noon(minutes), ..asked_as(UserRole::Manager) }
}

const DAY: i64 = 24 * 60;
/// The consent of these tests lasts so many minutes from noon.
const LASTS: i64 = 90 * DAY;

fn consent(name: &str, from: i64, until: i64) -> Consent {
    Consent {
        consent_id: value(name),
        consent_granted: after_noon(from),
        consent_expires: after_noon(until),
    }
}

fn link() -> LinkCommand {
    LinkCommand {
        user_id: ADA,
        bank_id: value("CZ-0800"),
        account_id: personal("19-2000145399"),
        account_type: value("current"),
        currency: value("CZK"),
        consent_id: value("c-1"),
        consent_expires: after_noon(LASTS),
    }
}

fn linked() -> AispAccountEvent {
    Linked {
        user_id: ADA,
        bank_id: value("CZ-0800"),
        account_id: personal("19-2000145399"),
        account_type: value("current"),
        currency: value("CZK"),
        consent: consent("c-1", 0, LASTS),
    }
    .into()
}

fn facts(recorded: &[&str]) -> AispAccountFacts {
    AispAccountFacts {
        user: Some(user(UserRole::User, UserStatus::Active)),
        recorded: recorded.iter().map(|id| value(id)).collect(),
    }
}

fn past(events: impl IntoIterator<Item = AispAccountEvent>) -> Given<AispAccount> {
    let events = std::iter::once(linked()).chain(events);
    given::<AispAccount>(events).knowing(facts(&[]))
}

fn read_balance(attended: bool) -> RecordBalance {
    RecordBalance { attended, balance: value("-1.50"), available_balance: Some(value("98.50")) }
}

fn balance(attended: bool, minutes: i64) -> AispAccountEvent {
    BalanceRecorded {
        attended,
        read_at: after_noon(minutes),
        balance: value("-1.50"),
        available_balance: Some(value("98.50")),
    }
    .into()
}

/// What the bank tells of transactions with these ids.
fn told(attended: bool, ids: &[&str]) -> RecordTransactions {
    let transactions = ids
        .iter()
        .map(|id| {
            let told = json!({
                "transaction_id": id, "amount": "-12.00", "description": "Card",
                "transaction_date": "2023-11-13",
            });
            serde_json::from_value(told).expect("a transaction")
        })
        .collect();
    RecordTransactions { attended, transactions }
}

fn recorded(attended: bool, minutes: i64, ids: &[&str]) -> AispAccountEvent {
    let transactions: Vec<Transaction> =
        told(attended, ids).transactions.iter().map(|told| told.recorded(value("CZK"))).collect();
    TransactionsRecorded { attended, read_at: after_noon(minutes), transactions }.into()
}

#[test]
fn it_is_linked_once_for_an_active_user_with_a_consent() {
    let new = || given::<AispAccount>([]);
    assert_eq!(new().knowing(facts(&[])).decide(link(), &at(0)), one(linked()));
    let again = past([]).decide(link(), &at(0));
    let says = "an account is linked under this id already";
    assert_refused(again, Exists, "aisp-account-already-linked", says);
    let says = format!("there is no user {ADA} to link an account for");
    assert_refused(new().decide(link(), &at(0)), Rule, "owner-not-found", &says);
    for status in [UserStatus::Inactive, UserStatus::Suspended, UserStatus::Deleted] {
        let user = Some(user(UserRole::User, status));
        let refused = new().knowing(AispAccountFacts { user, ..facts(&[]) }).decide(link(), &at(0));
        let says = format!("the user {ADA} is {status}, not active");
        assert_refused(refused, Rule, "owner-not-active", &says);
    }
    let over = LinkCommand { consent_expires: noon(), ..link() };
    let refused = new().knowing(facts(&[])).decide(over, &at(0));
    let says =
        "a consent expires in the future: 2023-11-14T22:13:20Z is not after 2023-11-14T22:13:20Z";
    assert_refused(refused, Invalid, "expiry-not-in-future", says);
}

#[test]
fn a_consent_is_renewed_revoked_and_expires() {
    let renew = |name: &str, until: i64| RenewConsent {
        consent_id: value(name),
        consent_expires: after_noon(until),
    };
    assert_eq!(past([]).decide(renew("c-1", LASTS), &at(5)), NOTHING);
    let renewed = ConsentRenewed(consent("c-2", 5, 9));
    assert_eq!(past([]).decide(renew("c-2", 9), &at(5)), one(renewed.clone()));
    let refused = past([]).decide(renew("c-2", 5), &at(5)).map_err(|error| error.code_of());
    assert_eq!(refused, Err("expiry-not-in-future"));

    let revoke = || RevokeConsent { reason: Some(value("no more")) };
    let revoked = ConsentRevoked { reason: Some(value("no more")) };
    assert_eq!(past([]).decide(revoke(), &at(1)), one(revoked.clone()));
    let without = past([revoked.into()]);
    assert_eq!(without.decide(revoke(), &at(1)), NOTHING);
    assert_eq!(without.decide(ExpireConsent {}, &at(1)), NOTHING);
    assert_eq!(without.decide(renew("c-2", 9), &at(5)), one(renewed.clone()));

    let early = past([renewed.clone().into()]).decide(ExpireConsent {}, &at(8));
    let says = "the consent expires at 2023-11-14T22:22:20Z, not before";
    assert_refused(early, Rule, "consent-not-due", says);
    let due = past([renewed.clone().into()]).decide(ExpireConsent {}, &at(9));
    assert_eq!(due, one(ConsentExpired {}));
    let expired = past([renewed.into(), ConsentExpired {}.into()]);
    assert_eq!(expired.decide(ExpireConsent {}, &at(10)), NOTHING);
}

impl AispAccountError {
    fn code_of(&self) -> &'static str {
        crate::aggregate::Refusal::code(self)
    }
}

#[test]
fn nothing_is_read_without_a_valid_consent() {
    let reads: [AispAccountCommand; 2] = [read_balance(true).into(), told(true, &["T-1"]).into()];
    for read in reads {
        let now = past([]).decide(read.clone(), &at(LASTS - 1));
        assert_eq!(now.map(|events| events.len()), Ok(1));
        let late = past([]).decide(read.clone(), &at(LASTS));
        let says = "nothing is read without a valid consent: this one is good from 2023-11-14T22:13:20Z until 2024-02-12T22:13:20Z, and it was read at 2024-02-12T22:13:20Z";
        assert_refused(late, Rule, "consent-not-valid", says);
        // What counts is when it was read, not when that was told.
        let told_late = Context { occurred_at: Some(after_noon(1)), ..at(LASTS + 9) };
        assert!(past([]).decide(read.clone(), &told_late).is_ok());
        let before_it = Context { occurred_at: Some(after_noon(-1)), ..at(0) };
        let refused = past([]).decide(read.clone(), &before_it).map_err(|error| error.code_of());
        assert_eq!(refused, Err("consent-not-valid"));
        let says =
            "nothing is read without a consent, and there is none since it was revoked or expired";
        for end in [ConsentRevoked { reason: None }.into(), ConsentExpired {}.into()] {
            assert_refused(past([end]).decide(read.clone(), &at(1)), Rule, "no-consent", says);
        }
    }
}

#[test]
fn it_is_read_without_its_user_four_times_in_a_day() {
    let four = || past([0, 60, 120, 180].map(|minutes| balance(false, minutes)));
    let fifth = four().decide(read_balance(false), &at(DAY - 1));
    let says = "an account is read without its user 4 times in 24 hours at most: 4 reads are between 2023-11-14T22:13:20Z and 2023-11-15T01:13:20Z already, and this one is at 2023-11-15T22:12:20Z";
    assert_refused(fifth, Rule, "too-many-unattended-reads", says);
    let transactions = four().decide(told(false, &["T-1"]), &at(200));
    let refused = transactions.map_err(|error| error.code_of());
    assert_eq!(refused, Err("too-many-unattended-reads"));
    // A day after the first there is room again; with the user there is always.
    assert_eq!(four().decide(read_balance(false), &at(DAY)), one(balance(false, DAY)));
    assert_eq!(four().decide(read_balance(true), &at(200)), one(balance(true, 200)));
    let attended = past([0, 1, 2, 3, 4].map(|minutes| balance(true, minutes)));
    assert_eq!(attended.decide(read_balance(false), &at(9)), one(balance(false, 9)));
    // What is told afterwards counts where it happened.
    let between = Context { occurred_at: Some(after_noon(90)), ..at(2 * DAY) };
    let refused = four().decide(read_balance(false), &between).map_err(|error| error.code_of());
    assert_eq!(refused, Err("too-many-unattended-reads"));
}

#[test]
fn what_the_bank_tells_again_is_recorded_once() {
    let first = past([]).decide(told(true, &["T-1", "T-2", "T-1"]), &at(1));
    assert_eq!(first, one(recorded(true, 1, &["T-1", "T-2"])));
    let knowing = |ids: &[&str]| past([]).knowing(facts(ids));
    let more = knowing(&["T-1"]).decide(told(true, &["T-1", "T-2"]), &at(1));
    assert_eq!(more, one(recorded(true, 1, &["T-2"])));
    assert_eq!(knowing(&["T-1"]).decide(told(true, &["T-1"]), &at(1)), NOTHING);
    // A reading without the user is one of four, also when it brings nothing.
    let nothing_new = knowing(&["T-1"]).decide(told(false, &["T-1"]), &at(1));
    assert_eq!(nothing_new, one(recorded(false, 1, &[])));

    let named = AispAccount::names(&told(true, &["T-2", "T-1", "T-2"]).into());
    assert_eq!(named.into_iter().collect::<Vec<_>>(), [value("T-1"), value("T-2")]);
    let claims = past([]).state.effects(BOB, &recorded(true, 1, &["T-1", "T-2"])).claims;
    let expected = ["T-1", "T-2"].map(|id| transaction_claim(BOB, &value(id)));
    assert_eq!(claims, expected);
    assert_ne!(transaction_claim(ADA, &value("T-1")), transaction_claim(BOB, &value("T-1")));
    assert_ne!(transaction_row(ADA, &value("T-1")), transaction_row(BOB, &value("T-1")));
}

#[test]
fn a_batch_and_its_days_have_bounds() {
    let ids: Vec<String> = (0..=MAX_BATCH).map(|n| n.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let many = past([]).decide(told(true, &ids), &at(1));
    let says = "at most 1000 transactions are recorded at once, these are 1001";
    assert_refused(many, Invalid, "too-many-transactions", says);
    assert!(past([]).decide(told(true, &ids[1..]), &at(1)).is_ok());
    for (day, fits) in
        [("1900-01-01", true), ("1899-12-31", false), ("2024-11-14", true), ("2024-11-15", false)]
    {
        let mut asked = told(true, &["T-1"]);
        asked.transactions[0].transaction_date = value(day);
        let decided = past([]).decide(asked, &at(1)).map_err(|error| error.code_of());
        assert_eq!(decided.is_ok(), fits, "{day}");
        assert!(fits || decided == Err("day-out-of-range"));
        let mut booked = told(true, &["T-1"]);
        booked.transactions[0].booking_date = Some(value(day));
        assert_eq!(past([]).decide(booked, &at(1)).is_ok(), fits, "booked on {day}");
    }
}

#[test]
fn what_is_recorded_is_categorized() {
    let categorize = |category: Option<&str>| Categorize {
        transaction_id: value("T-1"),
        category: category.map(value),
    };
    let categorized = |category: Option<&str>| Categorized {
        transaction_id: value("T-1"),
        category: category.map(value),
    };
    let unknown = past([]).decide(categorize(Some("food")), &at(1));
    let says = "the bank told of no transaction T-1 here";
    assert_refused(unknown, Rule, "aisp-transaction-not-found", says);
    let known = |events: Vec<AispAccountEvent>| past(events).knowing(facts(&["T-1"]));
    let food = known(vec![]).decide(categorize(Some("food")), &at(1));
    assert_eq!(food, one(categorized(Some("food"))));
    let so = || vec![categorized(Some("food")).into()];
    assert_eq!(known(so()).decide(categorize(Some("food")), &at(1)), NOTHING);
    assert_eq!(known(so()).decide(categorize(None), &at(1)), one(categorized(None)));
}

#[test]
fn what_is_unlinked_is_free_to_be_linked_anew() {
    let unlink = || Unlink { reason: None };
    assert_eq!(past([]).decide(unlink(), &at(1)), one(Unlinked { reason: None }));
    let gone = past([Unlinked { reason: None }.into()]);
    assert_eq!(gone.decide(unlink(), &at(1)), NOTHING);
    assert_eq!(gone.decide(RevokeConsent { reason: None }, &at(1)), NOTHING);
    let commands: [AispAccountCommand; 4] = [
        RenewConsent { consent_id: value("c"), consent_expires: after_noon(9) }.into(),
        read_balance(true).into(),
        told(true, &["T-1"]).into(),
        Categorize { transaction_id: value("T-1"), category: None }.into(),
    ];
    for command in commands {
        let says = "the account is unlinked; link it anew";
        assert_refused(gone.decide(command, &at(1)), Rule, "aisp-account-unlinked", says);
    }
    let opens = AispAccount::default().effects(BOB, &linked());
    let ends = past([]).state.effects(BOB, &Unlinked { reason: None }.into());
    assert_eq!((opens.lifecycle, opens.references), (Lifecycle::Opens, vec![ADA]));
    assert_eq!((ends.lifecycle, ends.releases), (Lifecycle::Closes, opens.claims));
}

#[test]
fn two_accounts_never_have_one_claim() {
    let claim = |bank: &str, account: &str| link_claim(ADA, &value(bank), &value(account));
    assert_ne!(claim("a/b", "c"), claim("a", "b/c"));
    assert_ne!(claim("A", "c"), claim("a", "c"), "case counts");
}

#[test]
fn nothing_is_asked_of_no_account() {
    let commands: [AispAccountCommand; 7] = [
        RenewConsent { consent_id: value("c"), consent_expires: after_noon(9) }.into(),
        RevokeConsent { reason: None }.into(),
        ExpireConsent {}.into(),
        read_balance(true).into(),
        told(true, &["T-1"]).into(),
        Categorize { transaction_id: value("T-1"), category: None }.into(),
        Unlink { reason: None }.into(),
    ];
    for command in commands {
        let nobodys = given::<AispAccount>([]);
        assert_eq!(nobodys.state.owner(BOB, &command), None);
        let refused = nobodys.decide(command, &at(1));
        let says = "there is no such linked account";
        assert_refused(refused, NotFound, "aisp-account-not-found", says);
    }
    assert_eq!(AispAccount::default().owner(BOB, &link().into()), Some(ADA));
    assert_eq!(past([]).state.owner(BOB, &Unlink { reason: None }.into()), Some(ADA));
}

/// The most reads that any 24 hours have, counted plainly.
fn most_in_a_day(times: &[DateTime<Utc>]) -> usize {
    let within = |from: DateTime<Utc>| {
        times.iter().filter(|time| **time >= from && **time - from < Duration::hours(24)).count()
    };
    times.iter().map(|from| within(*from)).max().unwrap_or(0)
}

proptest! {
    #[test]
    fn no_day_has_more_than_four_whatever_the_order(
        asked in proptest::collection::vec(0_i64..(5 * DAY), 1..60),
    ) {
        let mut reads = UnattendedReads::default();
        for minutes in asked {
            let time = after_noon(minutes);
            let mut with_it = reads.times().to_vec();
            with_it.push(time);
            let fits = most_in_a_day(&with_it) <= UNATTENDED_READS;
            prop_assert_eq!(reads.admit(time).is_ok(), fits);
            if fits {
                reads.add(time);
            }
        }
    }

    #[test]
    fn what_cannot_be_judged_any_more_is_refused(extra in 1_usize..40) {
        let mut reads = UnattendedReads::default();
        let every_six_hours = |n: usize| after_noon(i64::try_from(n).unwrap_or(0) * DAY / 4);
        for n in 0..(64 + extra) {
            prop_assert_eq!(reads.admit(every_six_hours(n)), Ok(()));
            reads.add(every_six_hours(n));
        }
        prop_assert_eq!(reads.times().len(), 64);
        let refused = reads.admit(every_six_hours(extra) - Duration::minutes(1));
        prop_assert_eq!(refused.map_err(|error| error.code_of()), Err("read-too-long-ago"));
    }
}
