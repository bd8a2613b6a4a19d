//! What can have happened to a piece of equipment.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{JsonObject, Reason, Text};

/// What a piece of equipment is, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Particulars {
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<Text<100>>,
    /// Which model it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Text<100>>,
    /// Its maker's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<Text<100>>,
    /// The day it was bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_date: Option<NaiveDate>,
    /// The last day of its warranty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warranty_expires: Option<NaiveDate>,
    /// Whatever else there is to say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specifications: Option<JsonObject>,
}

/// A piece of equipment came into stock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Registered {
    /// What is written on it.
    pub asset_tag: Text<50>,
    /// What sort of thing it is.
    pub asset_type: Text<50>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Text<200>>,
    /// What it is.
    #[serde(flatten)]
    pub particulars: Particulars,
}

/// Someone got it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Assigned {
    /// Who.
    pub user_id: Uuid,
}

/// It came back into stock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Returned {
    /// Who had had it; absent where it came from repair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Uuid>,
}

/// It is somewhere else now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Moved {
    /// Where.
    pub location: Text<200>,
}

/// It went to be repaired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SentToRepair {
    /// Who had had it, if someone did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Uuid>,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// It went out of use for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Retired {
    /// Who had had it, if someone did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Uuid>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// It is known to be this now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Specified(pub Particulars);

crate::events! {
    /// What can have happened to a piece of equipment.
    pub enum AssetEvent {
        "support.asset.registered" @ 1 => Registered,
        "support.asset.assigned" @ 1 => Assigned,
        "support.asset.returned" @ 1 => Returned,
        "support.asset.moved" @ 1 => Moved,
        "support.asset.sent_to_repair" @ 1 => SentToRepair,
        "support.asset.retired" @ 1 => Retired,
        "support.asset.specified" @ 1 => Specified,
    }
}
