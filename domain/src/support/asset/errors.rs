//! Why a piece of equipment may refuse.

use uuid::Uuid;

use crate::aggregate::{Refusal, RefusalSort};
use crate::values::UserStatus;

/// Why a piece of equipment may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssetError {
    /// Nothing was registered under this id.
    #[error("there is no such asset")]
    Unknown,
    /// Something was registered under this id before.
    #[error("this asset is registered already")]
    AlreadyRegistered,
    /// Whoever should get it does not exist.
    #[error("there is no user {user_id} to have it")]
    HolderUnknown {
        /// Who should get it.
        user_id: Uuid,
    },
    /// Whoever should get it is not active.
    #[error("the user {user_id} is {status}, not active")]
    HolderNotActive {
        /// Who should get it.
        user_id: Uuid,
        /// Where they stand.
        status: UserStatus,
    },
    /// Someone else has it.
    #[error("{holder} has it; it must come back before another gets it")]
    AssignedToAnother {
        /// Who has it.
        holder: Uuid,
    },
    /// It is being repaired.
    #[error("the asset is in repair; it must come back before anyone gets it")]
    InRepair,
    /// It is out of use.
    #[error("the asset is retired")]
    Retired,
}

impl Refusal for AssetError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "asset-not-found",
            Self::AlreadyRegistered => "asset-already-registered",
            Self::HolderUnknown { .. } => "holder-not-found",
            Self::HolderNotActive { .. } => "holder-not-active",
            Self::AssignedToAnother { .. } => "asset-assigned",
            Self::InRepair => "asset-in-repair",
            Self::Retired => "asset-retired",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyRegistered => RefusalSort::Exists,
            Self::HolderUnknown { .. }
            | Self::HolderNotActive { .. }
            | Self::AssignedToAnother { .. }
            | Self::InRepair
            | Self::Retired => RefusalSort::Rule,
        }
    }
}
