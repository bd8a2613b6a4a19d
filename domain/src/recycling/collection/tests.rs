use proptest::prelude::*;
use serde_json::json;

use super::commands::{Cancel, Complete, Miss, RecordProcessing, Reschedule, Schedule};
use super::events::{Cancelled, Completed, Missed, ProcessingRecorded, Rescheduled, Scheduled};
use super::*;
use crate::aggregate::{Given, RefusalSort, given};
use crate::testing::{ADA, BOB, asked_as, assert_refused, personal, user, value};
use crate::values::{Money, UserRole, UserStatus};

use RefusalSort::{Exists, Invalid, NotFound, Rule};

type Decision = Result<Vec<CollectionEvent>, CollectionError>;

const NOTHING: Decision = Ok(vec![]);

fn one(event: impl Into<CollectionEvent>) -> Decision {
    Ok(vec![event.into()])
}

/// Asked on 2023-11-14.
fn driver() -> Context {
    asked_as(UserRole::Manager)
}

fn schedule() -> Schedule {
    serde_json::from_value(json!({
        "customer_id": ADA, "collection_type": "paper", "scheduled_date": "2023-11-13",
        "location_address": "1 Mill Lane\nPrague",
    }))
    .expect("a command")
}

fn scheduled() -> CollectionEvent {
    Scheduled {
        customer_id: ADA,
        collection_type: value("paper"),
        scheduled_date: value("2023-11-13"),
        location_address: personal("1 Mill Lane\nPrague"),
        notes: None,
    }
    .into()
}

fn completed(weight: &str) -> CollectionEvent {
    Completed { weight_kg: value(weight), actual_date: value("2023-11-13") }.into()
}

fn missed() -> CollectionEvent {
    Missed { reason: Some(value("snow")) }.into()
}

fn cancelled() -> CollectionEvent {
    Cancelled { reason: None }.into()
}

fn process(weight: &str) -> RecordProcessing {
    serde_json::from_value(json!({ "material_type": "paper", "weight_kg": weight }))
        .expect("a command")
}

fn processed(weight: &str) -> ProcessingRecorded {
    ProcessingRecorded {
        processing_id: driver().fresh_id(0),
        id_given: false,
        material_type: value("paper"),
        weight_kg: value(weight),
        recovery_rate: None,
        processing_date: value("2023-11-14"),
        facility_id: None,
        carbon_saved_kg: None,
    }
}

fn past(events: impl IntoIterator<Item = CollectionEvent>) -> Given<Collection> {
    given::<Collection>(std::iter::once(scheduled()).chain(events))
}

fn complete(weight: &str, day: Option<&str>) -> Complete {
    Complete { weight_kg: value(weight), actual_date: day.map(value) }
}

#[test]
fn it_is_scheduled_once_for_an_active_customer() {
    let knowing = |status| CollectionFacts { customer: Some(user(UserRole::User, status)) };
    let new = |status| given::<Collection>([]).knowing(knowing(status));
    let active = new(UserStatus::Active).decide(schedule(), &driver());
    assert_eq!(active, one(scheduled()));
    let again = past([]).decide(schedule(), &driver());
    let says = "a collection is scheduled under this id already";
    assert_refused(again, Exists, "collection-already-scheduled", says);
    let nobody = given::<Collection>([]).decide(schedule(), &driver());
    let says = format!("there is no user {ADA} to collect from");
    assert_refused(nobody, Rule, "customer-not-found", &says);
    for status in [UserStatus::Inactive, UserStatus::Suspended, UserStatus::Deleted] {
        let refused = new(status).decide(schedule(), &driver());
        let says = format!("the customer {ADA} is {status}, not active");
        assert_refused(refused, Rule, "customer-not-active", &says);
    }
    let opens = Collection::default().effects(BOB, &scheduled());
    assert_eq!((opens.lifecycle, opens.references), (Lifecycle::Opens, vec![ADA]));
}

#[test]
fn it_is_put_on_another_day_also_when_it_was_missed() {
    let to = |day: &str| Reschedule { scheduled_date: value(day) };
    let rescheduled =
        |day: &str| Rescheduled { from: value("2023-11-13"), scheduled_date: value(day) };
    assert_eq!(past([]).decide(to("2023-11-13"), &driver()), NOTHING);
    assert_eq!(past([]).decide(to("2023-11-20"), &driver()), one(rescheduled("2023-11-20")));
    let again = past([missed()]).decide(to("2023-11-13"), &driver());
    assert_eq!(again, one(rescheduled("2023-11-13")));
    let back = past([missed(), rescheduled("2023-11-20").into()]);
    assert_eq!(back.state.load().map(|load| load.status), Some(CollectionStatus::Scheduled));
    for (end, status) in [(completed("1.00"), "completed"), (cancelled(), "cancelled")] {
        let says = format!("a collection that is {status} cannot be rescheduled");
        let refused = past([end]).decide(to("2023-11-20"), &driver());
        assert_refused(refused, Rule, "collection-status", &says);
    }
}

#[test]
fn it_is_weighed_when_it_is_made() {
    let today = Completed { weight_kg: value("100.00"), actual_date: value("2023-11-14") };
    assert_eq!(past([]).decide(complete("100.00", None), &driver()), one(today));
    let on_its_day = past([]).decide(complete("100.00", Some("2023-11-13")), &driver());
    assert_eq!(on_its_day, one(completed("100.00")));
    let done = || past([completed("100.00")]);
    assert_eq!(done().decide(complete("100.00", None), &driver()), NOTHING);
    assert_eq!(done().decide(complete("100.00", Some("2023-11-13")), &driver()), NOTHING);
    let says = "the collection was completed on 2023-11-13 with 100.00 kg already";
    for otherwise in [complete("99.00", None), complete("100.00", Some("2023-11-12"))] {
        let refused = done().decide(otherwise, &driver());
        assert_refused(refused, Rule, "collection-already-completed", says);
    }
    for (end, status) in [(missed(), "missed"), (cancelled(), "cancelled")] {
        let says = format!("a collection that is {status} cannot be completed");
        let refused = past([end]).decide(complete("1.00", None), &driver());
        assert_refused(refused, Rule, "collection-status", &says);
    }
    // Where the sun rises first it is the fifteenth already.
    assert!(past([]).decide(complete("1.00", Some("2023-11-15")), &driver()).is_ok());
    let ahead = past([]).decide(complete("1.00", Some("2023-11-16")), &driver());
    let says = "2023-11-16 has not come: it is 2023-11-14";
    assert_refused(ahead, Invalid, "day-not-come", says);
}

#[test]
fn it_is_missed_or_called_off() {
    let miss = || Miss { reason: Some(value("snow")) };
    let cancel = || Cancel { reason: None };
    assert_eq!(past([]).decide(miss(), &driver()), one(missed()));
    assert_eq!(past([missed()]).decide(miss(), &driver()), NOTHING);
    assert_eq!(past([]).decide(cancel(), &driver()), one(cancelled()));
    assert_eq!(past([missed()]).decide(cancel(), &driver()), one(cancelled()));
    assert_eq!(past([cancelled()]).decide(cancel(), &driver()), NOTHING);
    for (end, status) in [(completed("1.00"), "completed"), (cancelled(), "cancelled")] {
        let says = format!("a collection that is {status} cannot be missed");
        assert_refused(past([end]).decide(miss(), &driver()), Rule, "collection-status", &says);
    }
    let refused = past([completed("1.00")]).decide(cancel(), &driver());
    let says = "a collection that is completed cannot be cancelled";
    assert_refused(refused, Rule, "collection-status", says);
}

#[test]
fn what_is_processed_never_weighs_more_than_what_was_collected() {
    let made = || past([completed("100.00"), processed("60.50").into()]);
    assert_eq!(made().decide(process("39.50"), &driver()), one(processed("39.50")));
    let refused = made().decide(process("39.51"), &driver());
    let says = "collected 100.00 kg, processed 60.50 kg so far, asked 39.51 kg";
    assert_refused(refused, Rule, "more-than-collected", says);
    for (events, status) in
        [(vec![], "scheduled"), (vec![missed()], "missed"), (vec![cancelled()], "cancelled")]
    {
        let refused = past(events).decide(process("1.00"), &driver());
        let says = format!("a collection that is {status} cannot be processed");
        assert_refused(refused, Rule, "collection-status", &says);
    }
}

#[test]
fn it_is_processed_between_the_day_it_was_collected_and_today() {
    let on = |day: &str| RecordProcessing { processing_date: Some(value(day)), ..process("1.00") };
    let made = || past([completed("100.00")]);
    assert!(made().decide(on("2023-11-13"), &driver()).is_ok());
    let early = made().decide(on("2023-11-12"), &driver());
    let says = "it was collected on 2023-11-13 and cannot be processed on 2023-11-12, before that";
    assert_refused(early, Rule, "processed-before-collected", says);
    let says = "2023-11-16 has not come: it is 2023-11-14";
    assert_refused(made().decide(on("2023-11-16"), &driver()), Invalid, "day-not-come", says);
}

#[test]
fn an_id_that_was_given_is_used_once() {
    let given_id = RecordProcessing { processing_id: Some(BOB), ..process("1.00") };
    let decided = past([completed("100.00")]).decide(given_id, &driver()).expect("processed");
    let expected = ProcessingRecorded { processing_id: BOB, id_given: true, ..processed("1.00") };
    assert_eq!(decided, [expected.into()]);
    let claims = Collection::default().effects(ADA, &decided[0]).claims;
    assert_eq!(claims, [Claim::new("recycling_processing.id", BOB.to_string())]);
    let without = Collection::default().effects(ADA, &processed("1.00").into());
    assert_eq!(without, Effects::default());
}

#[test]
fn nothing_is_asked_of_no_collection() {
    let commands: [CollectionCommand; 5] = [
        Reschedule { scheduled_date: value("2023-11-20") }.into(),
        complete("1.00", None).into(),
        Miss { reason: None }.into(),
        Cancel { reason: None }.into(),
        process("1.00").into(),
    ];
    for command in commands {
        let nothing = given::<Collection>([]);
        assert_eq!(nothing.state.owner(BOB, &command), None);
        let refused = nothing.decide(command, &driver());
        assert_refused(refused, NotFound, "collection-not-found", "there is no such collection");
    }
    assert_eq!(Collection::default().owner(BOB, &schedule().into()), Some(ADA));
    assert_eq!(past([]).state.owner(BOB, &Miss { reason: None }.into()), Some(ADA));
}

proptest! {
    #[test]
    fn processings_add_up_to_what_was_collected_at_most(
        collected in 1_i64..50_000,
        weights in proptest::collection::vec(1_i64..20_000, 1..30),
    ) {
        let weight = |hundredths: i64| {
            Money::from_hundredths(hundredths).and_then(|w| Weight::try_from(w).ok()).expect("a weight")
        };
        let made = Completed { weight_kg: weight(collected), actual_date: value("2023-11-13") };
        let mut state = past([made.into()]).state;
        let mut sum = 0;
        for hundredths in weights {
            let asked = RecordProcessing { weight_kg: weight(hundredths), ..process("1.00") };
            let decided = state.decide(&asked.into(), &CollectionFacts::default(), &driver());
            prop_assert_eq!(decided.is_ok(), sum + hundredths <= collected);
            for event in decided.into_iter().flatten() {
                state.apply(&event);
                sum += hundredths;
            }
        }
        prop_assert_eq!(state.load().map(|load| load.processed), Some(sum));
    }
}
