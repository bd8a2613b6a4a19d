//! The journals beside the log: refused commands, attempts to sign in, reads of everyone's past.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::Row as _;
use sqlx::types::ipnetwork::IpNetwork;
use uuid::Uuid;

use super::reader::{Reader, View};

/// A journal beside the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// Commands that were refused.
    Refusals,
    /// Attempts to sign in.
    SignIns,
    /// Reads of everyone's past.
    Reads,
    /// Rows of the others that were not written, because more came than could be.
    Losses,
}

impl Journal {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Refusals, Self::SignIns, Self::Reads, Self::Losses];

    /// Its name in addresses and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refusals => "refusals",
            Self::SignIns => "sign-ins",
            Self::Reads => "reads",
            Self::Losses => "losses",
        }
    }

    /// The journal of this name.
    #[must_use]
    pub fn called(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|journal| journal.name() == name)
    }

    const fn statement(self) -> &'static str {
        match self {
            Self::Refusals => include_str!("journal_refusals.sql"),
            Self::SignIns => include_str!("journal_sign_ins.sql"),
            Self::Reads => include_str!("journal_reads.sql"),
            Self::Losses => include_str!("journal_losses.sql"),
        }
    }
}

/// Which rows are wanted; every field that is given narrows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalFilter {
    /// Of this user: who asked, read, or was to be signed in.
    pub user: Option<Uuid>,
    /// With this code, of refusals and attempts to sign in; of this sort, of reads.
    pub code: Option<String>,
    /// At or after this instant.
    pub from: Option<DateTime<Utc>>,
    /// Before this instant.
    pub before: Option<DateTime<Utc>>,
    /// From this address or network.
    pub address: Option<IpNetwork>,
}

/// The newest rows before the one with the id `before_id`, at most `limit`, with their ids.
///
/// # Errors
/// When the database does not answer.
pub async fn page(
    reader: &Reader,
    view: &View,
    journal: Journal,
    filter: &JournalFilter,
    before_id: Option<i64>,
    limit: i64,
) -> Result<Vec<(i64, Box<RawValue>)>, sqlx::Error> {
    let mut transaction = reader.begin(view).await?;
    let rows = sqlx::query(journal.statement())
        .persistent(false)
        .bind(before_id)
        .bind(limit)
        .bind(filter.user)
        .bind(filter.code.as_deref())
        .bind(filter.from)
        .bind(filter.before)
        .bind(filter.address)
        .fetch_all(&mut *transaction)
        .await?;
    transaction.commit().await?;
    rows.iter()
        .map(|row| {
            let text: String = row.try_get(1)?;
            let json = RawValue::from_string(text);
            Ok((row.try_get(0)?, json.map_err(|error| sqlx::Error::Decode(error.into()))?))
        })
        .collect()
}
