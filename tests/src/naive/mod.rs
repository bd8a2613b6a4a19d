//! Entities as they were, asked for as people ask, against a naive fold of the stored events: pairs of an
//! entity and a moment, drawn from a printed seed (`DAYBOOK_SEED` draws the same ones again). Moments are
//! instants, positions and versions. Most are asked of what answers HTTP, within this process; some of
//! the service itself.

mod fold;

use std::collections::BTreeMap;
use std::str::FromStr as _;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use daybook_projector::queries::past::{self, Upto};
use daybook_store::Log;
use futures::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Map, Value};
use sqlx::types::Json;
use uuid::Uuid;

use crate::Service;
use fold::{KINDS, Rows, Stored};

/// How many of a hundred pairs are asked for over HTTP.
const OVER_HTTP: usize = 8;
/// How many are asked for at a time.
const AT_ONCE: usize = 4;

/// Every stream that is folded here, with its events in order.
struct History {
    by_kind: BTreeMap<String, Vec<Uuid>>,
    events: BTreeMap<Uuid, Vec<Stored>>,
    /// The moments of the log, by position.
    recorded_at: Vec<DateTime<Utc>>,
}

/// A stored event with its stream.
type EventRow =
    (Uuid, i64, i64, DateTime<Utc>, Option<DateTime<Utc>>, String, Uuid, Json<Map<String, Value>>);

impl History {
    async fn of(service: &Service) -> Self {
        let mut database = service.database.superuser().await;
        let rows: Vec<EventRow> = sqlx::query_as(
            "SELECT stream_id, position, version, recorded_at, occurred_at, event_type, actor_id, data
             FROM journal.events ORDER BY position",
        )
        .fetch_all(&mut database)
        .await
        .expect("the log");
        let mut history =
            Self { by_kind: BTreeMap::new(), events: BTreeMap::new(), recorded_at: Vec::new() };
        for (stream, position, version, recorded_at, occurred_at, event_type, actor, data) in rows {
            history.recorded_at.push(recorded_at);
            assert_eq!(history.recorded_at.len() as i64, position, "positions are dense");
            let kind = event_type.rsplit_once('.').expect("a kind").0.to_owned();
            if !KINDS.iter().any(|(known, _)| *known == kind) {
                continue;
            }
            if version == 1 {
                history.by_kind.entry(kind).or_default().push(stream);
            }
            history.events.entry(stream).or_default().push(Stored {
                position,
                version,
                recorded_at,
                happened_at: occurred_at.unwrap_or(recorded_at),
                event_type,
                actor,
                data: data.0,
            });
        }
        history
    }

    /// A stream and a moment: near one of its own events, or anywhere in the log.
    fn draw(&self, kind: &str, dice: &mut fastrand::Rng) -> Pair {
        let streams = &self.by_kind[kind];
        let stream = streams[dice.usize(..streams.len())];
        let events = &self.events[&stream];
        let near = &events[dice.usize(..events.len())];
        let last = self.recorded_at.len();
        let upto = match dice.usize(..6) {
            0 => Upto::Version(near.version),
            1 => Upto::Position(near.position - i64::from(dice.bool())),
            2 => Upto::Position(dice.i64(1..=last as i64)),
            3 => Upto::Instant(near.recorded_at),
            4 => Upto::Instant(near.recorded_at - TimeDelta::microseconds(1)),
            _ => Upto::Instant(self.recorded_at[dice.usize(..last)]),
        };
        Pair { stream, upto, over_http: dice.usize(..100) < OVER_HTTP }
    }

    /// The stream's events up to there.
    fn upto(&self, pair: &Pair) -> impl Iterator<Item = &Stored> {
        let Pair { stream, upto, .. } = *pair;
        self.events[&stream].iter().take_while(move |event| match upto {
            Upto::Version(version) => event.version <= version,
            Upto::Position(position) => event.position <= position,
            Upto::Instant(instant) => event.recorded_at <= instant,
        })
    }
}

#[derive(Debug, Clone)]
struct Pair {
    stream: Uuid,
    upto: Upto,
    over_http: bool,
}

/// Draws so many pairs of each of these kinds, and compares every field that is folded here. Gives how
/// many pairs agreed.
///
/// # Panics
/// When one does not, with the seed.
pub async fn agrees(service: &Service, pairs: &[(&str, usize)]) -> usize {
    let given = std::env::var("DAYBOOK_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("pairs of an entity and a moment: DAYBOOK_SEED={seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let history = History::of(service).await;
    let drawn: Vec<Pair> = pairs
        .iter()
        .flat_map(|(kind, count)| std::iter::repeat_n(*kind, *count))
        .map(|kind| history.draw(kind, &mut dice))
        .collect();
    let log = Log::new(service.database.pools().await.projector);
    let (history, log) = (&history, &log);
    let asked = stream::iter(&drawn).map(|pair| async move {
        let wanted = fold::fold(pair.stream, history.upto(pair));
        if pair.over_http {
            over_http(service, history, pair, &wanted).await;
        } else {
            in_here(log, history, pair, &wanted).await;
        }
    });
    asked.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    let by_http = drawn.iter().filter(|pair| pair.over_http).count();
    let some = drawn.iter().filter(|pair| history.upto(pair).next().is_some()).count();
    eprintln!(
        "{} pairs agree, {by_http} over HTTP, {} of nothing",
        drawn.len(),
        drawn.len() - some
    );
    assert!(by_http > 0 && some * 2 > drawn.len(), "moments before the beginning are the fewer");
    drawn.len()
}

/// Asks the function that HTTP asks.
async fn in_here(log: &Log, history: &History, pair: &Pair, wanted: &Rows) {
    let past = past::fold(log, pair.stream, pair.upto).await.expect("the past");
    let last = history.upto(pair).last();
    let made_by = past.made_by.map(|event| (event.position, event.event_type));
    assert_eq!(past.version, last.map_or(0, |event| event.version), "{pair:?}");
    assert_eq!(made_by, last.map(|event| (event.position, event.event_type.clone())), "{pair:?}");
    let tables: Vec<&str> = wanted.keys().map(|(table, _)| *table).collect();
    let found: Vec<(&str, Value)> = past
        .rows
        .iter()
        .filter(|row| tables.contains(&row.table))
        .map(|row| (row.table, serde_json::from_str(row.row.get()).expect("JSON")))
        .collect();
    assert_eq!(found.len(), wanted.len(), "{pair:?}");
    for (table, row) in found {
        let id = row["id"].as_str().expect("an id").to_owned();
        let fields = wanted.get(&(table, id)).unwrap_or_else(|| panic!("{pair:?}: {table} {row}"));
        same(pair, fields, &row);
    }
}

/// Asks the service, which answers with the entity's own row.
async fn over_http(service: &Service, history: &History, pair: &Pair, wanted: &Rows) {
    let kind = history.events[&pair.stream][0].event_type.rsplit_once('.').expect("a kind").0;
    let path = match kind {
        "identity.user" => "identity/users",
        "banking.account" => "banking/accounts",
        "support.ticket" => "support/tickets",
        "content.post" => "content/posts",
        "content.comment" => "content/comments",
        "contracts.api_contract" => "contracts/api_contracts",
        "contracts.governance_rule" => "contracts/governance_rules",
        "datacentre.server" => "datacentre/servers",
        // No single row is its own.
        _ => return,
    };
    let moment = match pair.upto {
        Upto::Version(version) => format!("at_version={version}"),
        Upto::Position(position) => format!("at_position={position}"),
        Upto::Instant(instant) => {
            format!("as_of={}", instant.to_rfc3339_opts(SecondsFormat::Micros, true))
        }
    };
    let path = format!("/v1/{path}/{}?{moment}", pair.stream);
    let answer = service.ask(Method::GET, &path, &service.key, None, &[]).await;
    let own = wanted.iter().find(|((_, id), _)| *id == pair.stream.to_string());
    match own {
        None => assert_eq!(answer.status, 404, "{path}: {}", answer.body),
        Some((_, fields)) => same(pair, fields, &answer.accepted()),
    }
}

/// Every field that the naive fold knows.
fn same(pair: &Pair, fields: &Map<String, Value>, row: &Value) {
    for (name, wanted) in fields {
        let found = row.get(name).unwrap_or_else(|| panic!("{pair:?}: {name} is not in {row}"));
        assert!(alike(wanted, found), "{pair:?}: {name} is {found}, not {wanted}, in {row}");
    }
}

/// The same value, or the same instant or number as text.
fn alike(left: &Value, right: &Value) -> bool {
    fn millionths(text: &str) -> Option<i128> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        (part.len() <= 6 && !whole.is_empty()).then_some(())?;
        i128::from_str(&format!("{whole}{part:0<6}")).ok()
    }
    let instant = |value: &str| DateTime::parse_from_rfc3339(value).ok();
    match (left, right) {
        (Value::String(left), Value::String(right)) => {
            let same_instant = instant(left).is_some() && instant(left) == instant(right);
            let same_number = millionths(left).is_some() && millionths(left) == millionths(right);
            left == right || same_instant || same_number
        }
        (left, right) => left == right,
    }
}
