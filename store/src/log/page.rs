//! The log in pages, filtered.

use std::cmp::{max, min};

use super::row::recorded;
use super::{Filter, Log};
use crate::error::ReadError;
use crate::recorded::Recorded;

/// How many positions one page looks at, at most, when most of them may not be wanted.
const MAX_SCANNED: i64 = 100_000;

/// A page of the log.
#[derive(Debug, Clone)]
pub struct Page {
    /// The events that were wanted, by position.
    pub events: Vec<Recorded>,
    /// Everything wanted above the asked position and up to here is in `events`. It may be
    /// the asked position itself, at the end of the log.
    pub scanned_to: i64,
}

impl Log {
    /// The next events after a position, at most `limit`. A page that is short of `limit`, or
    /// empty, is not the end: the end is where `scanned_to` no longer moves.
    ///
    /// # Errors
    /// When the server does not answer, or an event cannot be understood.
    pub async fn page(
        &self,
        after_position: i64,
        filter: &Filter,
        limit: i64,
    ) -> Result<Page, ReadError> {
        let (first, last) = self.bounds(after_position, filter).await?;
        // What is left out by `from` counts as seen.
        let after = max(after_position, first);
        let up_to = if filter.is_sparse() { min(last, after + MAX_SCANNED) } else { last };
        if up_to <= after || limit <= 0 {
            let scanned_to =
                if limit <= 0 { after_position } else { max(after_position, min(after, last)) };
            return Ok(Page { events: Vec::new(), scanned_to });
        }
        let statement = match filter.streams {
            None => include_str!("page.sql"),
            Some(_) => include_str!("page_of_streams.sql"),
        };
        let mut query = sqlx::query(statement)
            .bind(after)
            .bind(up_to)
            .bind(limit)
            .bind(&filter.lanes)
            .bind(&filter.types)
            .bind(&filter.kinds)
            .bind(&filter.contexts)
            .bind(filter.tenant)
            .bind(filter.actor)
            .bind(filter.correlation);
        if let Some(streams) = &filter.streams {
            query = query.bind(streams);
        }
        let rows = query.fetch_all(self.pool()).await?;
        let events = rows.iter().map(recorded).collect::<Result<Vec<_>, _>>()?;
        let full = i64::try_from(events.len()).is_ok_and(|found| found >= limit);
        let scanned_to = match events.last() {
            Some(event) if full => event.position,
            _ => up_to,
        };
        Ok(Page { events, scanned_to })
    }

    /// The positions between which the filter's times and bounds lie: (excluded, included).
    /// The upper one is never above the head, so a page never passes what is not yet there.
    pub(super) async fn bounds(
        &self,
        after: i64,
        filter: &Filter,
    ) -> Result<(i64, i64), ReadError> {
        let (first, last): (i64, i64) = sqlx::query_as(include_str!("bounds.sql"))
            .bind(after)
            .bind(filter.from)
            .bind(filter.to)
            .fetch_one(self.pool())
            .await?;
        Ok((first, min(last, filter.up_to_position.unwrap_or(i64::MAX))))
    }
}
