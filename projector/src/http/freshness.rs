//! Which position an answer stands on, and waiting for one: reading what one wrote.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use daybook_http::Problem;

use super::{Reads, error};
use crate::queries::one::{self, Found, RowId};
use crate::queries::reader::View;
use crate::queries::tables::ReadTable;

/// How long what was told of the tables' position is told again: it only grows, so an older answer
/// is never wrong.
const TOLD: Duration = Duration::from_millis(20);
/// The longest that a reader may wait; a request has 30 seconds.
const LONGEST_WAIT: u64 = 25;
/// How long a question about the past waits for the tables to know an entity that the log has.
const CATCH_UP: Duration = Duration::from_secs(2);

/// What a reader asks for: `Daybook-Min-Position`, and `Prefer: wait=…` in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Freshness {
    position: i64,
    wait: Duration,
}

impl Freshness {
    /// Reads the headers; `None`: whatever is there will do.
    pub(super) fn read(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(value) = headers.get("daybook-min-position") else { return Ok(None) };
        let position = value.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok());
        let Some(position) = position.filter(|position| *position >= 0) else {
            return Err(Problem::malformed("Daybook-Min-Position is no position of the log"));
        };
        Ok(Some(Self { position, wait: wait(headers)? }))
    }
}

/// `Prefer: wait=2`, among other preferences, which are not ours.
fn wait(headers: &HeaderMap) -> Result<Duration, Problem> {
    let preferences = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    for preference in preferences.flat_map(|value| value.split([',', ';'])) {
        let Some((name, value)) = preference.split_once('=') else { continue };
        if name.trim().eq_ignore_ascii_case("wait") {
            let seconds = value.trim().trim_matches('"').parse::<u64>();
            let seconds = seconds.map_err(|_| {
                Problem::malformed("Prefer: wait= takes whole seconds, such as wait=2")
            })?;
            return Ok(Duration::from_secs(seconds.min(LONGEST_WAIT)));
        }
    }
    Ok(Duration::ZERO)
}

impl Reads {
    /// Waits for what the reader asks for; gives the position that the tables have at least reached.
    /// Asked before the tables are read, so that the answer never claims more than it has.
    pub(super) async fn stands_on(&self, headers: &HeaderMap) -> Result<i64, Problem> {
        let asked = Freshness::read(headers)?;
        if let Some(Freshness { position, wait }) = asked {
            self.posted.wait_for(position, wait).await.map_err(|e| error::of_wait(&e))?;
        }
        let told = self.posted_to().await?;
        Ok(told.max(asked.map_or(0, |asked| asked.position)))
    }

    /// A row, for a question that the log answers and the tables only say whose it is: waits a moment
    /// for the tables to know an entity that the log has.
    pub(super) async fn find_in_time(
        &self,
        view: &View,
        table: &ReadTable,
        id: RowId,
    ) -> Result<Option<Found>, Problem> {
        let find = async || {
            one::find(&self.reader, view, table, id).await.map_err(|error| error::of_sql(&error))
        };
        if let Some(found) = find().await? {
            return Ok(Some(found));
        }
        let head = self.log.head().await.map_err(|error| error::of_log(&error))?.position;
        // Whether it came in time or not: what is there now is the answer.
        let _ = self.posted.wait_for(head, CATCH_UP).await;
        find().await
    }

    async fn posted_to(&self) -> Result<i64, Problem> {
        let told = *self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, position)) = told.filter(|(when, _)| when.elapsed() < TOLD) {
            return Ok(position);
        }
        let asked = Instant::now();
        let position = self.posted.posted_to().await.map_err(|e| error::of_log(&e))?;
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some((asked, position));
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_position_and_how_long_to_wait_for_it() {
        let read = |pairs: &[_]| Freshness::read(&headers(pairs));
        assert_eq!(read(&[("prefer", "wait=2")]).unwrap(), None);
        let asked = read(&[("daybook-min-position", "7"), ("prefer", "respond-async, Wait=2")]);
        assert_eq!(asked.unwrap(), Some(Freshness { position: 7, wait: Duration::from_secs(2) }));
        let at_once = read(&[("daybook-min-position", "7")]).unwrap().unwrap();
        assert_eq!(at_once.wait, Duration::ZERO);
        let long = read(&[("daybook-min-position", "7"), ("prefer", "wait=999")]).unwrap().unwrap();
        assert_eq!(long.wait, Duration::from_secs(LONGEST_WAIT));
        assert!(read(&[("daybook-min-position", "x")]).is_err());
        assert!(read(&[("daybook-min-position", "-1")]).is_err());
        assert!(read(&[("daybook-min-position", "1"), ("prefer", "wait=soon")]).is_err());
    }
}
