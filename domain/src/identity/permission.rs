//! A permission: what may be done to what, under a name that roles grant.
//!
//! It is a resource and an action, such as `banking.account` and `withdraw`, each of them `*` for
//! any; see [`crate::access`]. A role that grants it holds it, so that it is not removed before it
//! is revoked everywhere. Once removed its row is gone; its name and what it permitted are free.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Lifecycle, Refusal, RefusalSort};
use crate::context::Context;
use crate::message::given_or_null;
use crate::values::{
    Description, PermissionName, PermittedAction, PermittedResource, Reason, Scope,
};

/// The scope of claims on the names of permissions.
pub const NAME_CLAIM: &str = "permission.name";
/// The scope of claims on what permissions permit: `resource:action`.
pub const SUBJECT_CLAIM: &str = "permission.resource_action";

/// A permission as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permission(Option<Details>);

impl Permission {
    /// The permission, if it was defined and not removed.
    #[must_use]
    pub fn standing(&self) -> Option<&Details> {
        self.0.as_ref().filter(|defined| !defined.is_removed)
    }
}

/// A permission that was defined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Details {
    /// What it is called.
    pub name: PermissionName,
    /// What it is about.
    pub resource: PermittedResource,
    /// What it allows there.
    pub action: PermittedAction,
    /// What it is for.
    pub description: Option<Description>,
    /// Whether it is gone for good.
    pub is_removed: bool,
}

/// Makes a new permission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Define {
    /// What it is called, unique.
    pub name: PermissionName,
    /// What it is about, unique together with the action.
    pub resource: PermittedResource,
    /// What it allows there.
    pub action: PermittedAction,
    /// What it is for.
    #[serde(default)]
    pub description: Option<Description>,
}

/// Changes name and description. What is absent stays; a null description is removed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// What it is called, unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<PermissionName>,
    /// What it is for; null removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given_or_null")]
    pub description: Option<Option<Description>>,
}

/// Removes the permission for good; refused while a role grants it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

crate::commands! {
    /// What can be asked of a permission.
    pub enum PermissionCommand {
        "define" => Define,
        "describe" => Describe,
        "remove" => Remove,
    }
}

/// A permission began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Defined {
    /// What it is called.
    pub name: PermissionName,
    /// What it is about.
    pub resource: PermittedResource,
    /// What it allows there.
    pub action: PermittedAction,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
}

/// Name or description changed; both as they are now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Described {
    /// What it was called.
    pub from_name: PermissionName,
    /// What it is called.
    pub name: PermissionName,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
}

/// The permission was removed for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

crate::events! {
    /// What can have happened to a permission.
    pub enum PermissionEvent {
        "identity.permission.defined" @ 1 => Defined,
        "identity.permission.described" @ 1 => Described,
        "identity.permission.removed" @ 1 => Removed,
    }
}

/// Why a permission may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PermissionError {
    /// No permission was defined under this id.
    #[error("there is no such permission")]
    Unknown,
    /// A permission was defined under this id before.
    #[error("this permission is defined already")]
    AlreadyDefined,
    /// The permission is gone for good.
    #[error("the permission {name:?} was removed; define another one")]
    Removed {
        /// What it was called.
        name: PermissionName,
    },
}

impl Refusal for PermissionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "permission-not-found",
            Self::AlreadyDefined => "permission-already-defined",
            Self::Removed { .. } => "permission-removed",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyDefined => RefusalSort::Exists,
            Self::Removed { .. } => RefusalSort::Rule,
        }
    }
}

type Decision = Result<Vec<PermissionEvent>, PermissionError>;

fn one(event: impl Into<PermissionEvent>) -> Decision {
    Ok(vec![event.into()])
}

impl Permission {
    fn known(&self) -> Result<&Details, PermissionError> {
        self.0.as_ref().ok_or(PermissionError::Unknown)
    }

    fn define(&self, command: &Define) -> Decision {
        if self.0.is_some() {
            return Err(PermissionError::AlreadyDefined);
        }
        let Define { name, resource, action, description } = command.clone();
        one(Defined { name, resource, action, description })
    }

    fn describe(&self, command: &Describe) -> Decision {
        let Details { name, description, is_removed, .. } = self.known()?;
        if *is_removed {
            return Err(PermissionError::Removed { name: name.clone() });
        }
        let described = Described {
            from_name: name.clone(),
            name: command.name.as_ref().unwrap_or(name).clone(),
            description: command.description.as_ref().unwrap_or(description).clone(),
        };
        if described.name == *name && described.description == *description {
            return Ok(vec![]);
        }
        one(described)
    }

    fn remove(&self, command: &Remove) -> Decision {
        if self.known()?.is_removed {
            return Ok(vec![]);
        }
        one(Removed { reason: command.reason.clone() })
    }
}

impl Owned for Permission {
    fn owner(&self, _: Uuid, _: &PermissionCommand) -> Option<Uuid> {
        None
    }
}

impl Aggregate for Permission {
    const KIND: &'static str = "identity.permission";
    type Command = PermissionCommand;
    type Event = PermissionEvent;
    type Error = PermissionError;
    type Facts = ();

    fn decide(&self, command: &PermissionCommand, (): &(), _: &Context) -> Decision {
        match command {
            PermissionCommand::Define(command) => self.define(command),
            PermissionCommand::Describe(command) => self.describe(command),
            PermissionCommand::Remove(command) => self.remove(command),
        }
    }

    fn apply(&mut self, event: &PermissionEvent) {
        match (event, &mut self.0) {
            (PermissionEvent::Defined(event), state) => {
                *state = Some(Details {
                    name: event.name.clone(),
                    resource: event.resource.clone(),
                    action: event.action.clone(),
                    description: event.description.clone(),
                    is_removed: false,
                });
            }
            (PermissionEvent::Described(event), Some(defined)) => {
                defined.name = event.name.clone();
                defined.description = event.description.clone();
            }
            (PermissionEvent::Removed(_), Some(defined)) => defined.is_removed = true,
            (PermissionEvent::Described(_) | PermissionEvent::Removed(_), None) => {}
        }
    }

    fn effects(&self, _: Uuid, event: &PermissionEvent) -> Effects {
        let named = |name: &PermissionName| Claim::new(NAME_CLAIM, name.as_str());
        let about =
            |resource, action| Claim::new(SUBJECT_CLAIM, Scope::of(resource, action).as_str());
        match event {
            PermissionEvent::Defined(event) => Effects {
                lifecycle: Lifecycle::Opens,
                claims: vec![named(&event.name), about(&event.resource, &event.action)],
                ..Effects::default()
            },
            PermissionEvent::Described(event) if event.from_name == event.name => {
                Effects::default()
            }
            PermissionEvent::Described(event) => Effects {
                claims: vec![named(&event.name)],
                releases: vec![named(&event.from_name)],
                ..Effects::default()
            },
            PermissionEvent::Removed(_) => Effects {
                lifecycle: Lifecycle::Removes,
                releases: self.0.as_ref().map_or_else(Vec::new, |defined| {
                    vec![named(&defined.name), about(&defined.resource, &defined.action)]
                }),
                ..Effects::default()
            },
        }
    }
}

#[cfg(test)]
mod tests;
