//! What can be asked of a setting.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::values::{SettingKey, SettingType, Text};

/// Gives a setting a value, whether it had one or not.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// What it is called, unique.
    pub key: SettingKey,
    /// Its value, at most 64 KiB; not null.
    pub value: Value,
    /// What sort of value it has, for ever; what this one is where absent. A number is taken for
    /// any number unless `integer` is said.
    #[serde(default)]
    pub value_type: Option<SettingType>,
    /// Whether the value is shown to nobody; said each time, and never taken back.
    #[serde(default)]
    pub is_secret: bool,
    /// What it is for; as before where absent.
    #[serde(default)]
    pub about: Option<Text<1000>>,
}

/// The value may be a secret: no log line shows it.
impl std::fmt::Debug for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Set").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Takes a setting's value away. Its key and the sort of its value stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unset {}

crate::commands! {
    /// What can be asked of a setting.
    pub enum SettingCommand {
        "set" => Set,
        "unset" => Unset,
    }
}
