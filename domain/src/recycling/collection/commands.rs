//! What can be asked of a collection.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{Carbon, Percentage, Personal, Prose, Reason, Text, Weight};

/// Schedules a collection at a customer's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// From whom; they must be active.
    pub customer_id: Uuid,
    /// What sort of collection it is, such as `paper`.
    pub collection_type: Text<50>,
    /// The day it is to be made.
    pub scheduled_date: NaiveDate,
    /// Where it is to be fetched.
    pub location_address: Personal<Prose<1000>>,
    /// What there is to know besides.
    #[serde(default)]
    pub notes: Option<Personal<Prose<5000>>>,
}

/// Puts it on another day, also one that was missed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reschedule {
    /// The new day.
    pub scheduled_date: NaiveDate,
}

/// Says that it was made, and what it weighs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Complete {
    /// What it weighs.
    pub weight_kg: Weight,
    /// The day it was made; today where absent.
    #[serde(default)]
    pub actual_date: Option<NaiveDate>,
}

/// Says that it was not made on its day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Miss {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Calls it off for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Records what became of a material of it; all of them never weigh more than was collected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordProcessing {
    /// The processing's id, used once; one is made where none is given.
    #[serde(default)]
    pub processing_id: Option<Uuid>,
    /// Which material.
    pub material_type: Text<50>,
    /// What it weighs.
    pub weight_kg: Weight,
    /// How much of it was recovered.
    #[serde(default)]
    pub recovery_rate: Option<Percentage>,
    /// The day it was processed; today where absent.
    #[serde(default)]
    pub processing_date: Option<NaiveDate>,
    /// Where.
    #[serde(default)]
    pub facility_id: Option<Text<50>>,
    /// How much carbon that saved.
    #[serde(default)]
    pub carbon_saved_kg: Option<Carbon>,
}

crate::commands! {
    /// What can be asked of a collection.
    pub enum CollectionCommand {
        "schedule" => Schedule,
        "reschedule" => Reschedule,
        "complete" => Complete,
        "miss" => Miss,
        "cancel" => Cancel,
        "record_processing" => RecordProcessing,
    }
}
