//! What can have happened to a subscription.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Plan;
use crate::values::{JsonObject, Reason};

/// A subscription began; active. When is when the event happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subscribed {
    /// Who subscribes.
    pub user_id: Uuid,
    /// To what.
    pub service_id: Uuid,
    /// Under which plan.
    pub plan: Plan,
    /// When it ends by itself, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// How it is set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<JsonObject>,
}

/// It goes on under another plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanChanged {
    /// The plan before.
    pub from: Plan,
    /// The plan now.
    pub to: Plan,
}

/// It was set up anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Configured {
    /// How it is set up, whole.
    pub configuration: JsonObject,
}

/// It ends later than it would have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Renewed {
    /// When it would have ended.
    pub from: DateTime<Utc>,
    /// When it ends now.
    pub expires_at: DateTime<Utc>,
}

/// It was ended before its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cancelled {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Its time came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Expired {}

crate::events! {
    /// What can have happened to a subscription.
    pub enum SubscriptionEvent {
        "services.subscription.subscribed" @ 1 => Subscribed,
        "services.subscription.plan_changed" @ 1 => PlanChanged,
        "services.subscription.configured" @ 1 => Configured,
        "services.subscription.renewed" @ 1 => Renewed,
        "services.subscription.cancelled" @ 1 => Cancelled,
        "services.subscription.expired" @ 1 => Expired,
    }
}
