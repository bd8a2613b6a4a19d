//! A role: permissions under a name, assigned to users beside their built-in role.
//!
//! The five built-in roles are here too, as system roles that neither change nor go: what each of
//! them allows is [`crate::access`]'s, not a list of permissions. A role holds the permissions
//! that it grants, and the users to whom it is assigned hold it. Deleting it unassigns it: the
//! write side appends one event for each of those users before this one's last, in one request.
//! Once deleted its row is gone, and its name is free.

pub mod commands;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::permission::Permission;
use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Hold, Lifecycle};
use crate::context::Context;
use crate::values::{Description, RoleName};
use commands::{Create, Delete, Describe};
use events::{Created, Deleted, Described, PermissionGranted, PermissionRevoked};

pub use commands::RoleCommand;
pub use errors::RoleError;
pub use events::RoleEvent;

/// The scope of claims on the names of roles.
pub const NAME_CLAIM: &str = "role.name";
/// How many permissions a role grants at most.
pub const MAX_PERMISSIONS: usize = 1_000;
/// How many users a role is unassigned from in one request at most.
pub const MAX_UNASSIGNED: usize = 10_000;

/// A role as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Role(Option<Named>);

impl Role {
    /// The role, if it was created and not deleted.
    #[must_use]
    pub fn standing(&self) -> Option<&Named> {
        self.0.as_ref().filter(|named| !named.is_deleted)
    }
}

/// A role that was created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// What it is called.
    pub name: RoleName,
    /// What it is for.
    pub description: Option<Description>,
    /// Whether it is one of the built-in roles.
    pub is_system: bool,
    /// The permissions that it grants.
    pub permissions: BTreeSet<Uuid>,
    /// Whether it is gone for good.
    pub is_deleted: bool,
}

/// What a role must know of a permission that it is to grant, read under a guard.
#[derive(Debug, Clone, Default)]
pub struct RoleFacts {
    /// The permission; `None` or one not standing: there is no such permission.
    pub permission: Option<Permission>,
}

type Decision = Result<Vec<RoleEvent>, RoleError>;

fn one(event: impl Into<RoleEvent>) -> Decision {
    Ok(vec![event.into()])
}

impl Role {
    fn known(&self) -> Result<&Named, RoleError> {
        self.0.as_ref().ok_or(RoleError::Unknown)
    }

    /// A role that may change.
    fn changeable(&self) -> Result<&Named, RoleError> {
        let named = self.known()?;
        if named.is_deleted {
            return Err(RoleError::Deleted { name: named.name.clone() });
        }
        if named.is_system {
            return Err(RoleError::System { name: named.name.clone() });
        }
        Ok(named)
    }

    fn create(&self, command: &Create) -> Decision {
        if self.0.is_some() {
            return Err(RoleError::AlreadyCreated);
        }
        let Create { name, description } = command.clone();
        one(Created { name, description, is_system: false })
    }

    fn describe(&self, command: &Describe) -> Decision {
        let Named { name, description, .. } = self.changeable()?;
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

    fn grant(&self, permission_id: Uuid, facts: &RoleFacts) -> Decision {
        let granted = &self.changeable()?.permissions;
        if granted.contains(&permission_id) {
            return Ok(vec![]);
        }
        if facts.permission.as_ref().and_then(Permission::standing).is_none() {
            return Err(RoleError::PermissionUnknown { permission_id });
        }
        if granted.len() >= MAX_PERMISSIONS {
            return Err(RoleError::TooManyPermissions { granted: granted.len() });
        }
        one(PermissionGranted { permission_id })
    }

    fn revoke(&self, permission_id: Uuid) -> Decision {
        if !self.changeable()?.permissions.contains(&permission_id) {
            return Ok(vec![]);
        }
        one(PermissionRevoked { permission_id })
    }

    fn delete(&self, command: &Delete) -> Decision {
        if self.known()?.is_deleted {
            return Ok(vec![]);
        }
        let permissions = self.changeable()?.permissions.iter().copied().collect();
        one(Deleted { permissions, reason: command.reason.clone() })
    }
}

impl Owned for Role {
    fn owner(&self, _: Uuid, _: &RoleCommand) -> Option<Uuid> {
        None
    }
}

impl Aggregate for Role {
    const KIND: &'static str = "identity.role";
    type Command = RoleCommand;
    type Event = RoleEvent;
    type Error = RoleError;
    type Facts = RoleFacts;

    fn decide(&self, command: &RoleCommand, facts: &RoleFacts, _: &Context) -> Decision {
        match command {
            RoleCommand::Create(command) => self.create(command),
            RoleCommand::Describe(command) => self.describe(command),
            RoleCommand::GrantPermission(command) => self.grant(command.permission_id, facts),
            RoleCommand::RevokePermission(command) => self.revoke(command.permission_id),
            RoleCommand::Delete(command) => self.delete(command),
        }
    }

    fn apply(&mut self, event: &RoleEvent) {
        if let RoleEvent::Created(event) = event {
            self.0 = Some(Named {
                name: event.name.clone(),
                description: event.description.clone(),
                is_system: event.is_system,
                permissions: BTreeSet::new(),
                is_deleted: false,
            });
            return;
        }
        let Some(named) = &mut self.0 else { return };
        match event {
            RoleEvent::Created(_) => {}
            RoleEvent::Described(event) => {
                named.name = event.name.clone();
                named.description = event.description.clone();
            }
            RoleEvent::PermissionGranted(event) => {
                named.permissions.insert(event.permission_id);
            }
            RoleEvent::PermissionRevoked(event) => {
                named.permissions.remove(&event.permission_id);
            }
            RoleEvent::Deleted(_) => {
                named.is_deleted = true;
                named.permissions.clear();
            }
        }
    }

    fn effects(&self, _: Uuid, event: &RoleEvent) -> Effects {
        let claim = |name: &RoleName| vec![Claim::new(NAME_CLAIM, name.as_str())];
        match event {
            RoleEvent::Created(event) => Effects {
                lifecycle: Lifecycle::Opens,
                claims: claim(&event.name),
                ..Effects::default()
            },
            RoleEvent::Described(event) if event.from_name == event.name => Effects::default(),
            RoleEvent::Described(event) => Effects {
                claims: claim(&event.name),
                releases: claim(&event.from_name),
                ..Effects::default()
            },
            RoleEvent::PermissionGranted(event) => Effects {
                references: vec![event.permission_id],
                holds: vec![Hold { target: event.permission_id, expires_at: None }],
                ..Effects::default()
            },
            RoleEvent::PermissionRevoked(event) => {
                Effects { unholds: vec![event.permission_id], ..Effects::default() }
            }
            RoleEvent::Deleted(event) => Effects {
                lifecycle: Lifecycle::Removes,
                releases: self.0.as_ref().map_or_else(Vec::new, |named| claim(&named.name)),
                unholds: event.permissions.clone(),
                ..Effects::default()
            },
        }
    }
}
