//! What can be asked of a user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use uuid::Uuid;

use crate::message::given_or_null;
use crate::values::{
    Email, FullName, PasswordHash, Personal, Phone, Prose, Reason, SecretHash, Text, UserRole,
    Username, WebAddress,
};

/// Makes a new user, who can sign in at once and has yet to verify the email.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The name to sign in with, unique without regard to case.
    pub username: Personal<Username>,
    /// The address, unique without regard to case.
    pub email: Personal<Email>,
    /// The whole name.
    pub full_name: Personal<FullName>,
    /// The first name; taken from the whole name where absent.
    #[serde(default)]
    pub first_name: Option<Personal<Text<100>>>,
    /// The last name; taken from the whole name where absent.
    #[serde(default)]
    pub last_name: Option<Personal<Text<100>>>,
    /// A telephone number.
    #[serde(default)]
    pub phone: Option<Personal<Phone>>,
    /// The hash of the password.
    pub password_hash: PasswordHash,
    /// The built-in role, `user` where absent; only administrators give another one.
    #[serde(default)]
    pub role: UserRole,
    /// SHA-256 of the token that will verify the email; none where nobody is to be asked.
    #[serde(default)]
    pub verification_token_hash: Option<SecretHash>,
}

/// Shows that the email is the user's: the token that was sent to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyEmail {
    /// SHA-256 of the token.
    pub token_hash: SecretHash,
}

/// Makes a new verification token; the one before stops working.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestVerification {
    /// SHA-256 of the new token.
    pub verification_token_hash: SecretHash,
}

/// Changes the email, which must then be verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeEmail {
    /// The new address, unique without regard to case.
    pub email: Personal<Email>,
    /// SHA-256 of the token that will verify it.
    pub verification_token_hash: SecretHash,
}

/// Changes the name to sign in with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUsername {
    /// The new name, unique without regard to case.
    pub username: Personal<Username>,
}

/// Changes names and telephone number. What is absent stays; a null telephone number is removed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeProfile {
    /// The whole name; first and last name follow from it where they are not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_name: Option<Personal<FullName>>,
    /// The first name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<Personal<Text<100>>>,
    /// The last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<Personal<Text<100>>>,
    /// The telephone number; null removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given_or_null")]
    pub phone: Option<Option<Personal<Phone>>>,
}

/// Changes what a user says of themselves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// In their own words; null removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given_or_null")]
    pub bio: Option<Option<Personal<Prose<5000>>>>,
    /// Where a picture of them is; null removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given_or_null")]
    pub avatar_url: Option<Option<Personal<WebAddress>>>,
}

/// Changes the password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The new password's hash.
    pub password_hash: PasswordHash,
}

/// Gives the user another built-in role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRole {
    /// The new role.
    pub role: UserRole,
}

/// Gives the user a role beside the built-in one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignRole {
    /// The role.
    pub role_id: Uuid,
}

/// Takes a role away that the user was given beside the built-in one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnassignRole {
    /// The role.
    pub role_id: Uuid,
}

/// Records that the user signed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordLogin {}

/// Records that someone failed to sign in as the user; the fifth in a row locks for 15 minutes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordFailedLogin {}

/// Ends a lock before its time, and forgets the failures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unlock {}

/// Closes all open sessions of the user: whoever has a token must sign in again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseSessions {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Bars the user from signing in and acting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suspend {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Puts the user to rest: as suspending, but no blame in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deactivate {}

/// Makes a suspended or inactive user active again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reactivate {}

/// Deletes the user. The record, the email and the username stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Undoes a deletion: the user stands as before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restore {}

crate::commands! {
    /// What can be asked of a user.
    pub enum UserCommand {
        "register" => Register,
        "verify_email" => VerifyEmail,
        "request_verification" => RequestVerification,
        "change_email" => ChangeEmail,
        "change_username" => ChangeUsername,
        "change_profile" => ChangeProfile,
        "describe" => Describe,
        "change_password" => ChangePassword,
        "change_role" => ChangeRole,
        "assign_role" => AssignRole,
        "unassign_role" => UnassignRole,
        "record_login" => RecordLogin,
        "record_failed_login" => RecordFailedLogin,
        "unlock" => Unlock,
        "close_sessions" => CloseSessions,
        "suspend" => Suspend,
        "deactivate" => Deactivate,
        "reactivate" => Reactivate,
        "delete" => Delete,
        "restore" => Restore,
    }
}
