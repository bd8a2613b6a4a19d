//! `GET /v1/audit`: who changed what, by page, as a sample that can be drawn again, or all of it.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use daybook_http::{Caller, Params, Problem};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::types::ipnetwork::IpNetwork;

use super::reading::{asked, require_history};
use super::whole::{self, Whole};
use super::{Reads, answer, error};
use crate::audit::{AuditError, AuditFilter, AuditRow, Place, Population};
use crate::queries::cursor;
use crate::queries::filter::INSTANT;
use crate::queries::known;
use crate::queries::list;
use crate::queries::reader::{Eyes, View};

type Pairs = Query<Vec<(String, String)>>;

/// The most rows of a sample.
const SAMPLE: i64 = 10_000;

/// The parameters.
pub(super) const PARAMETERS: &[(&str, &str)] = &[
    ("entity", "Changes of this row's"),
    ("table", "Changes of this table's rows"),
    ("actor", "Changed by this user"),
    ("action", "INSERT, UPDATE, DELETE or OUT_OF_BAND"),
    ("tenant", "On behalf of this organization"),
    ("from", "At or after this RFC 3339 time"),
    ("before", "Before this RFC 3339 time"),
    ("address", "From this address, or this network (192.0.2.0/24)"),
    ("correlation", "Tied together by this id"),
    ("stream", "By events of this stream"),
    ("type", "By events of this type"),
    ("up_to_position", "The population as it stood at this position of the log"),
    ("order", "asc or desc (the default) in time"),
    ("limit", "Rows a page"),
    ("cursor", "Where to go on: next_cursor of the page before"),
    ("count", "true: how many there are, by action and table, instead of rows"),
    ("sample", "So many rows at random instead of a page"),
    ("seed", "What the sample is drawn with: the same seed draws the same rows"),
];

/// Where a walk goes on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditCursor {
    up_to: i64,
    at: DateTime<Utc>,
    id: i64,
}

/// What is asked for.
struct Asked {
    filter: AuditFilter,
    up_to: Option<i64>,
    newest_first: bool,
    limit: i64,
    after: Option<AuditCursor>,
    count: bool,
    sample: Option<(i64, String)>,
}

fn text(params: &mut Params, name: &str) -> Result<Option<String>, Problem> {
    match params.text(name) {
        Some(text) if text.contains('\0') => {
            Err(Problem::malformed(format!("query parameter {name} has a NUL character in it")))
        }
        text => Ok(text),
    }
}

impl Asked {
    fn read(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut params = Params::new(pairs)?;
        let id = "a UUID";
        let filter = AuditFilter {
            entity: params.parse("entity", id)?,
            table: text(&mut params, "table")?,
            actor: params.parse("actor", id)?,
            action: text(&mut params, "action")?.map(|action| action.to_uppercase()),
            tenant: params.parse("tenant", id)?,
            from: params.parse("from", INSTANT)?,
            before: params.parse("before", INSTANT)?,
            address: params.parse::<IpNetwork>("address", "an address or a network")?,
            correlation: params.parse("correlation", id)?,
            stream: params.parse("stream", id)?,
            event_type: text(&mut params, "type")?,
        };
        let newest_first = match params.text("order").as_deref() {
            None | Some("desc") => true,
            Some("asc") => false,
            Some(_) => return Err(Problem::malformed("order is asc or desc")),
        };
        let after = params.text("cursor").map(|text| {
            cursor::decode::<AuditCursor>(&text).ok_or_else(|| {
                Problem::malformed("the cursor is none that was given out; start without one")
            })
        });
        let sample = params.parse::<i64>("sample", "a number of rows")?;
        let seed = text(&mut params, "seed")?;
        let sample = match (sample, seed) {
            (None, None) => None,
            (Some(rows), Some(seed)) if (1..=SAMPLE).contains(&rows) => Some((rows, seed)),
            (Some(_), Some(_)) => {
                return Err(Problem::malformed(format!("sample is 1 to {SAMPLE} rows")));
            }
            (Some(_), None) | (None, Some(_)) => {
                return Err(Problem::malformed("sample and seed go together"));
            }
        };
        let asked = Self {
            filter,
            up_to: params.parse("up_to_position", "a position of the log")?,
            newest_first,
            limit: list::limit(&mut params)?,
            after: after.transpose()?,
            count: params.parse("count", "true or false")?.unwrap_or(false),
            sample,
        };
        let known: Vec<&str> = PARAMETERS.iter().map(|(name, _)| *name).collect();
        params.finish(&known)?;
        Ok(asked)
    }
}

/// Rows of the trail, for those who may read everyone's past.
pub(super) async fn audit(
    State(reads): State<Arc<Reads>>,
    Query(pairs): Pairs,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, Problem> {
    require_history(&caller)?;
    let mut written_down = asked(&pairs);
    let asked = Asked::read(pairs)?;
    let known = known::require_audit(&asked.filter, &reads.log).await;
    known.map_err(|e| error::of_filter(&e, false))?;
    reads.stands_on(&headers).await?;
    let view =
        View { user: caller.actor.id, organization: caller.actor.tenant, eyes: Eyes::Auditor };
    let up_to = asked.after.as_ref().map(|after| after.up_to).or(asked.up_to);
    let population =
        Population::of(reads.reader.clone(), view, asked.filter.clone(), &reads.log, up_to)
            .await
            .map_err(|e| of_audit(&e))?;
    let position = population.up_to;
    if let Some(form) = Whole::of(&headers).filter(|_| !asked.count && asked.sample.is_none()) {
        written_down["form"] = form.content_type().into();
        let reading = reads.begin_read(&caller, "audit", written_down).await?;
        return whole::answer(reads, population, form, reading);
    }
    if asked.count {
        let counted = population.count().await.map_err(|e| of_audit(&e))?;
        let rows: i64 = counted.iter().map(|counted| counted.rows).sum();
        reads.note_read(&caller, "audit", written_down, 0);
        let body = json!({ "rows": rows, "counted": counted, "position": position });
        return answer::json(&body, position);
    }
    let (rows, next) = match &asked.sample {
        Some((rows, seed)) => {
            (population.sample(seed, *rows).await.map_err(|e| of_audit(&e))?, None)
        }
        None => page(&population, &asked).await?,
    };
    reads.note_read(&caller, "audit", written_down, rows.len());
    let body = json!({
        "data": rows, "has_more": next.is_some(), "next_cursor": next, "position": position,
    });
    answer::json(&body, position)
}

async fn page(
    population: &Population,
    asked: &Asked,
) -> Result<(Vec<AuditRow>, Option<String>), Problem> {
    let after = asked.after.as_ref().map(|after| Place { created_at: after.at, id: after.id });
    let wanted = asked.limit;
    let mut rows =
        population.page(after, asked.newest_first, wanted + 1).await.map_err(|e| of_audit(&e))?;
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    if rows.len() <= wanted {
        return Ok((rows, None));
    }
    rows.truncate(wanted);
    let Some(last) = rows.last() else { return Ok((rows, None)) };
    let next = AuditCursor { up_to: population.up_to, at: last.created_at, id: last.id };
    let next = cursor::encode(&next).map_err(|error| Problem::internal(&error))?;
    Ok((rows, Some(next)))
}

fn of_audit(error: &AuditError) -> Problem {
    match error {
        AuditError::Database(error) => error::of_sql(error),
        AuditError::Log(error) => error::of_log(error),
    }
}
