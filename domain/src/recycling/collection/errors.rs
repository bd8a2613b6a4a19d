//! Why a collection may refuse.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::aggregate::{Refusal, RefusalSort};
use crate::values::{CollectionStatus, UserStatus, Weight};

/// Hundredths of a kilogram as they are written.
fn kilograms(hundredths: &i64) -> String {
    format!("{}.{:02} kg", hundredths / 100, hundredths % 100)
}

/// Why a collection may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CollectionError {
    /// Nothing was scheduled under this id.
    #[error("there is no such collection")]
    Unknown,
    /// Something was scheduled under this id before.
    #[error("a collection is scheduled under this id already")]
    AlreadyScheduled,
    /// The customer does not exist.
    #[error("there is no user {user_id} to collect from")]
    CustomerUnknown {
        /// From whom it should be.
        user_id: Uuid,
    },
    /// The customer is not active.
    #[error("the customer {user_id} is {status}, not active")]
    CustomerNotActive {
        /// From whom it should be.
        user_id: Uuid,
        /// Where they stand.
        status: UserStatus,
    },
    /// It stands where this cannot be done.
    #[error("a collection that is {status} cannot {asked}")]
    Stands {
        /// Where it stands.
        status: CollectionStatus,
        /// What it should do.
        asked: &'static str,
    },
    /// It was completed otherwise.
    #[error("the collection was completed on {on} with {} already", kilograms(&weight_kg.hundredths()))]
    CompletedOtherwise {
        /// The day it was made.
        on: NaiveDate,
        /// What it weighs.
        weight_kg: Weight,
    },
    /// The day has not come.
    #[error("{day} has not come: it is {today}")]
    DayAhead {
        /// The day that was said.
        day: NaiveDate,
        /// The day it is.
        today: NaiveDate,
    },
    /// It would have been processed before it was collected.
    #[error("it was collected on {collected} and cannot be processed on {day}, before that")]
    ProcessedBeforeCollected {
        /// The day that was said.
        day: NaiveDate,
        /// The day it was collected.
        collected: NaiveDate,
    },
    /// More would be processed than was collected.
    #[error(
        "collected {}, processed {} so far, asked {}",
        kilograms(&collected.hundredths()), kilograms(processed), kilograms(&asked.hundredths())
    )]
    MoreThanCollected {
        /// What was collected.
        collected: Weight,
        /// What was processed before, in hundredths of a kilogram.
        processed: i64,
        /// What would be processed now.
        asked: Weight,
    },
}

impl Refusal for CollectionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "collection-not-found",
            Self::AlreadyScheduled => "collection-already-scheduled",
            Self::CustomerUnknown { .. } => "customer-not-found",
            Self::CustomerNotActive { .. } => "customer-not-active",
            Self::Stands { .. } => "collection-status",
            Self::CompletedOtherwise { .. } => "collection-already-completed",
            Self::DayAhead { .. } => "day-not-come",
            Self::ProcessedBeforeCollected { .. } => "processed-before-collected",
            Self::MoreThanCollected { .. } => "more-than-collected",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyScheduled => RefusalSort::Exists,
            Self::DayAhead { .. } => RefusalSort::Invalid,
            Self::CustomerUnknown { .. }
            | Self::CustomerNotActive { .. }
            | Self::Stands { .. }
            | Self::CompletedOtherwise { .. }
            | Self::ProcessedBeforeCollected { .. }
            | Self::MoreThanCollected { .. } => RefusalSort::Rule,
        }
    }
}
