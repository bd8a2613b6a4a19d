//! Why a billing account may refuse.

use uuid::Uuid;

use crate::aggregate::{Refusal, RefusalSort};

/// Why a billing account may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BillingAccountError {
    /// No account was opened under this id.
    #[error("there is no such billing account")]
    Unknown,
    /// An account was opened under this id before.
    #[error("this billing account is open already")]
    AlreadyOpen,
    /// It is closed.
    #[error("the billing account is closed for good; open another one")]
    Closed,
    /// The organization does not exist.
    #[error("there is no organization {org_id} to be billed")]
    OrganizationUnknown {
        /// Who should pay.
        org_id: Uuid,
    },
    /// The organization is deleted.
    #[error("the organization {org_id} is deleted; restore it first")]
    OrganizationDeleted {
        /// Who should pay.
        org_id: Uuid,
    },
}

impl Refusal for BillingAccountError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "billing-account-not-found",
            Self::AlreadyOpen => "billing-account-already-open",
            Self::Closed => "billing-account-closed",
            Self::OrganizationUnknown { .. } => "organization-not-found",
            Self::OrganizationDeleted { .. } => "organization-deleted",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyOpen => RefusalSort::Exists,
            Self::Closed | Self::OrganizationUnknown { .. } | Self::OrganizationDeleted { .. } => {
                RefusalSort::Rule
            }
        }
    }
}
