//! What can have happened to a service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Name, Type};
use crate::values::{JsonObject, Reason};

/// A service came on offer; active.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Registered {
    /// What it is called.
    pub name: Name,
    /// What sort of service it is.
    #[serde(rename = "type")]
    pub service_type: Type,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<About>,
    /// How it is set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<JsonObject>,
}

/// Name, sort or description changed; all of them as they are now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Described {
    /// What it was called before.
    pub from_name: Name,
    /// What it is called.
    pub name: Name,
    /// What sort of service it is.
    #[serde(rename = "type")]
    pub service_type: Type,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<About>,
}

/// It was set up anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Configured {
    /// How it is set up, whole.
    pub configuration: JsonObject,
}

/// It may be subscribed to again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Activated {}

/// It was taken off the offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deactivated {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

crate::events! {
    /// What can have happened to a service.
    pub enum ServiceEvent {
        "services.service.registered" @ 1 => Registered,
        "services.service.described" @ 1 => Described,
        "services.service.configured" @ 1 => Configured,
        "services.service.activated" @ 1 => Activated,
        "services.service.deactivated" @ 1 => Deactivated,
    }
}
