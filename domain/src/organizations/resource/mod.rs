//! A resource: something that an organization has, and what the organization
//! wants to know of it.
//!
//! While it is there it holds its organization: so the organization's deletion
//! finds it, and takes it along. Its metadata is an object of the organization's
//! own making; nothing here looks into it.

pub mod commands;
pub mod errors;
pub mod events;
pub mod merge_patch;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::organization::Standing;
use crate::access::Owned;
use crate::aggregate::{Aggregate, Effects, Hold, Lifecycle};
use crate::context::Context;
use crate::values::Text;
use commands::{Create, Delete, Rename, SetMetadata};
use events::{Created, Deleted, MetadataSet, Renamed, Restored};

pub use commands::ResourceCommand;
pub use errors::ResourceError;
pub use events::ResourceEvent;

/// How many bytes metadata has at most, written as JSON without spaces.
pub const MAX_METADATA: usize = 64 * 1024;

/// A resource as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resource(Option<Thing>);

/// A resource that was created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thing {
    /// Whose it is.
    pub org_id: Uuid,
    /// What people call it.
    pub name: Text<255>,
    /// What else there is to say of it.
    pub metadata: Map<String, Value>,
    /// Whether it is deleted.
    pub is_deleted: bool,
}

/// What a resource must know of its organization.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResourceFacts {
    /// Where the organization stands.
    pub organization: Standing,
}

impl Resource {
    /// The resource, once created.
    #[must_use]
    pub fn thing(&self) -> Option<&Thing> {
        self.0.as_ref()
    }

    /// The organization whose state the command's decision must know, if any.
    #[must_use]
    pub fn reads(&self, command: &ResourceCommand) -> Option<Uuid> {
        match command {
            ResourceCommand::Create(command) => Some(command.org_id),
            ResourceCommand::Restore(_) => self.0.as_ref().map(|thing| thing.org_id),
            ResourceCommand::Rename(_)
            | ResourceCommand::SetMetadata(_)
            | ResourceCommand::Delete(_) => None,
        }
    }
}

/// What becomes of a resource when its organization `org_id` is deleted.
#[must_use]
pub fn deleted_with(org_id: Uuid) -> ResourceEvent {
    Deleted { org_id, with_organization: true, reason: None }.into()
}

/// What becomes of a resource that went with its organization `org_id` when that is restored.
#[must_use]
pub fn restored_with(org_id: Uuid) -> ResourceEvent {
    Restored { org_id, with_organization: true }.into()
}

impl Owned for Resource {
    /// Nobody's but the organization's.
    fn owner(&self, _: Uuid, _: &ResourceCommand) -> Option<Uuid> {
        None
    }

    fn organization(&self, _: Uuid, command: &ResourceCommand) -> Option<Uuid> {
        match (&self.0, command) {
            (Some(thing), _) => Some(thing.org_id),
            (None, ResourceCommand::Create(command)) => Some(command.org_id),
            (
                None,
                ResourceCommand::Rename(_)
                | ResourceCommand::SetMetadata(_)
                | ResourceCommand::Delete(_)
                | ResourceCommand::Restore(_),
            ) => None,
        }
    }
}

type Decision = Result<Vec<ResourceEvent>, ResourceError>;

impl Aggregate for Resource {
    const KIND: &'static str = "organizations.resource";
    type Command = ResourceCommand;
    type Event = ResourceEvent;
    type Error = ResourceError;
    type Facts = ResourceFacts;

    fn decide(&self, command: &ResourceCommand, facts: &ResourceFacts, _: &Context) -> Decision {
        match command {
            ResourceCommand::Create(command) => create(self, command, facts),
            ResourceCommand::Rename(command) => rename(present(self)?, command),
            ResourceCommand::SetMetadata(command) => set_metadata(present(self)?, command),
            ResourceCommand::Delete(command) => delete(known(self)?, command),
            ResourceCommand::Restore(_) => restore(known(self)?, facts),
        }
    }

    fn apply(&mut self, event: &ResourceEvent) {
        match (event, &mut self.0) {
            (ResourceEvent::Created(event), state) => {
                *state = Some(Thing {
                    org_id: event.org_id,
                    name: event.name.clone(),
                    metadata: event.metadata.clone(),
                    is_deleted: false,
                });
            }
            (ResourceEvent::Renamed(event), Some(thing)) => thing.name = event.name.clone(),
            (ResourceEvent::MetadataSet(event), Some(thing)) => {
                thing.metadata = event.metadata.clone();
            }
            (ResourceEvent::Deleted(_), Some(thing)) => thing.is_deleted = true,
            (ResourceEvent::Restored(_), Some(thing)) => thing.is_deleted = false,
            (
                ResourceEvent::Renamed(_)
                | ResourceEvent::MetadataSet(_)
                | ResourceEvent::Deleted(_)
                | ResourceEvent::Restored(_),
                None,
            ) => {}
        }
    }

    /// Follows from the event alone: an organization's deletion writes it without the state at hand.
    fn effects(&self, _: Uuid, event: &ResourceEvent) -> Effects {
        let held = |target| vec![Hold { target, expires_at: None }];
        match event {
            ResourceEvent::Created(event) => Effects {
                lifecycle: Lifecycle::Opens,
                references: vec![event.org_id],
                holds: held(event.org_id),
                ..Effects::default()
            },
            ResourceEvent::Deleted(event) => Effects {
                lifecycle: Lifecycle::Closes,
                unholds: vec![event.org_id],
                ..Effects::default()
            },
            ResourceEvent::Restored(event) => Effects {
                lifecycle: Lifecycle::Reopens,
                holds: held(event.org_id),
                ..Effects::default()
            },
            ResourceEvent::Renamed(_) | ResourceEvent::MetadataSet(_) => Effects::default(),
        }
    }
}

fn one(event: impl Into<ResourceEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(resource: &Resource) -> Result<&Thing, ResourceError> {
    resource.thing().ok_or(ResourceError::Unknown)
}

fn present(resource: &Resource) -> Result<&Thing, ResourceError> {
    let thing = known(resource)?;
    if thing.is_deleted { Err(ResourceError::Deleted) } else { Ok(thing) }
}

fn create(resource: &Resource, command: &Create, facts: &ResourceFacts) -> Decision {
    if resource.thing().is_some() {
        return Err(ResourceError::AlreadyExists);
    }
    present_organization(command.org_id, facts)?;
    fits(&command.metadata)?;
    one(Created {
        org_id: command.org_id,
        name: command.name.clone(),
        resource_type: command.resource_type.clone(),
        metadata: command.metadata.clone(),
    })
}

fn rename(thing: &Thing, command: &Rename) -> Decision {
    if command.name == thing.name {
        return Ok(vec![]);
    }
    one(Renamed { name: command.name.clone() })
}

fn set_metadata(thing: &Thing, command: &SetMetadata) -> Decision {
    let metadata = merge_patch::merge_objects(thing.metadata.clone(), &command.metadata);
    if metadata == thing.metadata {
        return Ok(vec![]);
    }
    fits(&metadata)?;
    one(MetadataSet { metadata })
}

fn delete(thing: &Thing, command: &Delete) -> Decision {
    if thing.is_deleted {
        return Ok(vec![]);
    }
    let (org_id, reason) = (thing.org_id, command.reason.clone());
    one(Deleted { org_id, with_organization: false, reason })
}

fn restore(thing: &Thing, facts: &ResourceFacts) -> Decision {
    if !thing.is_deleted {
        return Ok(vec![]);
    }
    present_organization(thing.org_id, facts)?;
    one(Restored { org_id: thing.org_id, with_organization: false })
}

fn present_organization(org_id: Uuid, facts: &ResourceFacts) -> Result<(), ResourceError> {
    match facts.organization {
        Standing::Present => Ok(()),
        Standing::Unknown => Err(ResourceError::OrganizationUnknown { org_id }),
        Standing::Deleted => Err(ResourceError::OrganizationDeleted { org_id }),
    }
}

fn fits(metadata: &Map<String, Value>) -> Result<(), ResourceError> {
    // What writes nothing but JSON values into memory does not fail.
    let bytes = serde_json::to_string(metadata).map_or(usize::MAX, |text| text.len());
    if bytes > MAX_METADATA { Err(ResourceError::MetadataTooLarge { bytes }) } else { Ok(()) }
}
