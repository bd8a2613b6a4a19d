//! What changed between two positions in the whole read model: which rows were added, changed and
//! removed, by whom and on whose behalf. From the log alone: the streams that the stretch touched are
//! folded, one after the other, and nothing else is; neither state is built.
//!
//! A row that was changed and changed back is not among them, nor is one that came and went.
//! `audit_logs` is left out: it has a row more for each change.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use daybook_store::{Log, Recorded};
use futures::{StreamExt, pin_mut};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::catalog::{Event, NetRows, Rows, Touched};
use crate::rebuild::{OnProgress, Progress, RebuildError, Unit};
use crate::rows::TableRows;
use crate::table::Row;

/// How many events of a stream are folded at a time.
const TOGETHER: usize = 1_000;
/// How many streams are asked for at a time.
const STREAMS: usize = 500;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// It was not there before.
    Added,
    /// It was there, and is another.
    Changed,
    /// It is there no more.
    Removed,
}

impl Became {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// The last event that changed a row.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct By {
    /// Its position.
    pub position: i64,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Its type.
    pub event_type: String,
    /// Who asked for it.
    pub actor_id: Uuid,
    /// On behalf of which organization.
    pub tenant_id: Option<Uuid>,
}

impl By {
    fn of(recorded: &Recorded) -> Self {
        Self {
            position: recorded.position,
            recorded_at: recorded.recorded_at,
            event_type: recorded.event_type.clone(),
            actor_id: recorded.metadata.actor_id,
            tenant_id: recorded.metadata.tenant_id,
        }
    }
}

/// A row that is not what it was.
#[derive(Debug, Clone, serde::Serialize)]
pub struct NetRow {
    /// The table.
    pub table: &'static str,
    /// The row's key.
    pub key: Value,
    /// What became of it.
    pub became: Became,
    /// The row before, without secrets; of a changed one, the columns that differ.
    pub before: Option<Box<RawValue>>,
    /// The row after, likewise.
    pub after: Option<Box<RawValue>>,
    /// The last event that changed it.
    pub by: By,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Count {
    /// The table.
    pub table: &'static str,
    /// On behalf of which organization.
    pub tenant_id: Option<Uuid>,
    /// Who changed the rows last.
    pub actor_id: Uuid,
    /// Rows added.
    pub added: i64,
    /// Rows changed.
    pub changed: i64,
    /// Rows removed.
    pub removed: i64,
}

/// What changed.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Report {
    /// The earlier position.
    pub from: i64,
    /// The later one.
    pub to: i64,
    /// Events between them.
    pub events: i64,
    /// Streams that they are of.
    pub streams: usize,
    /// By table, tenant and actor.
    pub counts: Vec<Count>,
}

/// What one table's rows of one stream were and are.
#[derive(Debug)]
pub struct Net<R> {
    before: Option<R>,
    after: Option<R>,
    by: By,
}

/// Takes in what the event just projected has changed.
pub(crate) fn note<R: Row>(
    rows: &mut TableRows<R>,
    net: &mut BTreeMap<R::Key, Net<R>>,
    by: Option<&By>,
) {
    for change in rows.take_changes() {
        let Some(by) = by else { continue };
        let Some(row) = change.after.as_ref().or(change.before.as_ref()) else { continue };
        let entry = net.entry(row.key()).or_insert_with(|| Net {
            before: change.before.clone(),
            after: None,
            by: by.clone(),
        });
        entry.after = change.after;
        entry.by = by.clone();
    }
}

/// Hands over the rows that are not what they were.
pub(crate) fn differing<R: Row>(
    net: BTreeMap<R::Key, Net<R>>,
    found: &mut Vec<NetRow>,
) -> Result<(), serde_json::Error> {
    for (_, Net { before, after, by }) in net {
        let became = match (&before, &after) {
            (None, Some(_)) => Became::Added,
            (Some(_), None) => Became::Removed,
            (Some(before), Some(after)) if before != after => Became::Changed,
            (Some(_), Some(_)) | (None, None) => continue,
        };
        let whole: Value = match before.as_ref().or(after.as_ref()) {
            Some(row) => serde_json::from_str(&row.json(None))?,
            None => continue,
        };
        let key = R::KEY.iter().map(|name| ((*name).to_owned(), whole[*name].clone()));
        let raw = |row: &Option<R>, other: Option<&R>| {
            row.as_ref().map(|row| RawValue::from_string(row.json(other))).transpose()
        };
        found.push(NetRow {
            table: R::TABLE,
            key: Value::Object(key.collect()),
            became,
            before: raw(&before, after.as_ref())?,
            after: raw(&after, before.as_ref())?,
            by,
        });
    }
    Ok(())
}

/// Compares the read model at two positions. Each row that differs is handed to `each`, a stream's
/// rows together, and counted.
///
/// # Errors
/// See [`RebuildError`]; and what `each` gives.
pub async fn compare<E: From<RebuildError>>(
    log: &Log,
    (from, to): (i64, i64),
    mut each: impl AsyncFnMut(Vec<NetRow>) -> Result<(), E>,
    tell: OnProgress<'_>,
) -> Result<Report, E> {
    let streams = log.touched(from, to).await.map_err(RebuildError::from)?;
    let mut counts: BTreeMap<(&'static str, Option<Uuid>, Uuid), [i64; 3]> = BTreeMap::new();
    let total = i64::try_from(streams.len()).unwrap_or(i64::MAX);
    let mut done = 0;
    for some in streams.chunks(STREAMS) {
        let events = log.of_streams(some.to_vec(), to);
        pin_mut!(events);
        let mut folding = Folding::default();
        let mut found = Vec::new();
        while let Some(event) = events.next().await {
            let event = event.map_err(RebuildError::from)?;
            folding.take(event, from, &mut found)?;
        }
        folding.end(from, &mut found)?;
        for row in &found {
            let count = counts.entry((row.table, row.by.tenant_id, row.by.actor_id)).or_default();
            count[row.became as usize] += 1;
        }
        each(found).await?;
        done += i64::try_from(some.len()).unwrap_or(0);
        tell(Progress { stage: "comparing", done, total, unit: Unit::Steps });
    }
    let counts =
        counts.into_iter().map(|((table, tenant_id, actor_id), [added, changed, removed])| Count {
            table,
            tenant_id,
            actor_id,
            added,
            changed,
            removed,
        });
    Ok(Report { from, to, events: to - from, streams: streams.len(), counts: counts.collect() })
}

/// One stream after the other.
#[derive(Default)]
struct Folding {
    stream: Option<Uuid>,
    rows: Rows,
    net: NetRows,
    /// Events of the stream that are not folded yet: every table is asked what they touch, once.
    waiting: Vec<(Event, Recorded)>,
}

impl Folding {
    fn take(
        &mut self,
        recorded: Recorded,
        from: i64,
        found: &mut Vec<NetRow>,
    ) -> Result<(), RebuildError> {
        if self.stream != Some(recorded.stream_id) {
            self.end(from, found)?;
            self.stream = Some(recorded.stream_id);
            self.rows = Rows::of_empty_tables();
        }
        let position = recorded.position;
        let event =
            Event::decode(&recorded).map_err(|source| RebuildError::Decode { position, source })?;
        self.waiting.push((event, recorded));
        if self.waiting.len() >= TOGETHER { self.fold(from) } else { Ok(()) }
    }

    fn fold(&mut self, from: i64) -> Result<(), RebuildError> {
        let mut touched = Touched::default();
        for (event, recorded) in &self.waiting {
            event.touches(recorded, &mut touched);
        }
        self.rows.begin(touched);
        for (event, recorded) in self.waiting.drain(..) {
            let position = recorded.position;
            event
                .project(&recorded, &mut self.rows)
                .map_err(|fault| RebuildError::Fault { position, fault })?;
            let by = (position > from).then(|| By::of(&recorded));
            self.net.note(&mut self.rows, by.as_ref());
        }
        Ok(())
    }

    fn end(&mut self, from: i64, found: &mut Vec<NetRow>) -> Result<(), RebuildError> {
        if !self.waiting.is_empty() {
            self.fold(from)?;
        }
        std::mem::take(&mut self.net)
            .differing(found)
            .map_err(|error| sqlx::Error::Decode(error.into()).into())
    }
}
