//! An organization: users who work together, each as something.
//!
//! One of its members at least is an owner, always, and a user who is there: it holds
//! each of its owners for as long as it is not deleted, so that none of them is deleted
//! before they stepped down. A suspended owner stays one: that is undone by whoever
//! suspended them, who can also make another member an owner.
//! Its resources and open sessions hold it, so that a deletion finds them: they go with
//! it, in one request, and what went with it is written down for the day it is restored.
//! Absent on purpose: the resources themselves, which are streams of their own,
//! and holds on other members. A deleted user stays a member until removed.

pub mod commands;
mod decide;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Owned;
use crate::aggregate::{Aggregate, Effects, Hold, Lifecycle};
use crate::context::Context;
use crate::identity::user::User;
use crate::values::{MemberRole, PlanTier, Text};

pub use commands::OrganizationCommand;
pub use errors::OrganizationError;
pub use events::OrganizationEvent;

/// How many members an organization has at most.
pub const MAX_MEMBERS: usize = 10_000;
/// How many resources and open sessions go with an organization in one request, at most.
pub const MAX_TOGETHER: usize = 10_000;

/// An organization as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Organization(Option<Body>);

/// An organization that was created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// What people call it.
    pub name: Text<255>,
    /// What it pays for.
    pub plan_tier: PlanTier,
    /// Its members, and what they may do.
    pub members: BTreeMap<Uuid, MemberRole>,
    /// While it is deleted: the resources that were deleted with it.
    pub went_with_it: Option<Vec<Uuid>>,
}

/// What others must know of an organization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Standing {
    /// There is none.
    #[default]
    Unknown,
    /// It is there.
    Present,
    /// It was deleted.
    Deleted,
}

/// What an organization must know of others, read under a guard.
#[derive(Debug, Clone, Default)]
pub struct OrganizationFacts {
    /// The state of the user who is to become a member, or more of one.
    pub member: Option<User>,
    /// For a deletion: the resources that would go with it.
    pub resources: Vec<Uuid>,
    /// For a deletion: how many open sessions would be closed with it.
    pub sessions: u32,
    /// For a restoration: its owners who were deleted since.
    pub owners_gone: Vec<Uuid>,
}

impl Organization {
    /// The organization, once created.
    #[must_use]
    pub fn body(&self) -> Option<&Body> {
        self.0.as_ref()
    }

    /// Where it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match &self.0 {
            None => Standing::Unknown,
            Some(body) if body.is_deleted() => Standing::Deleted,
            Some(_) => Standing::Present,
        }
    }

    /// What a user is here, if anything.
    #[must_use]
    pub fn role_of(&self, user_id: Uuid) -> Option<MemberRole> {
        self.0.as_ref()?.members.get(&user_id).copied()
    }

    /// Who owns it, by id; nobody before it is created.
    pub fn owners(&self) -> impl Iterator<Item = Uuid> {
        let members = self.0.iter().flat_map(|body| &body.members);
        members.filter(|(_, role)| **role == MemberRole::Owner).map(|(user_id, _)| *user_id)
    }

    /// The user whose state the command's decision must know, if any; `actor`: who asks.
    #[must_use]
    pub fn reads(&self, command: &OrganizationCommand, actor: Uuid) -> Option<Uuid> {
        match command {
            OrganizationCommand::Create(command) => Some(command.owner_id.unwrap_or(actor)),
            OrganizationCommand::AddMember(command) => Some(command.user_id),
            OrganizationCommand::ChangeMemberRole(command) => {
                let rises = self.role_of(command.user_id).is_some_and(|role| command.role > role);
                rises.then_some(command.user_id)
            }
            OrganizationCommand::Rename(_)
            | OrganizationCommand::ChangePlan(_)
            | OrganizationCommand::RemoveMember(_)
            | OrganizationCommand::Delete(_)
            | OrganizationCommand::Restore(_) => None,
        }
    }
}

impl Body {
    /// Whether it is deleted.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.went_with_it.is_some()
    }
}

impl Owned for Organization {
    /// No single user's: see [`Owned::is_owned_by`].
    fn owner(&self, _: Uuid, _: &OrganizationCommand) -> Option<Uuid> {
        None
    }

    fn organization(&self, stream: Uuid, _: &OrganizationCommand) -> Option<Uuid> {
        Some(stream)
    }

    /// Its owners' and administrators' own. A new one is the creator's, and leaving it is each
    /// member's own affair.
    fn is_owned_by(&self, _: Uuid, command: &OrganizationCommand, user: Uuid) -> bool {
        let leaves = match command {
            OrganizationCommand::Create(command) => {
                return self.0.is_none() && command.owner_id.is_none_or(|owner| owner == user);
            }
            OrganizationCommand::RemoveMember(command) => command.user_id == user,
            OrganizationCommand::Rename(_)
            | OrganizationCommand::ChangePlan(_)
            | OrganizationCommand::AddMember(_)
            | OrganizationCommand::ChangeMemberRole(_)
            | OrganizationCommand::Delete(_)
            | OrganizationCommand::Restore(_) => false,
        };
        self.role_of(user).is_some_and(|role| role.administers() || leaves)
    }
}

impl Aggregate for Organization {
    const KIND: &'static str = "organizations.organization";
    type Command = OrganizationCommand;
    type Event = OrganizationEvent;
    type Error = OrganizationError;
    type Facts = OrganizationFacts;

    fn decide(
        &self,
        command: &OrganizationCommand,
        facts: &OrganizationFacts,
        context: &Context,
    ) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        decide::decide(self, command, facts, context)
    }

    fn apply(&mut self, event: &OrganizationEvent) {
        if let OrganizationEvent::Created(event) = event {
            self.0 = Some(Body::created(event));
        } else if let Some(body) = &mut self.0 {
            body.apply(event);
        }
    }

    fn effects(&self, _: Uuid, event: &OrganizationEvent) -> Effects {
        match event {
            OrganizationEvent::Created(event) => Effects {
                lifecycle: Lifecycle::Opens,
                references: vec![event.owner_id],
                holds: held([event.owner_id]),
                ..Effects::default()
            },
            OrganizationEvent::MemberAdded(event) => Effects {
                references: vec![event.user_id],
                holds: held((event.role == MemberRole::Owner).then_some(event.user_id)),
                ..Effects::default()
            },
            OrganizationEvent::MemberRoleChanged(event) => Effects {
                holds: held((event.to == MemberRole::Owner).then_some(event.user_id)),
                unholds: self.let_go(event.user_id),
                ..Effects::default()
            },
            OrganizationEvent::MemberRemoved(event) => {
                Effects { unholds: self.let_go(event.user_id), ..Effects::default() }
            }
            // What goes with it ends its hold in the same request: anything else that holds it
            // is in the way.
            OrganizationEvent::Deleted(_) => Effects {
                lifecycle: Lifecycle::Closes,
                unholds: self.owners().collect(),
                ..Effects::default()
            },
            OrganizationEvent::Restored(_) => Effects {
                lifecycle: Lifecycle::Reopens,
                references: self.owners().collect(),
                holds: held(self.owners()),
                ..Effects::default()
            },
            OrganizationEvent::Renamed(_) | OrganizationEvent::PlanChanged(_) => Effects::default(),
        }
    }
}

/// Owners are held without an end.
fn held(owners: impl IntoIterator<Item = Uuid>) -> Vec<Hold> {
    owners.into_iter().map(|target| Hold { target, expires_at: None }).collect()
}

impl Organization {
    /// The hold on a member that ends with what they are now.
    fn let_go(&self, user_id: Uuid) -> Vec<Uuid> {
        self.owners().filter(|owner| *owner == user_id).collect()
    }
}

impl Body {
    fn created(event: &events::Created) -> Self {
        Self {
            name: event.name.clone(),
            plan_tier: event.plan_tier,
            members: BTreeMap::from([(event.owner_id, MemberRole::Owner)]),
            went_with_it: None,
        }
    }

    fn apply(&mut self, event: &OrganizationEvent) {
        match event {
            OrganizationEvent::Created(event) => *self = Self::created(event),
            OrganizationEvent::Renamed(event) => self.name = event.name.clone(),
            OrganizationEvent::PlanChanged(event) => self.plan_tier = event.to,
            OrganizationEvent::MemberAdded(event) => {
                self.members.insert(event.user_id, event.role);
            }
            OrganizationEvent::MemberRoleChanged(event) => {
                self.members.insert(event.user_id, event.to);
            }
            OrganizationEvent::MemberRemoved(event) => {
                self.members.remove(&event.user_id);
            }
            OrganizationEvent::Deleted(event) => self.went_with_it = Some(event.resources.clone()),
            OrganizationEvent::Restored(_) => self.went_with_it = None,
        }
    }
}
