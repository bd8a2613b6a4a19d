//! What can have happened to an API key.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{KeyPrefix, Reason, Scope, SecretHash, Text};

/// A key began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Issued {
    /// Whose key it is.
    pub user_id: Uuid,
    /// What its owner calls it.
    pub name: Text<100>,
    /// The part that may be shown.
    pub prefix: KeyPrefix,
    /// SHA-256 of the secret.
    pub secret_hash: SecretHash,
    /// What it is limited to.
    pub scopes: Vec<Scope>,
    /// When it stops working, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// The secret was replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rotated {
    /// The part that could be shown before.
    pub from_prefix: KeyPrefix,
    /// The part that may be shown.
    pub prefix: KeyPrefix,
    /// SHA-256 of the secret.
    pub secret_hash: SecretHash,
    /// When it stops working, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// The key was ended for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Revoked {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The key's time came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Expired {}

crate::events! {
    /// What can have happened to an API key.
    pub enum ApiKeyEvent {
        "identity.api_key.issued" @ 1 => Issued,
        "identity.api_key.rotated" @ 1 => Rotated,
        "identity.api_key.revoked" @ 1 => Revoked,
        "identity.api_key.expired" @ 1 => Expired,
    }
}
