//! Passwords, keys and tokens: made and hashed here, so that none of them ever
//! reaches an event, a row or a log line in the clear.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daybook_domain::aggregate::Aggregate;
use daybook_domain::identity::api_key::ApiKey;
use daybook_domain::identity::session::Session;
use daybook_domain::identity::user::User;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::error::CommandError;
use crate::passwords::hash_password;

/// A secret just made: shown once, kept as its hash.
pub struct Fresh {
    /// What the caller gets, once.
    pub clear: String,
    /// The first characters, by which people recognise it.
    pub prefix: String,
    /// SHA-256 of `clear` in lower-case hex. Enough for 256 random bits; a
    /// password gets Argon2id instead.
    pub hash: String,
}

/// Makes a key or token of 256 random bits, beginning with `kind` (such as `dbk`).
///
/// # Errors
/// The operating system has no random numbers.
pub fn fresh(kind: &str) -> Result<Fresh, CommandError> {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(|error| CommandError::Fault(error.to_string()))?;
    let clear = format!("{kind}_{}", URL_SAFE_NO_PAD.encode(random));
    let prefix = clear.chars().take(kind.len() + 9).collect();
    let hash = token_hash(&clear);
    Ok(Fresh { clear, prefix, hash })
}

/// The hash under which a key or token is kept: SHA-256 in lower-case hex.
#[must_use]
pub fn token_hash(clear: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(clear.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Whether a command's field carries a secret in the clear.
#[must_use]
pub fn is_secret_field(name: &str) -> bool {
    matches!(name, "password" | "token")
}

/// Replaces what is secret in a command's fields by its hash, and makes the
/// secrets that the command hands out. Gives what the caller is shown once.
///
/// # Errors
/// A password that is no text or has less than 12 characters.
pub async fn prepare(
    kind: &str,
    name: &str,
    fields: &mut Map<String, Value>,
) -> Result<Vec<(&'static str, String)>, CommandError> {
    let mut shown = Vec::new();
    if let Some(field) = made_here(kind, name).iter().find(|field| fields.contains_key(**field)) {
        return Err(CommandError::Invalid {
            pointer: format!("/{field}"),
            detail: format!("{field} is made here and not sent"),
        });
    }
    match (kind, name) {
        (User::KIND, "register") => {
            // An import may bring the hash that another system made.
            if !fields.contains_key("password_hash") {
                replace_password(fields).await?;
            }
            hand_out_verification(fields, &mut shown)?;
        }
        (User::KIND, "change_email" | "request_verification") => {
            hand_out_verification(fields, &mut shown)?;
        }
        (User::KIND, "change_password") => replace_password(fields).await?,
        (User::KIND, "verify_email") => {
            let token = text(fields, "token")?;
            fields.insert("token_hash".into(), token_hash(&token).into());
        }
        (Session::KIND, "open") => {
            let token = fresh("dbs")?;
            fields.insert("token_hash".into(), token.hash.into());
            shown.push(("token", token.clear));
        }
        (ApiKey::KIND, "issue" | "rotate") => {
            let key = fresh("dbk")?;
            fields.insert("prefix".into(), key.prefix.into());
            fields.insert("secret_hash".into(), key.hash.into());
            shown.push(("secret", key.clear));
        }
        _ => {}
    }
    Ok(shown)
}

/// Whether preparing the command costs so much that it is asked first who may send it.
#[must_use]
pub fn is_costly(kind: &str, name: &str) -> bool {
    matches!((kind, name), (User::KIND, "register" | "change_password"))
}

/// The fields that [`prepare`] makes; nobody sends them.
fn made_here(kind: &str, name: &str) -> &'static [&'static str] {
    match (kind, name) {
        // The hash of a password may come from another system, with an import.
        (User::KIND, "register" | "change_email" | "request_verification") => {
            &["verification_token_hash"]
        }
        (User::KIND, "change_password") => &["password_hash"],
        (User::KIND, "verify_email") | (Session::KIND, "open") => &["token_hash"],
        (ApiKey::KIND, "issue" | "rotate") => &["prefix", "secret_hash"],
        _ => &[],
    }
}

/// The schema of a command as callers see it: hashes that are made here are not
/// theirs to send, passwords and tokens are.
#[must_use]
pub fn public_schema(kind: &str, name: &str, mut schema: Value) -> Value {
    let (made_here, sent): (&[&str], &[(&str, &str)]) = match (kind, name) {
        (User::KIND, "register") => (
            &["password_hash", "verification_token_hash"],
            &[("password", "12 to 1024 characters; kept as an Argon2id hash only")],
        ),
        (User::KIND, "change_email" | "request_verification") => {
            (&["verification_token_hash"], &[])
        }
        (User::KIND, "change_password") => (
            &["password_hash"],
            &[("password", "12 to 1024 characters; kept as an Argon2id hash only")],
        ),
        (User::KIND, "verify_email") => {
            (&["token_hash"], &[("token", "the token that registering answered with")])
        }
        (ApiKey::KIND, "issue" | "rotate") => (&["prefix", "secret_hash"], &[]),
        (Session::KIND, "open") => return sign_in_schema(schema),
        _ => return schema,
    };
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|field| !made_here.iter().any(|made| field == made));
        required.extend(sent.iter().map(|(field, _)| Value::from(*field)));
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|field, _| !made_here.contains(&field.as_str()));
        for (field, description) in sent {
            let text = serde_json::json!({ "type": "string", "description": description });
            properties.insert((*field).to_owned(), text);
        }
    }
    schema
}

/// A session is opened by who is known, for a user; or by who is not, with a password.
fn sign_in_schema(mut schema: Value) -> Value {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.remove("token_hash");
        for (field, description) in [
            ("login", "to sign in: the email or the username, in whatever case"),
            ("password", "to sign in: the password; then nothing else says who asks"),
        ] {
            let text = serde_json::json!({ "type": "string", "description": description });
            properties.insert(field.to_owned(), text);
        }
    }
    schema["required"] = serde_json::json!([]);
    schema["oneOf"] = serde_json::json!([
        { "required": ["user_id"] }, { "required": ["login", "password"] },
    ]);
    schema
}

fn hand_out_verification(
    fields: &mut Map<String, Value>,
    shown: &mut Vec<(&'static str, String)>,
) -> Result<(), CommandError> {
    let token = fresh("dbv")?;
    fields.insert("verification_token_hash".into(), token.hash.into());
    shown.push(("verification_token", token.clear));
    Ok(())
}

async fn replace_password(fields: &mut Map<String, Value>) -> Result<(), CommandError> {
    let password = text(fields, "password")?;
    let length = password.chars().count();
    if !(12..=1024).contains(&length) {
        return Err(CommandError::Invalid {
            pointer: "/password".into(),
            detail: format!("a password has 12 to 1024 characters, this one has {length}"),
        });
    }
    let hash = hash_password(password).await?;
    fields.insert("password_hash".into(), hash.into());
    Ok(())
}

fn text(fields: &mut Map<String, Value>, name: &str) -> Result<String, CommandError> {
    match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(CommandError::Invalid {
            pointer: format!("/{name}"),
            detail: format!("{name} must be a string"),
        }),
        None => Err(CommandError::Invalid {
            pointer: format!("/{name}"),
            detail: format!("missing field `{name}`"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_are_recognised_by_their_hash() {
        let (one, two) = (fresh("dbk").expect("a key"), fresh("dbk").expect("a key"));
        assert_ne!(one.clear, two.clear);
        assert_eq!(one.hash, token_hash(&one.clear));
        assert!(one.clear.starts_with(&one.prefix) && one.prefix.len() == 12);
    }
}
