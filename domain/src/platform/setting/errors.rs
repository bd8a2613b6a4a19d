//! Why a setting may refuse.

use super::MAX_VALUE;
use crate::aggregate::{Refusal, RefusalSort};
use crate::values::{SettingKey, SettingType};

/// Why a setting may refuse. None of it tells a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// Nothing was set under this id.
    #[error("there is no such setting")]
    Unknown,
    /// Null is no value.
    #[error("null is no value; unset the setting to take its value away")]
    Null,
    /// The value is of another sort.
    #[error("the setting's values are of type {value_type}, this one is of type {found}")]
    WrongType {
        /// What was fixed, or said with the value.
        value_type: SettingType,
        /// What the value is.
        found: SettingType,
    },
    /// The sort of value was fixed before.
    #[error("the setting's type was fixed as {value_type} when it was set first; asked {asked}")]
    TypeFixed {
        /// What was fixed.
        value_type: SettingType,
        /// What was asked.
        asked: SettingType,
    },
    /// A secret stays one.
    #[error("the setting is a secret and stays one: say is_secret with every value of it")]
    StaysSecret,
    /// The id is another key's.
    #[error("this setting's key is {key}, and a setting keeps its key")]
    OtherKey {
        /// Its key.
        key: SettingKey,
    },
    /// The value is too long.
    #[error("a value of at most {MAX_VALUE} bytes is kept, this one has {bytes}")]
    ValueTooLarge {
        /// How long it is, written as JSON without spaces.
        bytes: usize,
    },
}

impl Refusal for SettingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "setting-not-found",
            Self::Null => "setting-null",
            Self::WrongType { .. } => "setting-wrong-type",
            Self::TypeFixed { .. } => "setting-type-fixed",
            Self::StaysSecret => "setting-stays-secret",
            Self::OtherKey { .. } => "setting-other-key",
            Self::ValueTooLarge { .. } => "setting-too-large",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::Null | Self::ValueTooLarge { .. } => RefusalSort::Invalid,
            Self::WrongType { .. }
            | Self::TypeFixed { .. }
            | Self::StaysSecret
            | Self::OtherKey { .. } => RefusalSort::Rule,
        }
    }
}
