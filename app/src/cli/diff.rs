//! `daybook diff`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use clap::Args;
use daybook_projector::queries::past::{Past, Upto};
use daybook_store::Filter;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::history::{History, Moment, text};
use super::output::{self, Output, line};
use super::state::plain;
use super::{Exit, Failure, Outcome, Session};

/// How many events are read at a time.
const PAGE: i64 = 500;

/// Show what changed in one entity between two moments, and the events that changed it
#[derive(Debug, Args)]
#[command(
    after_help = "A moment is an RFC 3339 time or a position of the log.\n\nExample: daybook diff 0199a1b2-0000-7000-8000-000000000001 2026-01-01T00:00:00Z 2026-02-01T00:00:00Z"
)]
pub(super) struct Diff {
    /// The entity's stream
    stream: Uuid,
    /// The earlier moment
    from: Moment,
    /// The later moment
    to: Moment,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// One column that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Changed {
    table: &'static str,
    entity: Uuid,
    column: String,
    /// `null` where the row was not there.
    before: Value,
    after: Value,
}

/// An event between the two moments.
#[derive(Debug, Serialize)]
struct Cause {
    position: i64,
    version: i64,
    recorded_at: DateTime<Utc>,
    event_type: String,
    actor_id: Uuid,
}

impl Diff {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let history = History::open(&session).await?;
        let outcome = self.show(&history).await;
        history.close().await?;
        outcome
    }

    async fn show(&self, history: &History) -> Outcome {
        history.require(self.stream).await?;
        let from = history.position(self.from).await?;
        let to = history.position(self.to).await?;
        if from > to {
            return Err(Failure::wrong_use(format!(
                "the first moment (position {from}) is after the second (position {to}); swap them"
            )));
        }
        let before = history.past(self.stream, Upto::Position(from)).await?;
        let after = history.past(self.stream, Upto::Position(to)).await?;
        let changed = changes(&before, &after)?;
        let causes = self.causes(history, from, to).await?;
        if self.output == Output::Json {
            let document = json!({
                "stream": self.stream, "from_position": from, "to_position": to,
                "from_version": before.version, "to_version": after.version,
                "changes": changed, "events": causes,
            });
            line(serde_json::to_string_pretty(&document)?);
            return Ok(Exit::Done);
        }
        line(format!(
            "{}: version {} at position {from} to version {} at position {to}",
            self.stream, before.version, after.version
        ));
        let columns = ["TABLE", "ENTITY", "COLUMN", "BEFORE", "AFTER"];
        output::rows(Output::Table, columns, &changed, |row| {
            let (before, after) = (plain(&row.before), plain(&row.after));
            [row.table.into(), row.entity.to_string(), row.column.clone(), before, after]
        })?;
        line("");
        let columns = ["POSITION", "VERSION", "RECORDED", "EVENT", "BY"];
        output::rows(Output::Table, columns, &causes, |cause| {
            let (position, version) = (cause.position.to_string(), cause.version.to_string());
            let by = cause.actor_id.to_string();
            [position, version, text(cause.recorded_at), cause.event_type.clone(), by]
        })?;
        Ok(Exit::Done)
    }

    async fn causes(&self, history: &History, from: i64, to: i64) -> Result<Vec<Cause>, Failure> {
        let filter = Filter {
            streams: Some(vec![self.stream]),
            up_to_position: Some(to),
            ..Filter::default()
        };
        let (mut after, mut causes) = (from, Vec::new());
        loop {
            let page = history.log.page(after, &filter, PAGE).await?;
            causes.extend(page.events.into_iter().map(|event| Cause {
                position: event.position,
                version: event.version,
                recorded_at: event.recorded_at,
                event_type: event.event_type,
                actor_id: event.metadata.actor_id,
            }));
            if page.scanned_to <= after {
                return Ok(causes);
            }
            after = page.scanned_to;
        }
    }
}

type Rows = BTreeMap<(&'static str, Uuid), Map<String, Value>>;

/// The net change: what went and came back in between is none.
fn changes(before: &Past, after: &Past) -> Result<Vec<Changed>, Failure> {
    let (before, after) = (rows(before)?, rows(after)?);
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
    let empty = Map::new();
    let mut changed = Vec::new();
    for (table, entity) in keys {
        let old = before.get(&(table, entity)).unwrap_or(&empty);
        let new = after.get(&(table, entity)).unwrap_or(&empty);
        let columns: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        for column in columns {
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
fn rows(past: &Past) -> Result<Rows, Failure> {
    let mut rows = Rows::new();
    for seen in &past.rows {
        let columns: Map<String, Value> = serde_json::from_str(seen.row.get())?;
        let row = rows.entry((seen.table, seen.entity)).or_default();
        let prefix = match columns.get("kind") {
            Some(Value::String(kind)) => format!("{kind}."),
            _ => String::new(),
        };
        row.extend(columns.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use daybook_projector::rows::SeenRow;
    use serde_json::value::to_raw_value;

    use super::*;

    fn past(rows: &[(&'static str, u128, Value)]) -> Past {
        let seen = |(table, id, row): &(&'static str, u128, Value)| SeenRow {
            table,
            entity: Uuid::from_u128(*id),
            row: to_raw_value(row).unwrap(),
        };
        Past { position: 1, version: 1, rows: rows.iter().map(seen).collect() }
    }

    #[test]
    fn only_what_differs_in_the_end_is_a_change() {
        let before = past(&[("accounts", 1, json!({ "balance": "1.00", "status": "active" }))]);
        let after = past(&[
            ("accounts", 1, json!({ "balance": "2.00", "status": "active" })),
            ("transactions", 2, json!({ "amount": "1.00" })),
        ]);
        let changed = changes(&before, &after).unwrap();
        let shown: Vec<_> = changed
            .iter()
            .map(|c| (c.table, c.column.as_str(), plain(&c.before), plain(&c.after)))
            .collect();
        assert_eq!(
            shown,
            [
                ("accounts", "balance", "1.00".into(), "2.00".into()),
                ("transactions", "amount", "-".into(), "1.00".into()),
            ]
        );
        assert!(changes(&after, &after).unwrap().is_empty());
    }
}
