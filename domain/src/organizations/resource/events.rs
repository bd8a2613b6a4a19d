//! What can have happened to a resource.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::values::{Reason, Text};

/// A resource began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    /// Whose it is.
    pub org_id: Uuid,
    /// What people call it.
    pub name: Text<255>,
    /// What sort of resource it is.
    #[serde(rename = "type")]
    pub resource_type: Text<50>,
    /// What else there is to say of it.
    pub metadata: Map<String, Value>,
}

/// It was given another name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Renamed {
    /// What people call it.
    pub name: Text<255>,
}

/// Its metadata changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetadataSet {
    /// All of it, as it is now.
    pub metadata: Map<String, Value>,
}

/// It was deleted; the record stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// Whose it is.
    pub org_id: Uuid,
    /// Whether it went with its organization, and so comes back with it.
    pub with_organization: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The deletion was undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Restored {
    /// Whose it is.
    pub org_id: Uuid,
    /// Whether it came back with its organization.
    pub with_organization: bool,
}

crate::events! {
    /// What can have happened to a resource.
    pub enum ResourceEvent {
        "organizations.resource.created" @ 1 => Created,
        "organizations.resource.renamed" @ 1 => Renamed,
        "organizations.resource.metadata_set" @ 1 => MetadataSet,
        "organizations.resource.deleted" @ 1 => Deleted,
        "organizations.resource.restored" @ 1 => Restored,
    }
}
