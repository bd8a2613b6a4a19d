//! Who signs in, and whom failures lock.

use super::*;

#[test]
fn only_active_users_sign_in() {
    assert_eq!(ada([]).decide(RecordLogin {}, &admin()), one(LoggedIn {}));
    for (event, says) in [
        (suspended(), "the user is suspended, not active"),
        (Deactivated {}.into(), "the user is inactive, not active"),
        (deleted(), "the user is deleted, not active"),
    ] {
        let past = ada([event]);
        assert_refused(past.decide(RecordLogin {}, &admin()), Rule, "user-not-active", says);
        assert_refused(past.decide(RecordFailedLogin {}, &admin()), Rule, "user-not-active", says);
    }
}

#[test]
fn five_failures_in_a_row_lock_for_fifteen_minutes() {
    let fail = |past: Given<User>, minutes| past.decide(RecordFailedLogin {}, &at(minutes));
    assert_eq!(fail(ada([]), 0), Ok(vec![failed(1, None)]));
    assert_eq!(fail(ada([failed(3, None)]), 0), Ok(vec![failed(4, None)]));
    assert_eq!(fail(ada([failed(4, None)]), 0), Ok(vec![failed(5, Some(15))]));
    // A success in between begins anew.
    assert_eq!(fail(ada([failed(4, None), LoggedIn {}.into()]), 0), Ok(vec![failed(1, None)]));

    let locked = || ada([failed(5, Some(15))]);
    let says =
        "after 5 failures in a row nobody can sign in as this user until 2023-11-14T22:28:20Z";
    assert_refused(locked().decide(RecordLogin {}, &at(14)), Rule, "user-locked", says);
    assert_eq!(fail(locked(), 14), NOTHING, "the lock is not stretched");
    assert_eq!(locked().decide(RecordLogin {}, &at(15)), one(LoggedIn {}));
    assert_eq!(fail(locked(), 15), Ok(vec![failed(1, None)]), "the count begins anew");
}

#[test]
fn locks_go_by_when_it_happened() {
    let later = Context { occurred_at: Some(after_noon(0)), ..at(60) };
    let past = ada([failed(5, Some(15))]);
    assert!(past.decide(RecordLogin {}, &later).is_err());
    assert!(past.decide(RecordLogin {}, &at(60)).is_ok());
}

#[test]
fn a_lock_is_opened_by_an_administrator() {
    let past = ada([failed(5, Some(15))]);
    assert_eq!(past.decide(Unlock {}, &admin()), one(Unlocked {}));
    assert_eq!(ada([]).decide(Unlock {}, &admin()), NOTHING);
    let open = ada([failed(5, Some(15)), Unlocked {}.into()]);
    assert_eq!(open.decide(RecordLogin {}, &admin()), one(LoggedIn {}));
}
