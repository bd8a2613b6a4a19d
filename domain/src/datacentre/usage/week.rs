//! An ISO week, Monday to Sunday in UTC.

use std::fmt;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use uuid::Uuid;

/// The namespace of the streams of servers' weeks.
const WEEKS: Uuid = Uuid::from_u128(0x8d0c_52f7_31a6_5e4b_9b1e_60a7_d2c4_f813);

/// An ISO week, by its Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Week(NaiveDate);

impl Week {
    /// The week that an instant is in, in UTC.
    #[must_use]
    pub fn of(at: DateTime<Utc>) -> Self {
        let day = at.date_naive();
        let since_monday = u64::from(day.weekday().num_days_from_monday());
        Self(day.checked_sub_days(Days::new(since_monday)).unwrap_or(day))
    }

    /// Its first day.
    #[must_use]
    pub fn monday(self) -> NaiveDate {
        self.0
    }

    /// The stream of what was measured on a server in it: always the same one.
    #[must_use]
    pub fn stream_of(self, server: Uuid) -> Uuid {
        Uuid::new_v5(&WEEKS, format!("{server}/{self}").as_bytes())
    }
}

/// As ISO 8601 writes it: `2024-W01`.
impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let week = self.0.iso_week();
        write!(f, "{:04}-W{:02}", week.year(), week.week())
    }
}
