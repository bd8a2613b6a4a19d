//! What a worker reads of the log: one cursor for all its lanes, and one for those behind.

use daybook_store::{Filter, Log, Page, ReadError};

use super::lanes::{KEPT_WHILE_STOPPED, Lanes, Standing};

/// A page to be read.
#[derive(Debug)]
pub(crate) struct Request {
    after: i64,
    filter: Filter,
    /// The lanes that were behind; none: the page is for all lanes.
    behind: Vec<i16>,
    limit: i64,
}

/// A page that was read.
#[derive(Debug)]
pub(crate) struct Answer {
    request: Request,
    page: Page,
}

impl Request {
    /// What is to be read next, if anything: first for lanes that are behind, up to the cursor or
    /// where they have a goal of their own; else from the cursor on, as long as the log goes on and
    /// there is room.
    pub(crate) fn next(lanes: &Lanes, cursor: i64, head: i64, limit: usize) -> Option<Self> {
        let rows = i64::try_from(limit).unwrap_or(i64::MAX);
        let behind: Vec<(i16, i64, i64)> = lanes
            .own
            .iter()
            .filter(|(_, lane)| {
                lane.standing == Standing::Flows || lane.pending.len() < KEPT_WHILE_STOPPED / 2
            })
            .filter_map(|(number, lane)| {
                lane.behind.map(|after| (*number, after, lane.fill_to.unwrap_or(cursor)))
            })
            .collect();
        if lanes.ready() >= limit * 2 {
            return None;
        }
        if let Some(after) = behind.iter().map(|(_, after, _)| *after).min() {
            let up_to = behind.iter().map(|(_, _, up_to)| *up_to).max();
            let behind: Vec<i16> = behind.into_iter().map(|(number, _, _)| number).collect();
            let filter =
                Filter { lanes: Some(behind.clone()), up_to_position: up_to, ..Filter::default() };
            return Some(Self { after, filter, behind, limit: rows });
        }
        if cursor >= head || lanes.own.is_empty() {
            return None;
        }
        let lanes = (!lanes.all()).then(|| lanes.own.keys().copied().collect());
        let filter = Filter { lanes, ..Filter::default() };
        Some(Self { after: cursor, filter, behind: Vec::new(), limit: rows })
    }

    pub(crate) async fn read(self, log: &Log) -> Result<Answer, ReadError> {
        let page = log.page(self.after, &self.filter, self.limit).await?;
        Ok(Answer { request: self, page })
    }
}

impl Answer {
    /// Hands the events to their lanes and moves the cursor. Lanes that have caught up with the
    /// cursor go with the others from here.
    pub(crate) fn take_in(self, lanes: &mut Lanes, cursor: &mut i64) {
        let Self { request, page } = self;
        let scanned_to = page.scanned_to;
        for number in &request.behind {
            if let Some(lane) = lanes.own.get_mut(number) {
                let up_to = lane.fill_to.unwrap_or(*cursor);
                lane.behind = (scanned_to < up_to).then_some(scanned_to);
            }
        }
        for event in page.events {
            if let Some(lane) = lanes.own.get_mut(&event.lane) {
                // What a lane that is behind gets from the page of all would be a hole.
                let by_itself = request.behind.contains(&event.lane);
                if lane.behind.is_none() || by_itself {
                    lane.take(event, by_itself);
                }
            }
        }
        for number in &request.behind {
            if let Some(lane) = lanes.own.get_mut(number)
                && lane.behind.is_none()
            {
                lane.fill_to = None;
            }
        }
        if request.behind.is_empty() {
            *cursor = scanned_to.max(*cursor);
        }
    }
}
