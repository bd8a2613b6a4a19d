//! What can be asked of an API key.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{KeyPrefix, Reason, Scope, SecretHash, Text};

/// Makes a new key for a user. Its secret is shown once, in the answer, and kept only as a hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// Whose key it is; they must be active.
    pub user_id: Uuid,
    /// What its owner calls it.
    pub name: Text<100>,
    /// The part that may be shown, unique.
    pub prefix: KeyPrefix,
    /// SHA-256 of the secret.
    pub secret_hash: SecretHash,
    /// What it is limited to, 1 to 64; never more than its owner may.
    #[schemars(length(min = 1, max = 64))]
    pub scopes: Vec<Scope>,
    /// When it stops working, if it does; in the future.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Replaces the secret; the one before stops working at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// The new part that may be shown, unique.
    pub prefix: KeyPrefix,
    /// SHA-256 of the new secret.
    pub secret_hash: SecretHash,
    /// When the key stops working; as before where absent.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Ends the key for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Ends a key whose time has come; sent by the scheduler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expire {}

crate::commands! {
    /// What can be asked of an API key.
    pub enum ApiKeyCommand {
        "issue" => Issue,
        "rotate" => Rotate,
        "revoke" => Revoke,
        "expire" => Expire,
    }
}
