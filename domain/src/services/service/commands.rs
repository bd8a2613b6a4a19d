//! What can be asked of a service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Name, Type};
use crate::message::given_or_null;
use crate::values::{JsonObject, Reason};

/// Puts a service on offer; it may be subscribed to at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// What it is called, unique; case counts.
    pub name: Name,
    /// What sort of service it is.
    #[serde(rename = "type")]
    pub service_type: Type,
    /// What it is about.
    #[serde(default)]
    pub description: Option<About>,
    /// How it is set up.
    #[serde(default)]
    pub configuration: Option<JsonObject>,
}

/// Changes what it is called, what sort it is, and what it is about. What is absent stays; a null
/// description is removed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// The new name, unique; case counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// What sort of service it is.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub service_type: Option<Type>,
    /// What it is about; null removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given_or_null")]
    pub description: Option<Option<About>>,
}

/// Sets it up anew: the object takes the place of the one before, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Configure {
    /// How it is set up.
    pub configuration: JsonObject,
}

/// Lets it be subscribed to again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Activate {}

/// Takes it off the offer. Subscriptions go on, but are neither renewed nor changed to another plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deactivate {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

crate::commands! {
    /// What can be asked of a service.
    pub enum ServiceCommand {
        "register" => Register,
        "describe" => Describe,
        "configure" => Configure,
        "activate" => Activate,
        "deactivate" => Deactivate,
    }
}
