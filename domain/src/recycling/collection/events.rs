//! What can have happened to a collection.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{Carbon, Percentage, Personal, Prose, Reason, Text, Weight};

/// A collection was scheduled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scheduled {
    /// From whom.
    pub customer_id: Uuid,
    /// What sort of collection it is.
    pub collection_type: Text<50>,
    /// The day it is to be made.
    pub scheduled_date: NaiveDate,
    /// Where it is to be fetched.
    pub location_address: Personal<Prose<1000>>,
    /// What there is to know besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Personal<Prose<5000>>>,
}

/// It is to be made on another day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rescheduled {
    /// The day before.
    pub from: NaiveDate,
    /// The new day.
    pub scheduled_date: NaiveDate,
}

/// It was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Completed {
    /// What it weighs.
    pub weight_kg: Weight,
    /// The day it was made.
    pub actual_date: NaiveDate,
}

/// It was not made on its day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Missed {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// It was called off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cancelled {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// A material of it was processed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessingRecorded {
    /// The processing's id.
    pub processing_id: Uuid,
    /// Whether the id came from outside: then it is claimed, so that it is used once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub id_given: bool,
    /// Which material.
    pub material_type: Text<50>,
    /// What it weighs.
    pub weight_kg: Weight,
    /// How much of it was recovered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_rate: Option<Percentage>,
    /// The day it was processed.
    pub processing_date: NaiveDate,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facility_id: Option<Text<50>>,
    /// How much carbon that saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carbon_saved_kg: Option<Carbon>,
}

crate::events! {
    /// What can have happened to a collection.
    pub enum CollectionEvent {
        "recycling.collection.scheduled" @ 1 => Scheduled,
        "recycling.collection.rescheduled" @ 1 => Rescheduled,
        "recycling.collection.completed" @ 1 => Completed,
        "recycling.collection.missed" @ 1 => Missed,
        "recycling.collection.cancelled" @ 1 => Cancelled,
        "recycling.collection.processing_recorded" @ 1 => ProcessingRecorded,
    }
}
