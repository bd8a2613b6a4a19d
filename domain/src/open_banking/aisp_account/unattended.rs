//! The reads without the user: in no 24 hours more than four.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::{AispAccountError, UNATTENDED_READS};

/// The period in which reads are counted.
const PERIOD: Duration = Duration::hours(24);
/// How many reads are remembered: those of at least 16 days at the most that there may be. What is
/// told later than that could not be judged any more, and is refused.
const REMEMBERED: usize = 64;

/// When it was read without the user, in the order of time; the oldest are forgotten.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnattendedReads(Vec<DateTime<Utc>>);

impl UnattendedReads {
    /// Whether one more at `read_at` leaves at most four in every 24 hours that it is in.
    ///
    /// # Errors
    /// With the reads of the first such 24 hours that would have more.
    pub(super) fn admit(&self, read_at: DateTime<Utc>) -> Result<(), AispAccountError> {
        let known = &self.0;
        let full = known.len() >= REMEMBERED;
        if let Some(since) = known.first().filter(|first| full && read_at < **first) {
            return Err(AispAccountError::ReadTooLongAgo { read_at, since: *since });
        }
        let place = known.partition_point(|read| *read <= read_at);
        // Four around it, so many before and the rest after, are too near where one more than
        // those before the first is within 24 hours of the last.
        for before in 0..=UNATTENDED_READS {
            let (Some(start), end) = (place.checked_sub(before), place + UNATTENDED_READS - before)
            else {
                break;
            };
            let Some(reads) = known.get(start..end) else { continue };
            let (Some(first), Some(last)) = (reads.first(), reads.last()) else { continue };
            if (*last).max(read_at) - (*first).min(read_at) < PERIOD {
                return Err(AispAccountError::TooManyUnattended {
                    count: reads.len(),
                    first: *first,
                    last: *last,
                    read_at,
                });
            }
        }
        Ok(())
    }

    /// Takes one more in.
    pub(super) fn add(&mut self, read_at: DateTime<Utc>) {
        let place = self.0.partition_point(|read| *read <= read_at);
        self.0.insert(place, read_at);
        if self.0.len() > REMEMBERED {
            self.0.remove(0);
        }
    }

    /// The reads that are remembered.
    #[must_use]
    pub fn times(&self) -> &[DateTime<Utc>] {
        &self.0
    }
}
