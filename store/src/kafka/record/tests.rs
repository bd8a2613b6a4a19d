//! What goes into a record comes out of it.

use chrono::TimeZone;
use proptest::option;
use proptest::prelude::*;
use rdkafka::Timestamp;
use rdkafka::message::OwnedMessage;
use uuid::Uuid;

use super::*;

fn message(record: &Record) -> OwnedMessage {
    OwnedMessage::new(
        Some(record.value.get().as_bytes().to_vec()),
        Some(record.key.as_bytes().to_vec()),
        "daybook.events".to_owned(),
        Timestamp::CreateTime(record.timestamp),
        record.partition,
        7,
        Some(record.headers.clone()),
    )
}

fn id() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

/// Any microsecond from 1700 to 2200.
fn moment() -> impl Strategy<Value = DateTime<Utc>> {
    (-8_520_336_000_000_000_i64..7_258_118_400_000_000)
        .prop_map(|micros| Utc.timestamp_micros(micros).unwrap())
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)]
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let ids = (id(), option::of(id()), id(), option::of(id()), option::of(id()));
    (ids, option::of(address()), option::of("\\PC{0,40}"), option::of("[0-9a-f-]{55}")).prop_map(
        |((actor_id, tenant_id, correlation_id, causation_id, session_id), ip, agent, trace)| {
            Metadata {
                actor_id,
                tenant_id,
                correlation_id,
                causation_id,
                session_id,
                ip_address: ip,
                user_agent: agent,
                traceparent: trace,
            }
        },
    )
}

fn dependencies() -> impl Strategy<Value = Vec<Dependency>> {
    let one = (0..LANES, 1..i64::MAX).prop_map(|(lane, lane_seq)| Dependency { lane, lane_seq });
    prop::collection::vec(one, 0..5)
}

/// Data as the log gives it back: text in any language, numbers as text, nothing, lists.
fn data() -> impl Strategy<Value = Box<RawValue>> {
    prop::collection::btree_map("[a-z_]{1,12}", option::of("\\PC{0,30}"), 0..6)
        .prop_map(|fields| serde_json::value::to_raw_value(&fields).unwrap())
}

fn recorded() -> impl Strategy<Value = Recorded> {
    let places = (1..i64::MAX, 0..LANES, 1..i64::MAX, 1..i64::MAX);
    let times = (moment(), option::of(moment()));
    let what = ("[a-z]{1,9}\\.[a-z_]{1,9}\\.[a-z_]{1,9}", 1..i16::MAX, data());
    (places, times, what, id(), id(), metadata(), dependencies()).prop_map(
        |(
            (position, lane, lane_seq, version),
            (recorded_at, occurred_at),
            (event_type, schema_version, data),
            stream_id,
            command_id,
            metadata,
            after,
        )| Recorded {
            position,
            recorded_at,
            occurred_at,
            lane,
            lane_seq,
            stream_id,
            version,
            event_type,
            schema_version,
            data,
            command_id,
            metadata,
            after,
        },
    )
}

/// All of an event, to be compared: debug output has every field.
fn all(event: &Recorded) -> String {
    format!("{event:?}")
}

proptest! {
    #[test]
    fn every_event_survives_its_record(event in recorded(), epoch in 1..i64::MAX) {
        let arrived = Arrived::of(&message(&Record::of(&event, epoch).unwrap())).unwrap();
        prop_assert_eq!(arrived.epoch, epoch);
        if arrived.redacted {
            let whole = redacted(&event.data).unwrap().unwrap();
            prop_assert_eq!(all(&arrived.event), all(&Recorded { data: whole, ..event }));
        } else {
            prop_assert_eq!(all(&arrived.event), all(&event));
        }
    }

    #[test]
    fn no_bytes_make_it_fail(
        value in option::of(any::<Vec<u8>>()),
        headers in prop::collection::vec(("[a-z_-]{1,16}", option::of(any::<Vec<u8>>())), 0..8),
    ) {
        let headers = headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: value.as_ref() })
        });
        let message = OwnedMessage::new(
            value, None, "t".to_owned(), Timestamp::NotAvailable, 3, 0, Some(headers),
        );
        prop_assert!(Arrived::of(&message).is_err());
    }
}

fn plain(data: &str) -> Recorded {
    Recorded {
        position: 12,
        recorded_at: Utc.timestamp_opt(1_780_000_000, 120_000).unwrap(),
        occurred_at: None,
        lane: 5,
        lane_seq: 3,
        stream_id: Uuid::from_u128(9),
        version: 1,
        event_type: "identity.user.registered".to_owned(),
        schema_version: 1,
        data: RawValue::from_string(data.to_owned()).unwrap(),
        command_id: Uuid::from_u128(10),
        metadata: Metadata::default(),
        after: vec![Dependency { lane: 2, lane_seq: 40 }, Dependency { lane: 63, lane_seq: 1 }],
    }
}

#[test]
fn secrets_stay_at_home() {
    let record = Record::of(&plain("{\"name\":\"a\",\"password_hash\":\"s3cret\"}"), 1).unwrap();
    assert!(!format!("{record:?}").contains("s3cret"));
    assert!(Arrived::of(&message(&record)).unwrap().redacted);
}

#[test]
fn headers_are_cloud_events() {
    let record = Record::of(&plain("{}"), 4).unwrap();
    let header = |name: &str| {
        let header = record.headers.iter().find(|header| header.key == name)?;
        Some(String::from_utf8(header.value?.to_vec()).unwrap())
    };
    for (name, value) in [
        ("ce_specversion", "1.0"),
        ("ce_id", "12"),
        ("ce_source", "/daybook/log/4"),
        ("ce_type", "identity.user.registered"),
        ("ce_subject", "00000000-0000-0000-0000-000000000009"),
        ("ce_time", "2026-05-28T20:26:40.000120Z"),
        ("content-type", "application/json"),
        ("ce_laneseq", "3"),
        ("ce_after", "2:40,63:1"),
    ] {
        assert_eq!(header(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(header("ce_tenantid"), None);
    assert_eq!(lane_seq_of(&message(&record)), Some(3));
}

#[test]
fn a_record_in_another_partition_is_not_ours() {
    let mut record = Record::of(&plain("{}"), 1).unwrap();
    record.partition = 6;
    assert_eq!(
        Arrived::of(&message(&record)).unwrap_err(),
        Foreign::Misplaced { lane: 5, partition: 6 }
    );
}
