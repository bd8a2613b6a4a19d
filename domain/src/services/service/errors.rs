//! Why a service may refuse. That its name is taken, the log says.

use crate::aggregate::{Refusal, RefusalSort};

/// Why a service may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// Nothing was registered under this id.
    #[error("there is no such service")]
    Unknown,
    /// A service was registered under this id before.
    #[error("this service is registered already")]
    AlreadyRegistered,
}

impl Refusal for ServiceError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "service-not-found",
            Self::AlreadyRegistered => "service-already-registered",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyRegistered => RefusalSort::Exists,
        }
    }
}
