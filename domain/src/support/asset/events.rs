//! What can have happened to a piece of equipment.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::values::{CameFrom, JsonObject, Reason, Text};

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
    /// Where it was before.
    pub came_from: CameFrom,
    /// Who had had it, if someone did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned_by: Option<Uuid>,
}

impl Returned {
    /// From whoever had it; from repair where nobody did.
    #[must_use]
    pub fn from(returned_by: Option<Uuid>) -> Self {
        let came_from = if returned_by.is_some() { CameFrom::Person } else { CameFrom::Repair };
        Self { came_from, returned_by }
    }

    /// Version 1 had `from`: who had had it, absent where it came from repair.
    fn of_version_1(fields: &mut Map<String, Value>) {
        let returned_by = fields.remove("from").filter(|from| !from.is_null());
        let came_from = if returned_by.is_some() { "person" } else { "repair" };
        fields.insert("came_from".to_owned(), came_from.into());
        if let Some(returned_by) = returned_by {
            fields.insert("returned_by".to_owned(), returned_by);
        }
    }
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
        "support.asset.returned" @ 2 => Returned { 1 => Returned::of_version_1 },
        "support.asset.moved" @ 1 => Moved,
        "support.asset.sent_to_repair" @ 1 => SentToRepair,
        "support.asset.retired" @ 1 => Retired,
        "support.asset.specified" @ 1 => Specified,
    }
}
