//! What can have happened to a setting.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::values::{SecretValue, SettingKey, SettingType, Text};

/// It was given a value: `value`, or `secret_value` where it is a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Set {
    /// What it is called.
    pub key: SettingKey,
    /// What sort of value it has.
    pub value_type: SettingType,
    /// Whether the value is shown to nobody.
    pub is_secret: bool,
    /// The value of one that is no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The value of a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_value: Option<SecretValue>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Text<1000>>,
}

/// Its value was taken away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unset {}

crate::events! {
    /// What can have happened to a setting.
    pub enum SettingEvent {
        "platform.setting.set" @ 1 => Set,
        "platform.setting.unset" @ 1 => Unset,
    }
}
