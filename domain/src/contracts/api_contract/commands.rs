//! What can be asked of an API contract.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{AliasType, ApiVersion, BaseUrl, Reason, Text};

/// Registers a contract, if it is as the governance rules ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Its name, unique.
    pub canonical_name: Text<255>,
    /// Its version.
    pub version: ApiVersion,
    /// What it is about.
    #[serde(default)]
    pub description: Option<Text<4000>>,
    /// Where it is found.
    pub base_url: BaseUrl,
}

/// Gives a contract a new version, if it is as the governance rules ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revise {
    /// The new version: above every earlier one where both are `SemVer`, and never one that it had.
    pub version: ApiVersion,
    /// What it is about; as before where absent.
    #[serde(default)]
    pub description: Option<Text<4000>>,
    /// Where it is found; as before where absent.
    #[serde(default)]
    pub base_url: Option<BaseUrl>,
}

/// Says that something better is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deprecate {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Keeps it for the record only; for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Gives it another name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddAlias {
    /// The name; taken once in its context, for ever.
    pub alias_name: Text<255>,
    /// Where it is called so.
    pub context: Text<100>,
    /// How long it is meant to last; permanent where absent.
    #[serde(default = "permanent")]
    pub alias_type: AliasType,
    /// When a temporary one ends, in the future; a permanent one has none.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<Text<1000>>,
}

const fn permanent() -> AliasType {
    AliasType::Permanent
}

/// Ends an alias. Its name stays taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeactivateAlias {
    /// The alias.
    pub alias_id: Uuid,
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Ends temporary aliases whose time has come; sent by the scheduler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpireAlias {
    /// The alias; all of the contract's whose time has come where absent.
    #[serde(default)]
    pub alias_id: Option<Uuid>,
}

crate::commands! {
    /// What can be asked of an API contract.
    pub enum ApiContractCommand {
        "register" => Register,
        "revise" => Revise,
        "deprecate" => Deprecate,
        "archive" => Archive,
        "add_alias" => AddAlias,
        "deactivate_alias" => DeactivateAlias,
        "expire_alias" => ExpireAlias,
    }
}
