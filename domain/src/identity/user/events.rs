//! What can have happened to a user.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{
    Email, FullName, NamePart, PasswordHash, Personal, Phone, Prose, Reason, SecretHash, UserRole,
    UserStatus, Username, WebAddress,
};

/// A user began; active, with an email not verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Registered {
    /// The name to sign in with.
    pub username: Personal<Username>,
    /// The address.
    pub email: Personal<Email>,
    /// The whole name.
    pub full_name: Personal<FullName>,
    /// The first name.
    pub first_name: Personal<NamePart>,
    /// The last name; may be empty.
    pub last_name: Personal<NamePart>,
    /// A telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Personal<Phone>>,
    /// The hash of the password.
    pub password_hash: PasswordHash,
    /// The built-in role.
    pub role: UserRole,
    /// Whether the user is a part of the service, not a person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_system: bool,
    /// SHA-256 of the token that will verify the email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_token_hash: Option<SecretHash>,
}

/// The email was shown to be the user's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmailVerified {
    /// The address.
    pub email: Personal<Email>,
}

/// A new verification token replaced the one before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerificationRequested {
    /// SHA-256 of the token.
    pub verification_token_hash: SecretHash,
}

/// The email changed; it is not verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmailChanged {
    /// The address before.
    pub from: Personal<Email>,
    /// The address now.
    pub to: Personal<Email>,
    /// SHA-256 of the token that will verify it.
    pub verification_token_hash: SecretHash,
}

/// The name to sign in with changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsernameChanged {
    /// The name before.
    pub from: Personal<Username>,
    /// The name now.
    pub to: Personal<Username>,
}

/// Names or telephone number changed; all of them as they are now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileChanged {
    /// The whole name.
    pub full_name: Personal<FullName>,
    /// The first name.
    pub first_name: Personal<NamePart>,
    /// The last name; may be empty.
    pub last_name: Personal<NamePart>,
    /// The telephone number, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Personal<Phone>>,
}

/// What the user says of themselves changed; all of it as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Described {
    /// In their own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bio: Option<Personal<Prose<5000>>>,
    /// Where a picture of them is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<Personal<WebAddress>>,
    /// Whether nothing had ever been said before.
    pub first: bool,
}

/// The password changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PasswordChanged {
    /// The new password's hash.
    pub password_hash: PasswordHash,
}

/// The built-in role changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoleChanged {
    /// The role before.
    pub from: UserRole,
    /// The role now.
    pub to: UserRole,
}

/// The user was given a role beside the built-in one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoleAssigned {
    /// The role.
    pub role_id: Uuid,
}

/// A role beside the built-in one was taken away, or deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoleUnassigned {
    /// The role.
    pub role_id: Uuid,
}

/// The user signed in. When is when the event happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedIn {}

/// Someone failed to sign in as the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoginFailed {
    /// How many times in a row now.
    pub failures: u32,
    /// Until when nobody can sign in as the user, where this failure locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<DateTime<Utc>>,
}

/// A lock ended before its time, and the failures were forgotten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unlocked {}

/// The user was barred.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suspended {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The user was put to rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deactivated {}

/// The user is active again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reactivated {}

/// The user was deleted; the record, the email and the username stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// A deletion was undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Restored {
    /// Where the user stands again: as before the deletion.
    pub status: UserStatus,
}

crate::events! {
    /// What can have happened to a user.
    pub enum UserEvent {
        "identity.user.registered" @ 1 => Registered,
        "identity.user.email_verified" @ 1 => EmailVerified,
        "identity.user.verification_requested" @ 1 => VerificationRequested,
        "identity.user.email_changed" @ 1 => EmailChanged,
        "identity.user.username_changed" @ 1 => UsernameChanged,
        "identity.user.profile_changed" @ 1 => ProfileChanged,
        "identity.user.described" @ 1 => Described,
        "identity.user.password_changed" @ 1 => PasswordChanged,
        "identity.user.role_changed" @ 1 => RoleChanged,
        "identity.user.role_assigned" @ 1 => RoleAssigned,
        "identity.user.role_unassigned" @ 1 => RoleUnassigned,
        "identity.user.logged_in" @ 1 => LoggedIn,
        "identity.user.login_failed" @ 1 => LoginFailed,
        "identity.user.unlocked" @ 1 => Unlocked,
        "identity.user.suspended" @ 1 => Suspended,
        "identity.user.deactivated" @ 1 => Deactivated,
        "identity.user.reactivated" @ 1 => Reactivated,
        "identity.user.deleted" @ 1 => Deleted,
        "identity.user.restored" @ 1 => Restored,
    }
}
