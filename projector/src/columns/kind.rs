//! What a column holds.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::{Type, TypePtr};

/// Digits after the point of a sum of money.
const MONEY: i32 = 2;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 64 bits with a sign.
    Long,
    /// A float of 64 bits.
    Double,
    /// Yes or no.
    Bool,
    /// Text.
    Text,
    /// JSON, as text.
    Json,
    /// A UUID.
    Id,
    /// Microseconds of Unix time, UTC.
    Time,
    /// Days since 1970.
    Day,
    /// `DECIMAL(18, 2)`: a sum of money.
    Money,
}

/// A column's name and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether every row has it.
    pub required: bool,
}

impl Name {
    /// A column that every row has.
    #[must_use]
    pub fn required(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind, required: true }
    }

    /// A column that a row may lack.
    #[must_use]
    pub fn optional(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind, required: false }
    }

    /// As Parquet says it.
    pub(super) fn parquet(&self) -> Result<TypePtr, ParquetError> {
        let micros = || LogicalType::timestamp(true, TimeUnit::MICROS);
        let (physical, logical) = match self.kind {
            Kind::Long => (Physical::INT64, None),
            Kind::Double => (Physical::DOUBLE, None),
            Kind::Bool => (Physical::BOOLEAN, None),
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
            Kind::Id => (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid)),
            Kind::Time => (Physical::INT64, Some(micros())),
            Kind::Day => (Physical::INT32, Some(LogicalType::Date)),
            Kind::Money => (Physical::INT64, Some(LogicalType::decimal(MONEY, 18))),
        };
        let repetition = if self.required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let mut column = Type::primitive_type_builder(&self.name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical);
        match self.kind {
            Kind::Id => column = column.with_length(16),
            Kind::Money => column = column.with_precision(18).with_scale(MONEY),
            Kind::Long
            | Kind::Double
            | Kind::Bool
            | Kind::Text
            | Kind::Json
            | Kind::Time
            | Kind::Day => {}
        }
        column.build().map(Arc::new)
    }
}
