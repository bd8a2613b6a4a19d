//! Populations of the trail: counted, paged through, sampled.

use chrono::{DateTime, Utc};
use daybook_store::{Log, ReadError};
use serde::Serialize;
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

use super::{AuditFilter, AuditRow};
use crate::posted::Posted;
use crate::queries::reader::{Reader, View};

/// Why the trail cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The tables.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The log.
    #[error(transparent)]
    Log(#[from] ReadError),
}

/// What a statement about a population begins with, up to where it ends: what is asked for, the rows
/// that the filter wants, and what the statement does with them.
macro_rules! of_population {
    ($asked:expr, $then:literal) => {
        concat!(
            $asked,
            "FROM public.audit_logs a\n",
            include_str!("wanted.sql"),
            include_str!("up_to.sql"),
            $then
        )
    };
}

const COUNT: &str = of_population!(
    "SELECT a.action::text, a.entity_type::text, count(*)\n",
    "GROUP BY 1, 2 ORDER BY 1, 2"
);
const OLDEST: &str = of_population!(
    include_str!("columns.sql"),
    "AND ($14::timestamptz IS NULL OR (a.created_at, a.id) > ($14, $15))
     ORDER BY a.created_at, a.id LIMIT $16"
);
const NEWEST: &str = of_population!(
    include_str!("columns.sql"),
    "AND ($14::timestamptz IS NULL OR (a.created_at, a.id) < ($14, $15))
     ORDER BY a.created_at DESC, a.id DESC LIMIT $16"
);
const SAMPLE: &str = of_population!(
    include_str!("columns.sql"),
    "ORDER BY sha256(convert_to($14 || ':' || a.id, 'UTF8')) LIMIT $15"
);

/// Where a walk along the trail goes on: after this row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When it was.
    pub created_at: DateTime<Utc>,
    /// Its id.
    pub id: i64,
}

impl Place {
    /// After this row.
    #[must_use]
    pub fn after(row: &AuditRow) -> Self {
        Self { created_at: row.created_at, id: row.id }
    }
}

/// How many rows of one action and table there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The action.
    pub action: String,
    /// The table.
    pub table: Option<String>,
    /// How many.
    pub rows: i64,
}

/// All rows that a filter wants, up to where everything is posted. It stays the same however the log
/// grows; only what is done by hand after its last position and before the next one joins it.
#[derive(Debug, Clone)]
pub struct Population {
    reader: Reader,
    view: View,
    filter: AuditFilter,
    /// Up to this position.
    pub up_to: i64,
    /// What was done by hand counts up to this moment, which is that position's.
    pub until: DateTime<Utc>,
}

impl Population {
    /// The population as it is now: up to where everything is posted; or, earlier, up to `up_to`.
    ///
    /// # Errors
    /// A position that the log has not reached; when the log does not answer.
    pub async fn of(
        reader: Reader,
        view: View,
        filter: AuditFilter,
        log: &Log,
        up_to: Option<i64>,
    ) -> Result<Self, AuditError> {
        if let Some(asked) = up_to {
            log.require_reached(asked).await?;
        }
        let posted = Posted::new(log.pool().clone()).posted_to().await?;
        let up_to = up_to.map_or(posted, |asked| asked.min(posted));
        let until = sqlx::query_scalar(
            "SELECT COALESCE((SELECT e.recorded_at FROM journal.events e WHERE e.position = $1 + 1),
                             GREATEST(clock_timestamp(),
                                      (SELECT e.recorded_at FROM journal.events e WHERE e.position = $1)))",
        )
        .bind(up_to)
        .fetch_one(log.pool())
        .await?;
        Ok(Self { reader, view, filter, up_to, until })
    }

    /// The filter.
    #[must_use]
    pub fn filter(&self) -> &AuditFilter {
        &self.filter
    }

    fn bound<'q>(&'q self, statement: &'static str) -> Query<'q, Postgres, PgArguments> {
        // Planned anew each time: which filters are given decides which index answers.
        let query = self.filter.bind(sqlx::query(statement).persistent(false));
        query.bind(self.up_to).bind(self.until)
    }

    async fn fetch(
        &self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<Vec<AuditRow>, AuditError> {
        let mut transaction = self.reader.begin(&self.view).await?;
        let rows = query.fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(rows.iter().map(AuditRow::read).collect::<Result<_, _>>()?)
    }

    /// How many rows there are, by action and table.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count(&self) -> Result<Vec<Counted>, AuditError> {
        let mut transaction = self.reader.begin(&self.view).await?;
        let query = self.bound(COUNT);
        let rows = query.fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        let counted = rows.iter().map(|row| {
            use sqlx::Row as _;
            Ok(Counted { action: row.try_get(0)?, table: row.try_get(1)?, rows: row.try_get(2)? })
        });
        Ok(counted.collect::<Result<_, sqlx::Error>>()?)
    }

    /// The next rows after a place, at most `limit`, in order of time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn page(
        &self,
        after: Option<Place>,
        newest_first: bool,
        limit: i64,
    ) -> Result<Vec<AuditRow>, AuditError> {
        let statement = if newest_first { NEWEST } else { OLDEST };
        let query = self
            .bound(statement)
            .bind(after.map(|place| place.created_at))
            .bind(after.map(|place| place.id))
            .bind(limit);
        self.fetch(query).await
    }

    /// So many rows at random. The same seed draws the same rows from the same population, on any
    /// server: those whose ids, hashed with it, come first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sample(&self, seed: &str, rows: i64) -> Result<Vec<AuditRow>, AuditError> {
        let query = self.bound(SAMPLE).bind(seed).bind(rows);
        self.fetch(query).await
    }
}
