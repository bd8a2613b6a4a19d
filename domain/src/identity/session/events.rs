//! What can have happened to a session. Each says whose it is: what it lets go of follows from the
//! event alone.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{Reason, SecretHash};

/// A session began. From where is in what the log keeps beside each event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// Whose it is.
    pub user_id: Uuid,
    /// The organization on whose behalf it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<Uuid>,
    /// SHA-256 of the token.
    pub token_hash: SecretHash,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// The session lasts longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Extended {
    /// Whose it is.
    pub user_id: Uuid,
    /// The organization on whose behalf it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<Uuid>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// The session was ended for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Closed {
    /// Whose it was.
    pub user_id: Uuid,
    /// The organization on whose behalf it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<Uuid>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The session's time came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Expired {
    /// Whose it was.
    pub user_id: Uuid,
    /// The organization on whose behalf it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<Uuid>,
}

crate::events! {
    /// What can have happened to a session.
    pub enum SessionEvent {
        "identity.session.opened" @ 1 => Opened,
        "identity.session.extended" @ 1 => Extended,
        "identity.session.closed" @ 1 => Closed,
        "identity.session.expired" @ 1 => Expired,
    }
}
