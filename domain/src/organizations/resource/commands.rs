//! What can be asked of a resource.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::values::{Reason, Text};

/// Makes a resource of an organization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// Whose it is; the organization must not be deleted.
    pub org_id: Uuid,
    /// What people call it.
    pub name: Text<255>,
    /// What sort of resource it is, in the organization's own words.
    #[serde(rename = "type")]
    pub resource_type: Text<50>,
    /// What else there is to say of it, at most 64 KiB; nothing where absent.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

/// Changes what people call it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// The new name.
    pub name: Text<255>,
}

/// Merges into the metadata as RFC 7396 says: what is `null` goes, objects are merged, anything
/// else replaces what was there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetMetadata {
    /// The patch; what comes out of it has at most 64 KiB.
    pub metadata: Map<String, Value>,
}

/// Deletes it; the record stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Undoes a deletion; its organization must not be deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restore {}

crate::commands! {
    /// What can be asked of a resource.
    pub enum ResourceCommand {
        "create" => Create,
        "rename" => Rename,
        "set_metadata" => SetMetadata,
        "delete" => Delete,
        "restore" => Restore,
    }
}
