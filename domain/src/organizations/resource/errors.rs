//! Why a resource may refuse.

use uuid::Uuid;

use super::MAX_METADATA;
use crate::aggregate::{Refusal, RefusalSort};

/// Why a resource may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    /// No resource was created under this id.
    #[error("there is no such resource")]
    Unknown,
    /// A resource was created under this id before.
    #[error("this resource exists already")]
    AlreadyExists,
    /// It is deleted.
    #[error("the resource is deleted; restore it first")]
    Deleted,
    /// The organization does not exist.
    #[error("there is no organization {org_id} to have the resource")]
    OrganizationUnknown {
        /// Whose it should be.
        org_id: Uuid,
    },
    /// The organization is deleted.
    #[error("the organization {org_id} is deleted; restore it first")]
    OrganizationDeleted {
        /// Whose it is, or should be.
        org_id: Uuid,
    },
    /// There would be too much to say of it.
    #[error("metadata of at most {MAX_METADATA} bytes is kept, this would be {bytes}")]
    MetadataTooLarge {
        /// How long it would be, written as JSON without spaces.
        bytes: usize,
    },
}

impl Refusal for ResourceError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "resource-not-found",
            Self::AlreadyExists => "resource-already-exists",
            Self::Deleted => "resource-deleted",
            Self::OrganizationUnknown { .. } => "organization-not-found",
            Self::OrganizationDeleted { .. } => "organization-deleted",
            Self::MetadataTooLarge { .. } => "metadata-too-large",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyExists => RefusalSort::Exists,
            Self::MetadataTooLarge { .. } => RefusalSort::Invalid,
            Self::Deleted | Self::OrganizationUnknown { .. } | Self::OrganizationDeleted { .. } => {
                RefusalSort::Rule
            }
        }
    }
}
