use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::aggregate::RefusalSort::Rule;
use crate::aggregate::{Given, fold, given};
use crate::testing::*;
use crate::values::UserRole;

const SERVER: Uuid = Uuid::from_u128(0x5e7);

fn asked() -> Context {
    asked_as(UserRole::Manager)
}

fn sample(metric: &str, seconds: i64, measured: &str) -> Sample {
    Sample {
        metric_type: value(metric),
        value: value(measured),
        unit: value("percent"),
        recorded_at: noon() + Duration::seconds(seconds),
    }
}

fn record(samples: Vec<Sample>) -> Record {
    Record { server_id: SERVER, samples, first: 0 }
}

fn decide(week: &Given<Usage>, samples: Vec<Sample>) -> Vec<UsageEvent> {
    week.decide(record(samples), &asked()).expect("room enough")
}

fn taken(events: &[UsageEvent]) -> Vec<(Uuid, String, i64, String)> {
    let of_event = |event: &UsageEvent| {
        let UsageEvent::Recorded(event) = event;
        let told = |(id, series, Point(at, measured)): (Uuid, &Series, Point)| {
            let seconds = (at - noon()).num_seconds();
            (id, series.metric_type.to_string(), seconds, measured.to_string())
        };
        event.samples().map(told).collect::<Vec<_>>()
    };
    events.iter().flat_map(of_event).collect()
}

#[test]
fn a_sample_is_taken_once_and_the_first_one_stands() {
    let first = decide(
        &given([]),
        vec![
            sample("cpu", 300, "2"),
            sample("cpu", 0, "1"),
            sample("cpu", 0, "9"),
            sample("io", 0, "3"),
        ],
    );
    let id = |n| asked().fresh_id(n);
    let expected = [
        (id(0), "cpu".to_owned(), 0, "1".to_owned()),
        (id(1), "cpu".to_owned(), 300, "2".to_owned()),
        (id(2), "io".to_owned(), 0, "3".to_owned()),
    ];
    assert_eq!(taken(&first), expected);

    let again = decide(&given(first.clone()), vec![sample("cpu", 0, "8"), sample("cpu", 300, "2")]);
    assert_eq!(again, []);
    let more = decide(&given(first), vec![sample("cpu", 300, "2"), sample("io", 300, "4")]);
    assert_eq!(taken(&more), [(id(0), "io".to_owned(), 300, "4".to_owned())]);
}

#[test]
fn one_metric_in_two_units_is_one_metric() {
    let percent = sample("cpu", 0, "50");
    let share = Sample { unit: value("share"), ..sample("cpu", 60, "0.5") };
    let events = decide(&given([]), vec![percent, share.clone()]);
    let UsageEvent::Recorded(event) = &events[0];
    assert_eq!(event.series.len(), 2);
    let same_instant = Sample { unit: value("percent"), ..share };
    assert_eq!(decide(&given(events), vec![same_instant]), []);
}

#[test]
fn instants_are_told_apart_by_microseconds() {
    let nanos =
        |n| Sample { recorded_at: noon() + Duration::nanoseconds(n), ..sample("cpu", 0, "1") };
    let events = decide(&given([]), vec![nanos(1_000), nanos(1_999), nanos(2_000)]);
    assert_eq!(taken(&events).len(), 2);
}

#[test]
fn no_event_is_large_and_no_two_samples_have_one_id() {
    let samples: Vec<_> = (0..2_500).map(|n| sample("cpu", n * 60, "1")).collect();
    let commands = by_week(SERVER, &samples);
    let streams: Vec<_> = commands.keys().copied().collect();
    assert_eq!(streams, [Week::of(noon()).stream_of(SERVER)]);
    let events = decide(&given([]), samples);
    let sizes: Vec<_> =
        events.iter().map(|event| taken(std::slice::from_ref(event)).len()).collect();
    assert_eq!(sizes, [1_000, 1_000, 500]);

    let weekly: Vec<_> = (0..100).map(|n| sample("cpu", n * 86_400, "1")).collect();
    let commands = by_week(SERVER, &weekly);
    assert_eq!(commands.len(), 15, "a Tuesday and the 99 days after it");
    let decided =
        commands.into_values().map(|record| Usage::default().decide(&record.into(), &(), &asked()));
    let ids: BTreeSet<Uuid> =
        decided.flat_map(|events| taken(&events.unwrap())).map(|(id, ..)| id).collect();
    assert_eq!(ids.len(), 100);
}

#[test]
fn a_delivery_is_divided_by_weeks_that_are_the_same_for_ever() {
    let at = |text: &str| text.parse::<DateTime<Utc>>().expect(text);
    for (instant, week, monday) in [
        ("2024-01-01T00:00:00Z", "2024-W01", "2024-01-01"),
        ("2024-01-07T23:59:59.999999Z", "2024-W01", "2024-01-01"),
        ("2024-01-08T00:00:00Z", "2024-W02", "2024-01-08"),
        ("2023-01-01T12:00:00Z", "2022-W52", "2022-12-26"),
        ("2020-12-31T12:00:00Z", "2020-W53", "2020-12-28"),
        ("2021-01-03T12:00:00Z", "2020-W53", "2020-12-28"),
        ("1970-01-01T00:00:00Z", "1970-W01", "1969-12-29"),
    ] {
        let found = Week::of(at(instant));
        assert_eq!((found.to_string(), found.monday().to_string()), (week.into(), monday.into()));
    }
    let stream = Week::of(at("2024-01-03T00:00:00Z")).stream_of(SERVER);
    assert_eq!(stream.to_string(), "7e48bc21-f056-596b-866f-ba5ab1a954c2");
}

#[test]
fn a_week_without_steps_is_full_some_time() {
    // No three of these are at equal steps from each other.
    let instants = |n: i64| n * 1_000 + (n * n) % 997;
    let mut state = Usage::default();
    let metric = value("cpu");
    let mut n = 0;
    while state.runs() < MAX_RUNS {
        state.add(&metric, noon() + Duration::microseconds(instants(n)));
        n += 1;
    }
    let mut full: Given<Usage> = given([]);
    full.state = state;
    assert_eq!(decide(&full, vec![Sample { recorded_at: noon(), ..sample("cpu", 0, "1") }]), []);
    let more = vec![sample("io", 0, "1"), sample("io", 1, "1"), sample("io", 3, "1")];
    let says = "a server's week has room for 100000 runs of samples at equal steps, with these it would have 100002";
    assert_refused(full.decide(record(more), &asked()), Rule, "usage-too-irregular", says);
}

#[test]
fn its_first_samples_open_it_and_refer_to_the_server() {
    let events = decide(&given([]), vec![sample("cpu", 0, "1")]);
    let effects = Usage::default().effects(BOB, &events[0]);
    assert_eq!((effects.lifecycle, effects.references), (Lifecycle::Opens, vec![SERVER]));
    assert_eq!(fold::<Usage>(&events).effects(BOB, &events[0]), Effects::default());
}

proptest! {
    /// However deliveries are cut, repeated and mixed: each sample is taken exactly once, under an
    /// id of its own, and the state folded from what the log gives back is the one kept.
    #[test]
    fn deliveries_in_any_cut_take_each_sample_once(
        deliveries in vec(vec((0..3_usize, 0..40_i64), 1..30), 1..8),
    ) {
        let metrics = ["cpu", "io", "net"];
        let mut state = Usage::default();
        let mut seen = BTreeMap::new();
        let mut events = Vec::new();
        for (n, delivery) in deliveries.iter().enumerate() {
            let samples: Vec<_> =
                delivery.iter().map(|(m, s)| sample(metrics[*m], s * 60, &n.to_string())).collect();
            let context = Context { seed: Uuid::from_u128((1 << 80) + ((n as u128) << 16)), ..asked() };
            let decided = state.decide(&record(samples).into(), &(), &context).unwrap();
            for (id, metric, at, measured) in taken(&decided) {
                prop_assert_eq!(&measured, &n.to_string());
                prop_assert!(seen.insert((metric, at), id).is_none());
            }
            for event in &decided {
                state.apply(event);
                events.push(through_json(event));
            }
        }
        let wanted: BTreeSet<_> = deliveries.iter().flatten()
            .map(|(m, s)| (metrics[*m].to_owned(), s * 60)).collect();
        prop_assert_eq!(seen.keys().cloned().collect::<BTreeSet<_>>(), wanted);
        let ids: BTreeSet<_> = seen.values().collect();
        prop_assert_eq!(ids.len(), seen.len());
        prop_assert_eq!(fold::<Usage>(&events), state);
    }
}
