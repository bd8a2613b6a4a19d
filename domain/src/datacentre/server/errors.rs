//! Why a server may refuse.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use crate::aggregate::{Refusal, RefusalSort};
use crate::datacentre::usage::{MAX_SAMPLES, MAX_WEEKS};
use crate::values::UserStatus;

fn told(instant: &DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Why a server may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// No server was provisioned under this id.
    #[error("there is no such server")]
    Unknown,
    /// A server was provisioned under this id before.
    #[error("this server is provisioned already")]
    AlreadyProvisioned,
    /// It is out of service.
    #[error("the server is decommissioned")]
    Decommissioned,
    /// The customer does not exist.
    #[error("there is no user {customer_id} for whom the server could work")]
    CustomerUnknown {
        /// Who should have it.
        customer_id: Uuid,
    },
    /// The customer is not active.
    #[error("the server's customer {customer_id} is {status}, not active")]
    CustomerNotActive {
        /// Who should have it.
        customer_id: Uuid,
        /// Where they stand.
        status: UserStatus,
    },
    /// Too few or too many samples.
    #[error("a delivery has 1 to {MAX_SAMPLES} samples, this has {count}")]
    SampleCount {
        /// How many there are.
        count: usize,
    },
    /// Samples of too many weeks.
    #[error("a delivery is of at most {MAX_WEEKS} weeks, this is of {count}: send it in parts")]
    TooManyWeeks {
        /// How many weeks there are.
        count: usize,
    },
    /// A sample from the future, or from before there were any.
    #[error(
        "sample {number} of {} is not from {} to {}",
        told(recorded_at),
        told(earliest),
        told(latest)
    )]
    SampleTime {
        /// Which one, from 1.
        number: usize,
        /// When it is said to be from.
        recorded_at: DateTime<Utc>,
        /// The earliest instant that is taken.
        earliest: DateTime<Utc>,
        /// The latest.
        latest: DateTime<Utc>,
    },
}

impl Refusal for ServerError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "server-not-found",
            Self::AlreadyProvisioned => "server-already-provisioned",
            Self::Decommissioned => "server-decommissioned",
            Self::CustomerUnknown { .. } => "customer-not-found",
            Self::CustomerNotActive { .. } => "customer-not-active",
            Self::SampleCount { .. } => "sample-count",
            Self::TooManyWeeks { .. } => "too-many-weeks",
            Self::SampleTime { .. } => "sample-time",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyProvisioned => RefusalSort::Exists,
            Self::SampleCount { .. } | Self::TooManyWeeks { .. } | Self::SampleTime { .. } => {
                RefusalSort::Invalid
            }
            Self::Decommissioned
            | Self::CustomerUnknown { .. }
            | Self::CustomerNotActive { .. } => RefusalSort::Rule,
        }
    }
}
