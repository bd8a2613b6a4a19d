//! What an API key is limited to, and by what it is found.

use super::{InvalidValue, PermittedAction, PermittedResource, checked_string, shown_as_text};

/// A permission or a set of them: `*`, or `resource:action` such as
/// `banking.account:withdraw`, where the resource may be `*` or `banking.*`
/// and the action `*`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(String);

/// The part of an API key that may be shown: 4 to 32 ASCII letters, digits,
/// `_` and `-` (the alphabet of URL-safe base64).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyPrefix(String);

checked_string!(Scope);
checked_string!(KeyPrefix);

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

impl Scope {
    /// What a permission allows, as a scope; at most 101 characters.
    #[must_use]
    pub fn of(resource: &PermittedResource, action: &PermittedAction) -> Self {
        Self(format!("{resource}:{action}"))
    }

    /// Its resource and action; `*` alone is `*` and `*`.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once(':').unwrap_or(("*", "*"))
    }

    fn check(text: &str) -> Result<(), InvalidValue> {
        let resource_fits = |resource: &str| match resource.split_once('.') {
            Some((context, aggregate)) => {
                is_word(context) && (aggregate == "*" || is_word(aggregate))
            }
            None => resource == "*" || is_word(resource),
        };
        let fits = match text.split_once(':') {
            Some((resource, action)) => {
                resource_fits(resource) && (action == "*" || is_word(action))
            }
            None => text == "*",
        };
        if text.len() > 101 || !fits {
            return Err(InvalidValue::new(
                "a scope such as \"banking.account:withdraw\", \"banking.*:read\" or \"*\" is allowed",
            ));
        }
        Ok(())
    }
}

impl KeyPrefix {
    fn check(text: &str) -> Result<(), InvalidValue> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if !(4..=32).contains(&text.len()) || !text.bytes().all(fits) {
            return Err(InvalidValue::new(
                "a key prefix of 4 to 32 letters, digits, \"_\" and \"-\" is allowed",
            ));
        }
        Ok(())
    }
}

shown_as_text! {
    Scope {
        "type": "string", "maxLength": 101, "examples": ["banking.account:withdraw"],
        "pattern": r"^(\*|(\*|[a-z0-9_]+(\.(\*|[a-z0-9_]+))?):(\*|[a-z0-9_]+))$"
    }
    KeyPrefix { "type": "string", "pattern": "^[A-Za-z0-9_-]{4,32}$" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_have_a_shape() {
        for right in ["*", "*:read", "banking.*:*", "banking.account:withdraw", "log:read"] {
            assert!(right.parse::<Scope>().is_ok(), "{right}");
        }
        for wrong in
            ["", "read", "*:", ":read", "banking.account", "a.b.c:d", "A:b", "a:b:c", "*.a:b"]
        {
            assert!(wrong.parse::<Scope>().is_err(), "{wrong}");
        }
        let all: Scope = "*".parse().unwrap();
        assert_eq!(all.parts(), ("*", "*"));
    }

    #[test]
    fn prefixes_hold_what_keys_are_made_of() {
        for right in ["dbk_", "dbk_Az09-_b"] {
            assert!(right.parse::<KeyPrefix>().is_ok(), "{right}");
        }
        for wrong in ["dbk", "dbk_+/aa", "dbk aaaa", &"a".repeat(33)] {
            assert!(wrong.parse::<KeyPrefix>().is_err(), "{wrong}");
        }
    }
}
