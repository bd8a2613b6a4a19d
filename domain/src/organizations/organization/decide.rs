//! The rules of organizations.

use uuid::Uuid;

use super::commands::{
    AddMember, ChangeMemberRole, ChangePlan, Create, Delete, RemoveMember, Rename,
};
use super::events::{
    Created, Deleted, MemberAdded, MemberRemoved, MemberRoleChanged, PlanChanged, Renamed, Restored,
};
use super::{
    Body, MAX_MEMBERS, MAX_TOGETHER, Organization, OrganizationCommand, OrganizationError,
    OrganizationEvent, OrganizationFacts,
};
use crate::context::{Actor, Context};
use crate::values::{MemberRole, UserStatus};

type Decision = Result<Vec<OrganizationEvent>, OrganizationError>;

pub(super) fn decide(
    organization: &Organization,
    command: &OrganizationCommand,
    facts: &OrganizationFacts,
    context: &Context,
) -> Decision {
    use OrganizationCommand as Asked;
    let actor = &context.actor;
    match command {
        Asked::Create(command) => create(organization, command, facts, actor),
        Asked::Rename(command) => rename(present(organization)?, command),
        Asked::ChangePlan(command) => change_plan(present(organization)?, command),
        Asked::AddMember(command) => add_member(present(organization)?, command, facts, actor),
        Asked::ChangeMemberRole(command) => {
            change_member_role(present(organization)?, command, facts, actor)
        }
        Asked::RemoveMember(command) => remove_member(present(organization)?, command, actor),
        Asked::Delete(command) => delete(known(organization)?, command, facts),
        Asked::Restore(_) => restore(known(organization)?, facts),
    }
}

fn one(event: impl Into<OrganizationEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(organization: &Organization) -> Result<&Body, OrganizationError> {
    organization.body().ok_or(OrganizationError::Unknown)
}

/// An organization that is not deleted.
fn present(organization: &Organization) -> Result<&Body, OrganizationError> {
    let body = known(organization)?;
    if body.is_deleted() { Err(OrganizationError::Deleted) } else { Ok(body) }
}

fn create(
    organization: &Organization,
    command: &Create,
    facts: &OrganizationFacts,
    actor: &Actor,
) -> Decision {
    if organization.body().is_some() {
        return Err(OrganizationError::AlreadyExists);
    }
    let owner_id = command.owner_id.unwrap_or(actor.id);
    if owner_id != actor.id && !actor.is_manager() {
        return Err(OrganizationError::ForSomebodyElse { owner_id });
    }
    active_person(owner_id, facts)?;
    let (name, plan_tier) = (command.name.clone(), command.plan_tier);
    one(Created { name, plan_tier, owner_id })
}

fn rename(body: &Body, command: &Rename) -> Decision {
    if command.name == body.name {
        return Ok(vec![]);
    }
    one(Renamed { name: command.name.clone() })
}

fn change_plan(body: &Body, command: &ChangePlan) -> Decision {
    let (from, to) = (body.plan_tier, command.plan_tier);
    if from == to { Ok(vec![]) } else { one(PlanChanged { from, to }) }
}

fn add_member(
    body: &Body,
    command: &AddMember,
    facts: &OrganizationFacts,
    actor: &Actor,
) -> Decision {
    let AddMember { user_id, role } = *command;
    match body.members.get(&user_id) {
        Some(has) if *has == role => return Ok(vec![]),
        Some(has) => return Err(OrganizationError::AlreadyMember { user_id, role: *has }),
        None => {}
    }
    if role == MemberRole::Owner {
        says_who_owns(body, actor)?;
    }
    active_person(user_id, facts)?;
    if body.members.len() >= MAX_MEMBERS {
        return Err(OrganizationError::TooManyMembers);
    }
    one(MemberAdded { user_id, role })
}

fn change_member_role(
    body: &Body,
    command: &ChangeMemberRole,
    facts: &OrganizationFacts,
    actor: &Actor,
) -> Decision {
    let ChangeMemberRole { user_id, role: to } = *command;
    let from = *body.members.get(&user_id).ok_or(OrganizationError::NotMember { user_id })?;
    if from == to {
        return Ok(vec![]);
    }
    if from == MemberRole::Owner || to == MemberRole::Owner {
        says_who_owns(body, actor)?;
    }
    if to > from {
        active_person(user_id, facts)?;
    }
    another_owner_stays(body, user_id)?;
    one(MemberRoleChanged { user_id, from, to })
}

fn remove_member(body: &Body, command: &RemoveMember, actor: &Actor) -> Decision {
    let user_id = command.user_id;
    let Some(role) = body.members.get(&user_id) else { return Ok(vec![]) };
    if *role == MemberRole::Owner && user_id != actor.id {
        says_who_owns(body, actor)?;
    }
    another_owner_stays(body, user_id)?;
    one(MemberRemoved { user_id })
}

fn delete(body: &Body, command: &Delete, facts: &OrganizationFacts) -> Decision {
    if body.is_deleted() {
        return Ok(vec![]);
    }
    let sessions_closed = facts.sessions;
    let sessions = usize::try_from(sessions_closed).unwrap_or(usize::MAX);
    if facts.resources.len().saturating_add(sessions) > MAX_TOGETHER {
        return Err(OrganizationError::TooMuchAtOnce);
    }
    let resources = facts.resources.clone();
    one(Deleted { resources, sessions_closed, reason: command.reason.clone() })
}

fn restore(body: &Body, facts: &OrganizationFacts) -> Decision {
    let Some(resources) = &body.went_with_it else { return Ok(vec![]) };
    if !facts.owners_gone.is_empty() {
        return Err(OrganizationError::OwnersGone { owners: facts.owners_gone.clone() });
    }
    one(Restored { resources: resources.clone() })
}

/// Whoever administers an organization without owning it neither makes nor unmakes owners.
fn says_who_owns(body: &Body, actor: &Actor) -> Result<(), OrganizationError> {
    if actor.is_manager() || body.members.get(&actor.id) == Some(&MemberRole::Owner) {
        return Ok(());
    }
    Err(OrganizationError::NeedsOwner)
}

/// Refuses to lose `user_id` as an owner where there is no other.
fn another_owner_stays(body: &Body, user_id: Uuid) -> Result<(), OrganizationError> {
    if body.members.get(&user_id) != Some(&MemberRole::Owner) {
        return Ok(());
    }
    let is_owner = |(id, role): (&Uuid, &MemberRole)| *role == MemberRole::Owner && *id != user_id;
    if body.members.iter().any(is_owner) {
        return Ok(());
    }
    Err(OrganizationError::LastOwner { user_id })
}

fn active_person(user_id: Uuid, facts: &OrganizationFacts) -> Result<(), OrganizationError> {
    let person = facts.member.as_ref().and_then(|member| member.person());
    let person = person.ok_or(OrganizationError::MemberUnknown { user_id })?;
    if person.is_system {
        return Err(OrganizationError::MemberIsSystem { user_id });
    }
    match person.status {
        UserStatus::Active => Ok(()),
        status @ (UserStatus::Inactive | UserStatus::Suspended | UserStatus::Deleted) => {
            Err(OrganizationError::MemberNotActive { user_id, status })
        }
    }
}
