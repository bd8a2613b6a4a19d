//! Why a subscription may refuse. That there is an active one already, the log says.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use crate::aggregate::{Refusal, RefusalSort};
use crate::values::{ServiceStatus, UserStatus};

fn told(instant: &DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Why a subscription may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionError {
    /// Nothing was subscribed under this id.
    #[error("there is no such subscription")]
    Unknown,
    /// A subscription began under this id before.
    #[error("this subscription has begun already")]
    AlreadySubscribed,
    /// The subscriber does not exist.
    #[error("there is no user {user_id} to subscribe")]
    SubscriberUnknown {
        /// Who should subscribe.
        user_id: Uuid,
    },
    /// The subscriber is not active.
    #[error("the subscriber {user_id} is {status}, not active")]
    SubscriberNotActive {
        /// The subscriber.
        user_id: Uuid,
        /// Where they stand.
        status: UserStatus,
    },
    /// The service does not exist.
    #[error("there is no service {service_id} to subscribe to")]
    ServiceUnknown {
        /// The service.
        service_id: Uuid,
    },
    /// The service is off the offer.
    #[error("the service {service_id} is {}, not active", ServiceStatus::Inactive)]
    ServiceNotActive {
        /// The service.
        service_id: Uuid,
    },
    /// It would have ended before it begins.
    #[error(
        "a subscription ends after it begins: {} is not after {}",
        told(expires_at),
        told(begins)
    )]
    ExpiryPast {
        /// What was asked.
        expires_at: DateTime<Utc>,
        /// When it begins.
        begins: DateTime<Utc>,
    },
    /// A renewal that ends no later.
    #[error("a renewal ends later than before: {} is before {}", told(asked), told(expires_at))]
    NotLater {
        /// When it ends.
        expires_at: DateTime<Utc>,
        /// What was asked.
        asked: DateTime<Utc>,
    },
    /// A renewal of what has no end.
    #[error("the subscription never expires: there is nothing to renew")]
    NeverExpires,
    /// It was cancelled.
    #[error("the subscription is cancelled; subscribe again")]
    Cancelled,
    /// Its time has come.
    #[error("the subscription has expired; subscribe again")]
    Expired,
    /// Its time has not come.
    #[error("the subscription {}", expires_at.map_or_else(
        || "never expires".to_owned(),
        |end| format!("expires at {}, not before", told(&end))
    ))]
    NotDue {
        /// When it expires, if it does.
        expires_at: Option<DateTime<Utc>>,
    },
}

impl Refusal for SubscriptionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "subscription-not-found",
            Self::AlreadySubscribed => "subscription-already-begun",
            Self::SubscriberUnknown { .. } => "subscriber-not-found",
            Self::SubscriberNotActive { .. } => "subscriber-not-active",
            Self::ServiceUnknown { .. } => "service-unknown",
            Self::ServiceNotActive { .. } => "service-not-active",
            Self::ExpiryPast { .. } => "expiry-not-in-future",
            Self::NotLater { .. } => "renewal-not-later",
            Self::NeverExpires => "subscription-never-expires",
            Self::Cancelled => "subscription-cancelled",
            Self::Expired => "subscription-expired",
            Self::NotDue { .. } => "subscription-not-due",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadySubscribed => RefusalSort::Exists,
            Self::ExpiryPast { .. } => RefusalSort::Invalid,
            Self::SubscriberUnknown { .. }
            | Self::SubscriberNotActive { .. }
            | Self::ServiceUnknown { .. }
            | Self::ServiceNotActive { .. }
            | Self::NotLater { .. }
            | Self::NeverExpires
            | Self::Cancelled
            | Self::Expired
            | Self::NotDue { .. } => RefusalSort::Rule,
        }
    }
}
