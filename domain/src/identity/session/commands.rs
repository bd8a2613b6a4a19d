//! What can be asked of a session.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{Reason, SecretHash};

/// Begins a session of a user. Its token is shown once, in the answer, and kept only as a hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Whose session it is; they must be active.
    pub user_id: Uuid,
    /// The organization on whose behalf the session is, of which the user is a member.
    #[serde(default)]
    pub org_id: Option<Uuid>,
    /// SHA-256 of the token, unique.
    pub token_hash: SecretHash,
    /// When it ends: in the future, at most 90 days away; a day from now where absent.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Lets the session last longer; its user must be active.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Extend {
    /// When it ends: no earlier than it would have, at most 90 days away; a day from now where
    /// absent.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Ends the session for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Ends a session whose time has come; sent by the scheduler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expire {}

crate::commands! {
    /// What can be asked of a session.
    pub enum SessionCommand {
        "open" => Open,
        "extend" => Extend,
        "close" => Close,
        "expire" => Expire,
    }
}
