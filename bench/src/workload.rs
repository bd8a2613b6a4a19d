//! What is written: accounts of ten events each, opened once and then paid into and out of, as the
//! domain would have decided them. An event has about 300 bytes of JSON, and about 100 of metadata.

use chrono::{DateTime, Utc};
use daybook_app::world::fresh_id;
use daybook_domain::banking::account::AccountEvent;
use daybook_domain::message::EventMessage;
use daybook_store::{AppendRequest, CommandKey, Life, Metadata, NewEvent, StreamWrite};
use serde_json::value::RawValue;
use uuid::Uuid;

/// How many events a stream has.
pub(crate) const STREAM_EVENTS: i64 = 10;
/// The kind of all streams written here.
pub(crate) const KIND: &str = "banking.account";

const AGENT: &str = "daybook-bench/1.0";

/// Writes one stream after another.
#[derive(Debug, Clone)]
pub(crate) struct Streams {
    owner: Uuid,
    stream: Uuid,
    version: i64,
    balance: i64,
    length: i64,
}

/// An event and its place in its stream.
pub(crate) struct Place {
    pub(crate) stream: Uuid,
    /// The version before it.
    pub(crate) before: i64,
    pub(crate) event: NewEvent,
}

impl Streams {
    /// Streams of ten events of an owner who exists.
    pub(crate) fn of(owner: Uuid) -> Self {
        Self::with_length(owner, STREAM_EVENTS)
    }

    /// Streams of so many events.
    pub(crate) fn with_length(owner: Uuid, length: i64) -> Self {
        Self { owner, stream: fresh_id(), version: 0, balance: 0, length }
    }

    /// The next event.
    pub(crate) fn next(&mut self) -> Place {
        if self.version == self.length {
            *self = Self::with_length(self.owner, self.length);
        }
        let before = self.version;
        self.version += 1;
        let event = if before == 0 { self.opened() } else { self.entry() };
        Place { stream: self.stream, before, event }
    }

    /// One event as a request of its own.
    pub(crate) fn request(&mut self) -> AppendRequest {
        let Place { stream, before, event } = self.next();
        request(self.owner, vec![write(stream, before, vec![event])])
    }

    /// A request of so many events, of as many streams as that takes.
    pub(crate) fn large_request(&mut self, events: usize) -> AppendRequest {
        let mut writes: Vec<StreamWrite> = Vec::new();
        for _ in 0..events {
            let Place { stream, before, event } = self.next();
            match writes.last_mut() {
                Some(last) if last.stream_id == stream => last.events.push(event),
                _ => writes.push(write(stream, before, vec![event])),
            }
        }
        request(self.owner, writes)
    }

    fn opened(&self) -> NewEvent {
        let data = format!(
            r#"{{"user_id":"{}","account_name":"Daily expenses, holidays and everything else that a household needs over the year","account_type":"checking","account_number":"{}","currency":"CZK","overdraft_limit":"0.00"}}"#,
            self.owner,
            self.stream.simple(),
        );
        NewEvent {
            life: Life::Opens,
            references: vec![self.owner],
            ..event("banking.account.opened", data)
        }
    }

    /// In twice as often as out, and less out than in, so that it never goes below zero.
    fn entry(&mut self) -> NewEvent {
        let out = self.version % 3 == 0;
        let amount = if out { 4_000 } else { 12_345 + self.version };
        let (name, sort, direction) = if out {
            self.balance -= amount;
            ("banking.account.withdrawn", "withdrawal", "debit")
        } else {
            self.balance += amount;
            ("banking.account.deposited", "deposit", "credit")
        };
        let data = format!(
            r#"{{"transaction_id":"{}","transaction_type":"{sort}","direction":"{direction}","amount":"{}","currency":"CZK","status":"completed","balance_after":"{}","description":"Invoice {:08}, paid at the counter in cash by the owner"}}"#,
            fresh_id(),
            money(amount),
            money(self.balance),
            self.version,
        );
        event(name, data)
    }
}

/// What the floor keeps beside an event: as much as the log keeps, as JSON.
pub(crate) fn metadata(actor: Uuid) -> String {
    format!(r#"{{"actor_id":"{actor}","correlation_id":"{}","agent":"{AGENT}"}}"#, fresh_id())
}

/// An event's JSON, checked as every client would.
pub(crate) fn raw(text: String) -> Result<Box<RawValue>, serde_json::Error> {
    RawValue::from_string(text)
}

/// Reads an event as the domain does.
pub(crate) fn typed(name: &str, version: i16, data: &str) -> Result<AccountEvent, crate::Trouble> {
    Ok(AccountEvent::decode(name, version, data)?)
}

/// The time, for requests that carry one.
pub(crate) fn now() -> DateTime<Utc> {
    daybook_app::world::now()
}

fn event(event_type: &'static str, data: String) -> NewEvent {
    NewEvent {
        event_type,
        schema_version: 1,
        data,
        occurred_at: None,
        life: Life::Goes,
        claims: Vec::new(),
        releases: Vec::new(),
        references: Vec::new(),
        holds: Vec::new(),
        unholds: Vec::new(),
    }
}

fn write(stream_id: Uuid, expected_version: i64, events: Vec<NewEvent>) -> StreamWrite {
    StreamWrite { stream_id, kind: KIND, expected_version, events }
}

fn request(actor: Uuid, writes: Vec<StreamWrite>) -> AppendRequest {
    let id = fresh_id();
    let mut fingerprint = [0; 32];
    fingerprint[..16].copy_from_slice(id.as_bytes());
    AppendRequest {
        command: CommandKey { scope: actor, id, fingerprint },
        metadata: Metadata {
            actor_id: actor,
            correlation_id: id,
            user_agent: Some(AGENT.to_owned()),
            ..Metadata::default()
        },
        writes,
        guards: Vec::new(),
        chains: Vec::new(),
    }
}

fn money(hundredths: i64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use daybook_domain::aggregate::Aggregate;
    use daybook_domain::banking::account::Account;

    use super::*;

    #[test]
    fn events_are_the_domains_and_about_as_large_as_they_should_be() {
        let mut streams = Streams::of(Uuid::from_u128(7));
        let mut account = Account::default();
        let mut bytes = 0;
        for _ in 0..STREAM_EVENTS {
            let Place { event, .. } = streams.next();
            bytes += event.data.len();
            account.apply(&typed(event.event_type, 1, &event.data).unwrap());
        }
        let each = bytes / 10;
        assert!((250..=330).contains(&each), "{each} bytes an event");
        let size = metadata(Uuid::from_u128(7)).len();
        assert!((90..=150).contains(&size), "{size} bytes of metadata");
    }

    #[test]
    fn large_requests_go_on_where_the_last_one_ended() {
        let mut streams = Streams::of(Uuid::from_u128(7));
        let first = streams.large_request(15);
        let second = streams.large_request(15);
        assert_eq!(
            first.writes.iter().map(|write| write.events.len()).collect::<Vec<_>>(),
            [10, 5]
        );
        assert_eq!(second.writes[0].stream_id, first.writes[1].stream_id);
        assert_eq!(second.writes[0].expected_version, 5);
    }
}
