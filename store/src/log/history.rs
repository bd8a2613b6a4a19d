//! A stretch of the log from end to end, with or without a filter, the fastest way there is.

use std::cmp::min;

use futures::stream::{BoxStream, StreamExt};

use super::{Filter, Log};
use crate::error::ReadError;
use crate::recorded::Recorded;

/// Events in one page where something is left out.
const PAGE: i64 = 5_000;

/// A piece of a stretch.
#[derive(Debug)]
pub struct Piece {
    /// The events that were wanted, by position; there may be none.
    pub events: Vec<Recorded>,
    /// Everything wanted up to here has been given.
    pub reached: i64,
}

impl Log {
    /// The first and the last position that the filter's times and bounds leave: (excluded,
    /// included). Nothing is in between where the second is not above the first. The last one is
    /// never above the head, so it stays the same however the log grows.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn stretch(&self, after: i64, filter: &Filter) -> Result<(i64, i64), ReadError> {
        let (first, last) = self.bounds(after, filter).await?;
        Ok((first.max(after), last))
    }

    /// Everything that the filter wants after `after` and up to and including `up_to`, by position:
    /// by COPY where nothing is left out, else page by page, filtered by the server. Each piece is a
    /// transaction of its own, so that no snapshot lasts. The two are what [`Log::stretch`] gave.
    pub fn history(
        &self,
        after: i64,
        up_to: i64,
        filter: &Filter,
    ) -> BoxStream<'static, Result<Piece, ReadError>> {
        if filter.is_sparse() {
            return self.history_in_pages(after, up_to, filter);
        }
        self.copy(after, up_to)
            .map(move |events| {
                let events = events?;
                let reached = events.last().map_or(up_to, |event| event.position);
                Ok(Piece { events, reached })
            })
            .boxed()
    }

    /// The same, always page by page: for a reader who takes his time. A COPY that waits for him would
    /// keep its snapshot all the while.
    pub fn history_in_pages(
        &self,
        after: i64,
        up_to: i64,
        filter: &Filter,
    ) -> BoxStream<'static, Result<Piece, ReadError>> {
        // What the times leave out is not between the two any more.
        let filter = Filter { from: None, to: None, up_to_position: Some(up_to), ..filter.clone() };
        futures::stream::try_unfold((self.clone(), after), move |(log, after)| {
            let filter = filter.clone();
            async move {
                if after >= up_to {
                    return Ok(None);
                }
                let page = log.page(after, &filter, PAGE).await?;
                if page.scanned_to <= after {
                    return Ok(None);
                }
                let reached = min(page.scanned_to, up_to);
                Ok(Some((Piece { events: page.events, reached }, (log, page.scanned_to))))
            }
        })
        .boxed()
    }
}
