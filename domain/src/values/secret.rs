//! Hashes of secrets. The secrets themselves never come this far.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{InvalidValue, checked_string};

/// A password's hash: Argon2id in PHC form, bcrypt in modular crypt form, or
/// `!`, which no password has.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PasswordHash(String);

/// SHA-256 of a random secret, as 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretHash(String);

checked_string!(PasswordHash);
checked_string!(SecretHash);

impl PasswordHash {
    /// The hash that no password has: whoever has it cannot sign in with one.
    #[must_use]
    pub fn unusable() -> Self {
        Self("!".to_owned())
    }

    fn check(text: &str) -> Result<(), InvalidValue> {
        if text.len() <= 255 && (text == "!" || is_argon2id(text) || is_bcrypt(text)) {
            return Ok(());
        }
        Err(InvalidValue::new(
            "a password hash of Argon2id (\"$argon2id$v=19$…\") or bcrypt (\"$2b$…\") is allowed",
        ))
    }
}

fn is_base64(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/".contains(&b))
}

fn is_argon2id(text: &str) -> bool {
    let parts: Vec<&str> = text.split('$').collect();
    let ["", "argon2id", "v=19", parameters, salt, hash] = parts[..] else { return false };
    let names: Vec<&str> =
        parameters.split(',').map(|p| p.split('=').next().unwrap_or("")).collect();
    let numbers = parameters
        .split(',')
        .all(|p| p.split_once('=').is_some_and(|(_, value)| value.parse::<u32>().is_ok()));
    names == ["m", "t", "p"] && numbers && is_base64(salt) && is_base64(hash)
}

fn is_bcrypt(text: &str) -> bool {
    let parts: Vec<&str> = text.split('$').collect();
    let ["", "2a" | "2b" | "2y", cost, rest] = parts[..] else { return false };
    let cost_fits =
        cost.len() == 2 && cost.parse::<u8>().is_ok_and(|cost| (4..=31).contains(&cost));
    let digest = |b: u8| b.is_ascii_alphanumeric() || b"./".contains(&b);
    cost_fits && rest.len() == 53 && rest.bytes().all(digest)
}

impl SecretHash {
    /// The hash whose 32 bytes these are.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn check(text: &str) -> Result<(), InvalidValue> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 64 || !text.bytes().all(hex) {
            return Err(InvalidValue::new(
                "a SHA-256 hash of 64 lower-case hexadecimal digits is allowed",
            ));
        }
        Ok(())
    }
}

macro_rules! masked {
    ($($Name:ident),+) => {$(
        impl fmt::Debug for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[hash]")
            }
        }

        impl JsonSchema for $Name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($Name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "maxLength": 255, "x-secret": true })
            }
        }
    )+};
}

masked!(PasswordHash, SecretHash);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_hashes_have_the_two_shapes() {
        let argon = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG";
        let bcrypt = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW";
        for right in [argon, bcrypt, "!"] {
            assert!(right.parse::<PasswordHash>().is_ok(), "{right}");
        }
        for wrong in
            ["", "hunter2", "$argon2i$v=19$m=1,t=1,p=1$YQ$YQ", "$2b$99$short", "$2b$12$R9h/cIPz"]
        {
            assert!(wrong.parse::<PasswordHash>().is_err(), "{wrong}");
        }
        let hash: PasswordHash = argon.parse().unwrap();
        assert_eq!(format!("{hash:?}"), "[hash]");
    }

    #[test]
    fn secret_hashes_are_hexadecimal() {
        let hash = SecretHash::from_bytes(&[0xab; 32]);
        assert_eq!(hash.as_str(), "ab".repeat(32));
        assert!(hash.as_str().parse::<SecretHash>().is_ok());
        assert!("AB".repeat(32).parse::<SecretHash>().is_err());
        assert!("ab".repeat(31).parse::<SecretHash>().is_err());
        assert_eq!(format!("{hash:?}"), "[hash]");
    }
}
