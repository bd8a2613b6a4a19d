//! What changed in one stream's rows between two positions: in the end, and event by event.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use daybook_store::{Log, Recorded};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::past::{PAGE, PastError};
use crate::catalog::Rows;
use crate::rows::SeenRow;
use crate::together;

/// What changed between two positions.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// The stream.
    pub stream: Uuid,
    /// After this position.
    pub from_position: i64,
    /// Up to and including this one.
    pub to_position: i64,
    /// The stream's version at the first; 0: it did not exist.
    pub from_version: i64,
    /// And at the second.
    pub to_version: i64,
    /// The net change: what went and came back in between is none.
    pub changes: Vec<Changed>,
    /// Every event in between, with what it changed.
    pub steps: Vec<Step>,
}

/// One column that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed {
    /// The table.
    pub table: &'static str,
    /// The row.
    pub entity: Uuid,
    /// The column.
    pub column: String,
    /// `null` where the row was not there.
    pub before: Value,
    /// `null` where it is not there any more.
    pub after: Value,
}

/// One event, and what it changed.
#[derive(Debug, Serialize)]
pub struct Step {
    /// Its place in the log.
    pub position: i64,
    /// Its place in its stream.
    pub version: i64,
    /// When the log took it.
    #[serde(serialize_with = "rfc3339")]
    pub recorded_at: DateTime<Utc>,
    /// What happened.
    pub event_type: String,
    /// Who asked for it.
    pub actor_id: Uuid,
    /// The rows that it changed, as the audit trail has them.
    pub rows: Vec<StepRow>,
}

/// A row that one event changed.
#[derive(Debug, Serialize)]
pub struct StepRow {
    /// `INSERT`, `UPDATE` or `DELETE`.
    pub action: &'static str,
    /// The table.
    pub table: &'static str,
    /// The row.
    pub entity: Uuid,
    /// The columns that changed, as they were.
    pub before: Option<Box<RawValue>>,
    /// And as they are then.
    pub after: Option<Box<RawValue>>,
}

fn rfc3339<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// What a stream's events after `from` and up to `to` changed. Folds the stream once.
///
/// # Errors
/// Events that cannot be understood, and a server that does not answer.
pub async fn between(log: &Log, stream: Uuid, from: i64, to: i64) -> Result<Difference, PastError> {
    let mut rows = Rows::of_empty_tables();
    let (mut version, mut from_version) = (0_i64, 0);
    let mut before = None;
    let mut steps = Vec::new();
    loop {
        let until = version.saturating_add(PAGE);
        let events = log.stream_to(stream, version, (until, to)).await?;
        if events.is_empty() {
            break;
        }
        for recorded in &events {
            if recorded.position > from && before.is_none() {
                (before, from_version) = (Some(rows.seen()?), version);
            }
            let step = step(recorded, &mut rows)?;
            if recorded.position > from {
                steps.push(step);
            }
            version = recorded.version;
        }
    }
    let after = rows.seen()?;
    let (before, from_version) = match before {
        Some(before) => (before, from_version),
        None => (rows.seen()?, version),
    };
    Ok(Difference {
        stream,
        from_position: from,
        to_position: to,
        from_version,
        to_version: version,
        changes: changes(&before, &after)?,
        steps,
    })
}

/// Folds one event, and takes down what it changed.
fn step(recorded: &Recorded, rows: &mut Rows) -> Result<Step, PastError> {
    let recorded_alone = std::slice::from_ref(recorded);
    let (event, touched) = together::read(recorded_alone).map_err(|at| at.error)?;
    rows.begin(touched);
    let mut trail = Vec::new();
    together::project(&event, recorded_alone, rows, &mut trail).map_err(|at| at.error)?;
    let json = |text: Option<crate::table::JsonText>| {
        text.map(|text| RawValue::from_string(text.0)).transpose()
    };
    let changed = trail.into_iter().map(|row| {
        Ok(StepRow {
            action: row.action,
            table: row.entity_type,
            entity: row.entity_id,
            before: json(row.old_values)?,
            after: json(row.new_values)?,
        })
    });
    Ok(Step {
        position: recorded.position,
        version: recorded.version,
        recorded_at: recorded.recorded_at,
        event_type: recorded.event_type.clone(),
        actor_id: recorded.metadata.actor_id,
        rows: changed.collect::<Result<_, PastError>>()?,
    })
}

type Columns = BTreeMap<(&'static str, Uuid), Map<String, Value>>;

/// The net change: what went and came back in between is none.
fn changes(before: &[SeenRow], after: &[SeenRow]) -> Result<Vec<Changed>, serde_json::Error> {
    let (before, after) = (columns(before)?, columns(after)?);
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
    let empty = Map::new();
    let mut changed = Vec::new();
    for (table, entity) in keys {
        let old = before.get(&(table, entity)).unwrap_or(&empty);
        let new = after.get(&(table, entity)).unwrap_or(&empty);
        let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        for column in names {
            let value = |row: &Map<String, Value>| row.get(column).cloned().unwrap_or(Value::Null);
            let (before, after) = (value(old), value(new));
            if before != after {
                changed.push(Changed { table, entity, column: column.clone(), before, after });
            }
        }
    }
    Ok(changed)
}

/// Rows by table and entity. A table with several rows an entity has its rows' own keys joined in
/// their columns' names.
fn columns(rows: &[SeenRow]) -> Result<Columns, serde_json::Error> {
    let mut all = Columns::new();
    for seen in rows {
        let columns: Map<String, Value> = serde_json::from_str(seen.row.get())?;
        let row = all.entry((seen.table, seen.entity)).or_default();
        let prefix = match columns.get("kind") {
            Some(Value::String(kind)) => format!("{kind}."),
            _ => String::new(),
        };
        row.extend(columns.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serde_json::value::to_raw_value;

    use super::*;

    fn rows(rows: &[(&'static str, u128, Value)]) -> Vec<SeenRow> {
        let seen = |(table, id, row): &(&'static str, u128, Value)| SeenRow {
            table,
            entity: Uuid::from_u128(*id),
            row: to_raw_value(row).unwrap(),
        };
        rows.iter().map(seen).collect()
    }

    #[test]
    fn only_what_differs_in_the_end_is_a_change() {
        let before = rows(&[("accounts", 1, json!({ "balance": "1.00", "status": "active" }))]);
        let after = rows(&[
            ("accounts", 1, json!({ "balance": "2.00", "status": "active" })),
            ("transactions", 2, json!({ "amount": "1.00" })),
        ]);
        let changed = changes(&before, &after).unwrap();
        let shown: Vec<_> = changed
            .iter()
            .map(|c| (c.table, c.column.as_str(), c.before.clone(), c.after.clone()))
            .collect();
        assert_eq!(
            shown,
            [
                ("accounts", "balance", json!("1.00"), json!("2.00")),
                ("transactions", "amount", Value::Null, json!("1.00")),
            ]
        );
        assert!(changes(&after, &after).unwrap().is_empty());
    }
}
