//! What can be asked of a piece of equipment.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::events::Particulars;
use crate::values::{JsonObject, Reason, Text};

/// Takes a new piece of equipment into stock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// What is written on it, unique.
    pub asset_tag: Text<50>,
    /// What sort of thing it is, such as `laptop`.
    pub asset_type: Text<50>,
    /// Where it is.
    #[serde(default)]
    pub location: Option<Text<200>>,
    /// Who made it.
    #[serde(default)]
    pub manufacturer: Option<Text<100>>,
    /// Which model it is.
    #[serde(default)]
    pub model: Option<Text<100>>,
    /// Its maker's number.
    #[serde(default)]
    pub serial_number: Option<Text<100>>,
    /// The day it was bought.
    #[serde(default)]
    pub purchase_date: Option<NaiveDate>,
    /// The last day of its warranty.
    #[serde(default)]
    pub warranty_expires: Option<NaiveDate>,
    /// Whatever else there is to say of it.
    #[serde(default)]
    pub specifications: Option<JsonObject>,
}

/// Gives it to someone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    /// Who gets it; they must be active.
    pub user_id: Uuid,
}

/// Takes it back into stock, from whoever had it or from repair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Return {}

/// Says that it is somewhere else now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// Where.
    pub location: Text<200>,
}

/// Sends it to be repaired; whoever had it has it no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendToRepair {
    /// What is wrong with it.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Takes it out of use for good; whoever had it has it no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retire {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Says anew what it is; what is absent is not known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Specify {
    /// Who made it.
    #[serde(default)]
    pub manufacturer: Option<Text<100>>,
    /// Which model it is.
    #[serde(default)]
    pub model: Option<Text<100>>,
    /// Its maker's number.
    #[serde(default)]
    pub serial_number: Option<Text<100>>,
    /// The day it was bought.
    #[serde(default)]
    pub purchase_date: Option<NaiveDate>,
    /// The last day of its warranty.
    #[serde(default)]
    pub warranty_expires: Option<NaiveDate>,
    /// Whatever else there is to say of it.
    #[serde(default)]
    pub specifications: Option<JsonObject>,
}

/// Gives a command that says what a piece is a way to say it as events do.
macro_rules! says_what_it_is {
    ($($Name:ident)+) => {$(
        impl $Name {
            pub(super) fn particulars(&self) -> Particulars {
                Particulars {
                    manufacturer: self.manufacturer.clone(),
                    model: self.model.clone(),
                    serial_number: self.serial_number.clone(),
                    purchase_date: self.purchase_date,
                    warranty_expires: self.warranty_expires,
                    specifications: self.specifications.clone(),
                }
            }
        }
    )+};
}
says_what_it_is!(Register Specify);

crate::commands! {
    /// What can be asked of a piece of equipment.
    pub enum AssetCommand {
        "register" => Register,
        "assign" => Assign,
        "return" => Return,
        "move" => Move,
        "send_to_repair" => SendToRepair,
        "retire" => Retire,
        "specify" => Specify,
    }
}
