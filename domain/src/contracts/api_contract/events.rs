//! What can have happened to an API contract.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Finding;
use crate::values::{AliasType, ApiVersion, BaseUrl, Reason, Text};

/// A contract was registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Registered {
    /// Its name.
    pub canonical_name: Text<255>,
    /// Its version.
    pub version: ApiVersion,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<4000>>,
    /// Where it is found.
    pub base_url: BaseUrl,
    /// What each governance rule in effect said to it.
    pub findings: Vec<Finding>,
}

/// It got a new version; all of it as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Revised {
    /// Its version.
    pub version: ApiVersion,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<4000>>,
    /// Where it is found.
    pub base_url: BaseUrl,
    /// What each governance rule in effect said to it.
    pub findings: Vec<Finding>,
}

/// Something better is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deprecated {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// It is kept for the record only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Archived {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// It got another name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AliasAdded {
    /// The alias's id.
    pub alias_id: Uuid,
    /// The name.
    pub alias_name: Text<255>,
    /// Where it is called so.
    pub context: Text<100>,
    /// How long it is meant to last.
    pub alias_type: AliasType,
    /// When it ends, if it is temporary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<1000>>,
}

/// An alias was ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AliasDeactivated {
    /// The alias's id.
    pub alias_id: Uuid,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// A temporary alias's time came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AliasExpired {
    /// The alias's id.
    pub alias_id: Uuid,
}

crate::events! {
    /// What can have happened to an API contract.
    pub enum ApiContractEvent {
        "contracts.api_contract.registered" @ 1 => Registered,
        "contracts.api_contract.revised" @ 1 => Revised,
        "contracts.api_contract.deprecated" @ 1 => Deprecated,
        "contracts.api_contract.archived" @ 1 => Archived,
        "contracts.api_contract.alias_added" @ 1 => AliasAdded,
        "contracts.api_contract.alias_deactivated" @ 1 => AliasDeactivated,
        "contracts.api_contract.alias_expired" @ 1 => AliasExpired,
    }
}
