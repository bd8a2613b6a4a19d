//! An event for the tests here.

use std::net::{IpAddr, Ipv4Addr};

use chrono::DateTime;
use daybook_store::{Dependency, Metadata, Recorded};
use serde_json::value::RawValue;
use uuid::Uuid;

/// An event with a secret, text that must be quoted, and dependencies.
pub(super) fn event() -> Recorded {
    let data = "{\"email\": \"a@b\", \"password_hash\": \"s3cret\"}";
    Recorded {
        position: 7,
        recorded_at: DateTime::from_timestamp_micros(1_769_860_800_000_001).expect("a time"),
        occurred_at: None,
        lane: 3,
        lane_seq: 2,
        stream_id: Uuid::from_u128(10),
        version: 1,
        event_type: "identity.user.registered".to_owned(),
        schema_version: 1,
        data: RawValue::from_string(data.to_owned()).expect("JSON"),
        command_id: Uuid::from_u128(11),
        metadata: Metadata {
            actor_id: Uuid::from_u128(12),
            tenant_id: None,
            correlation_id: Uuid::from_u128(13),
            causation_id: None,
            session_id: None,
            ip_address: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))),
            user_agent: Some("a \"test\"\nof two, lines".to_owned()),
            traceparent: None,
        },
        after: vec![Dependency { lane: 1, lane_seq: 5 }, Dependency { lane: 2, lane_seq: 6 }],
    }
}
