//! What can be asked of a subscription.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Plan;
use crate::values::{JsonObject, Reason};

/// Subscribes a user to an active service; one active subscription each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// Who subscribes; they must be active.
    pub user_id: Uuid,
    /// To what; it must be active.
    pub service_id: Uuid,
    /// Under which plan.
    pub plan: Plan,
    /// When it ends by itself, if it does; after it begins.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
    /// How it is set up.
    #[serde(default)]
    pub configuration: Option<JsonObject>,
}

/// Goes on under another plan; the service must be active.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePlan {
    /// The new plan.
    pub plan: Plan,
}

/// Sets it up anew: the object takes the place of the one before, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Configure {
    /// How it is set up.
    pub configuration: JsonObject,
}

/// Lets it end later than it would; the service must be active.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Renew {
    /// When it ends now; later than before.
    pub expires_at: DateTime<Utc>,
}

/// Ends it before its time, for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Ends one whose time has come; sent by the scheduler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expire {}

crate::commands! {
    /// What can be asked of a subscription.
    pub enum SubscriptionCommand {
        "subscribe" => Subscribe,
        "change_plan" => ChangePlan,
        "configure" => Configure,
        "renew" => Renew,
        "cancel" => Cancel,
        "expire" => Expire,
    }
}
