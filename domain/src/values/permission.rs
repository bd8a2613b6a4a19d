//! What a permission permits, and by which names roles go.

use super::{InvalidValue, Scope, checked_string, shown_as_text};

/// What a permission is about: `*`, an aggregate such as `banking.account`, all of a context
/// (`banking.*`), or a word such as `log`; at most 50 characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PermittedResource(String);

/// What a permission allows there: `*`, a command's name, `read` or `history`; at most 50
/// characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PermittedAction(String);

checked_string!(PermittedResource);
checked_string!(PermittedAction);

impl PermittedResource {
    fn check(text: &str) -> Result<(), InvalidValue> {
        if text.len() > 50 || format!("{text}:*").parse::<Scope>().is_err() {
            return Err(InvalidValue::new(
                "a resource such as \"banking.account\", \"banking.*\" or \"*\" is allowed, at most 50 characters",
            ));
        }
        Ok(())
    }
}

impl PermittedAction {
    fn check(text: &str) -> Result<(), InvalidValue> {
        if text.len() > 50 || format!("*:{text}").parse::<Scope>().is_err() {
            return Err(InvalidValue::new(
                "an action such as \"withdraw\", \"read\" or \"*\" is allowed, at most 50 characters",
            ));
        }
        Ok(())
    }
}

shown_as_text! {
    PermittedResource {
        "type": "string", "maxLength": 50, "examples": ["banking.account"],
        "pattern": r"^(\*|[a-z0-9_]+(\.(\*|[a-z0-9_]+))?)$"
    }
    PermittedAction {
        "type": "string", "maxLength": 50, "examples": ["withdraw"], "pattern": r"^(\*|[a-z0-9_]+)$"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_and_actions_have_the_shapes_of_scopes() {
        for right in ["*", "banking.account", "banking.*", "log", &"r".repeat(50)] {
            assert!(right.parse::<PermittedResource>().is_ok(), "{right}");
        }
        for wrong in ["", "Banking", "a.b.c", "a:b", "*.a", &"r".repeat(51)] {
            assert!(wrong.parse::<PermittedResource>().is_err(), "{wrong}");
        }
        for right in ["*", "read", "close_all", &"a".repeat(50)] {
            assert!(right.parse::<PermittedAction>().is_ok(), "{right}");
        }
        for wrong in ["", "Read", "a.b", "a:b", "close-all", &"a".repeat(51)] {
            assert!(wrong.parse::<PermittedAction>().is_err(), "{wrong}");
        }
    }
}
