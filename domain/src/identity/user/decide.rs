//! The rules of users.
//!
//! Whether the actor may touch this user at all (their own, others') is
//! [`crate::access`]'s question; here are the rules that hold beyond it.

use uuid::Uuid;

use super::commands::{
    ChangeEmail, ChangePassword, ChangeProfile, ChangeRole, ChangeUsername, Delete, Describe,
    Register, RequestVerification, Suspend, UserCommand, VerifyEmail,
};
use super::events::{
    Deactivated, Deleted, Described, EmailChanged, EmailVerified, LoggedIn, LoginFailed,
    PasswordChanged, ProfileChanged, Reactivated, Registered, Restored, RoleAssigned, RoleChanged,
    RoleUnassigned, Suspended, Unlocked, UserEvent, UsernameChanged, VerificationRequested,
};
use super::{
    FAILURES_TO_LOCK, LOCK_FOR, MAX_ROLES, Person, Profile, Role, User, UserError, UserFacts,
};
use crate::access;
use crate::aggregate::Aggregate;
use crate::context::{Actor, Context};
use crate::message::CommandMessage;
use crate::values::{FullName, NamePart, Personal, UserRole, UserStatus};

type Decision = Result<Vec<UserEvent>, UserError>;

pub(super) fn decide(
    user: &User,
    command: &UserCommand,
    facts: &UserFacts,
    context: &Context,
) -> Decision {
    let administers = matches!(
        command,
        UserCommand::ChangeRole(_)
            | UserCommand::AssignRole(_)
            | UserCommand::UnassignRole(_)
            | UserCommand::Unlock(_)
            | UserCommand::Suspend(_)
            | UserCommand::Reactivate(_)
            | UserCommand::Restore(_)
    );
    if administers {
        needs_admin(&context.actor, command.name())?;
    }
    match command {
        UserCommand::Register(command) => register(user, command, &context.actor),
        UserCommand::VerifyEmail(command) => verify_email(present(user)?, command),
        UserCommand::RequestVerification(command) => request_verification(present(user)?, command),
        UserCommand::ChangeEmail(command) => change_email(present(user)?, command),
        UserCommand::ChangeUsername(command) => change_username(present(user)?, command),
        UserCommand::ChangeProfile(command) => change_profile(&present(user)?.profile, command),
        UserCommand::Describe(command) => describe(present(user)?, command),
        UserCommand::ChangePassword(command) => change_password(present(user)?, command),
        UserCommand::ChangeRole(command) => change_role(present(user)?, command),
        UserCommand::AssignRole(command) => assign_role(present(user)?, command.role_id, facts),
        UserCommand::UnassignRole(command) => unassign_role(present(user)?, command.role_id),
        UserCommand::RecordLogin(_) => record_login(known(user)?, context),
        UserCommand::RecordFailedLogin(_) => record_failed_login(known(user)?, context),
        UserCommand::Unlock(_) => unlock(present(user)?),
        // Nothing happens to the user: their sessions are streams of their own.
        UserCommand::CloseSessions(_) => known(user).map(|_| vec![]),
        UserCommand::Suspend(command) => suspend(present(user)?, command),
        UserCommand::Deactivate(_) => deactivate(present(user)?),
        UserCommand::Reactivate(_) => reactivate(present(user)?),
        UserCommand::Delete(command) => delete(known(user)?, command, facts),
        UserCommand::Restore(_) => restore(known(user)?),
    }
}

fn one(event: impl Into<UserEvent>) -> Decision {
    Ok(vec![event.into()])
}

/// A registered person, not a part of the service.
fn known(user: &User) -> Result<&Person, UserError> {
    let person = user.person().ok_or(UserError::Unknown)?;
    if person.is_system { Err(UserError::SystemUser) } else { Ok(person) }
}

/// The same, not deleted.
fn present(user: &User) -> Result<&Person, UserError> {
    let person = known(user)?;
    if person.status == UserStatus::Deleted { Err(UserError::Deleted) } else { Ok(person) }
}

/// An administrator, or whoever was granted as much.
fn needs_admin(actor: &Actor, name: &str) -> Result<(), UserError> {
    if access::may(actor, User::KIND, name, false) {
        Ok(())
    } else {
        Err(UserError::NeedsAdmin { role: actor.role })
    }
}

fn register(user: &User, command: &Register, actor: &Actor) -> Decision {
    if user.person().is_some() {
        return Err(UserError::AlreadyRegistered);
    }
    if command.role != UserRole::User {
        needs_admin(actor, "change_role")?;
    }
    let (first, last) = split_name(&command.full_name);
    one(Registered {
        username: command.username.clone(),
        email: command.email.clone(),
        full_name: command.full_name.clone(),
        first_name: command.first_name.as_ref().map_or(first, |name| part(name.as_str())),
        last_name: command.last_name.as_ref().map_or(last, |name| part(name.as_str())),
        phone: command.phone.clone(),
        password_hash: command.password_hash.clone(),
        role: command.role,
        is_system: false,
        verification_token_hash: command.verification_token_hash.clone(),
    })
}

/// First and last name out of a whole one: the first word, and what follows it.
/// Longer parts are cut at 100 characters; the whole name keeps everything.
pub(super) fn split_name(full_name: &FullName) -> (Personal<NamePart>, Personal<NamePart>) {
    let name = full_name.as_str().trim();
    let (first, last) = name.split_once(char::is_whitespace).unwrap_or((name, ""));
    (part(first), part(last.trim()))
}

fn part(name: &str) -> Personal<NamePart> {
    let cut: String = name.chars().take(100).collect();
    Personal(NamePart::try_from(cut).expect("a part of a checked name, cut to what fits"))
}

fn verify_email(person: &Person, command: &VerifyEmail) -> Decision {
    if person.is_verified {
        return Ok(vec![]);
    }
    if person.verification_token_hash.as_ref() != Some(&command.token_hash) {
        return Err(UserError::WrongToken);
    }
    one(EmailVerified { email: person.email.clone() })
}

fn request_verification(person: &Person, command: &RequestVerification) -> Decision {
    let hash = &command.verification_token_hash;
    if person.is_verified || person.verification_token_hash.as_ref() == Some(hash) {
        return Ok(vec![]);
    }
    one(VerificationRequested { verification_token_hash: hash.clone() })
}

fn change_email(person: &Person, command: &ChangeEmail) -> Decision {
    if command.email == person.email {
        return Ok(vec![]);
    }
    one(EmailChanged {
        from: person.email.clone(),
        to: command.email.clone(),
        verification_token_hash: command.verification_token_hash.clone(),
    })
}

fn change_username(person: &Person, command: &ChangeUsername) -> Decision {
    if command.username == person.username {
        return Ok(vec![]);
    }
    one(UsernameChanged { from: person.username.clone(), to: command.username.clone() })
}

fn change_password(person: &Person, command: &ChangePassword) -> Decision {
    if command.password_hash == person.password_hash {
        return Ok(vec![]);
    }
    one(PasswordChanged { password_hash: command.password_hash.clone() })
}

fn change_role(person: &Person, command: &ChangeRole) -> Decision {
    if command.role == person.role {
        return Ok(vec![]);
    }
    one(RoleChanged { from: person.role, to: command.role })
}

fn assign_role(person: &Person, role_id: Uuid, facts: &UserFacts) -> Decision {
    if person.roles.contains(&role_id) {
        return Ok(vec![]);
    }
    if facts.role.as_ref().and_then(Role::standing).is_none() {
        return Err(UserError::RoleUnknown { role_id });
    }
    if person.roles.len() >= MAX_ROLES {
        return Err(UserError::TooManyRoles { assigned: person.roles.len() });
    }
    one(RoleAssigned { role_id })
}

fn unassign_role(person: &Person, role_id: Uuid) -> Decision {
    if !person.roles.contains(&role_id) {
        return Ok(vec![]);
    }
    one(RoleUnassigned { role_id })
}

fn change_profile(profile: &Profile, command: &ChangeProfile) -> Decision {
    let mut new = profile.clone();
    if let Some(full_name) = &command.full_name
        && *full_name != profile.full_name
    {
        (new.first_name, new.last_name) = split_name(full_name);
        new.full_name = full_name.clone();
    }
    if let Some(name) = &command.first_name {
        new.first_name = part(name.as_str());
    }
    if let Some(name) = &command.last_name {
        new.last_name = part(name.as_str());
    }
    if let Some(phone) = &command.phone {
        new.phone = phone.clone();
    }
    if new == *profile {
        return Ok(vec![]);
    }
    let Profile { full_name, first_name, last_name, phone } = new;
    one(ProfileChanged { full_name, first_name, last_name, phone })
}

fn describe(person: &Person, command: &Describe) -> Decision {
    let before = person.description.clone().unwrap_or_default();
    let bio = command.bio.clone().unwrap_or_else(|| before.bio.clone());
    let avatar_url = command.avatar_url.clone().unwrap_or_else(|| before.avatar_url.clone());
    if (&bio, &avatar_url) == (&before.bio, &before.avatar_url) {
        return Ok(vec![]);
    }
    one(Described { bio, avatar_url, first: person.description.is_none() })
}

fn record_login(person: &Person, context: &Context) -> Decision {
    if person.status != UserStatus::Active {
        return Err(UserError::NotActive { status: person.status });
    }
    match person.locked_at(context.occurred()) {
        Some(until) => Err(UserError::Locked { failures: person.failures, until }),
        None => one(LoggedIn {}),
    }
}

/// Failures while locked append nothing, so that an attacker cannot fill the
/// log or stretch the lock; a lock that has run out starts the count anew.
fn record_failed_login(person: &Person, context: &Context) -> Decision {
    if person.status != UserStatus::Active {
        return Err(UserError::NotActive { status: person.status });
    }
    let at = context.occurred();
    if person.locked_at(at).is_some() {
        return Ok(vec![]);
    }
    let failures = if person.locked_until.is_some() { 1 } else { person.failures + 1 };
    let locked_until = (failures >= FAILURES_TO_LOCK).then(|| at + LOCK_FOR);
    one(LoginFailed { failures, locked_until })
}

fn unlock(person: &Person) -> Decision {
    if person.failures == 0 {
        return Ok(vec![]);
    }
    one(Unlocked {})
}

fn suspend(person: &Person, command: &Suspend) -> Decision {
    if person.status == UserStatus::Suspended {
        return Ok(vec![]);
    }
    one(Suspended { reason: command.reason.clone() })
}

/// A suspension is not lifted by way of a rest.
fn deactivate(person: &Person) -> Decision {
    match person.status {
        UserStatus::Active => one(Deactivated {}),
        UserStatus::Inactive => Ok(vec![]),
        UserStatus::Suspended | UserStatus::Deleted => {
            Err(UserError::NotActive { status: person.status })
        }
    }
}

fn reactivate(person: &Person) -> Decision {
    if person.status == UserStatus::Active {
        return Ok(vec![]);
    }
    one(Reactivated {})
}

fn delete(person: &Person, command: &Delete, facts: &UserFacts) -> Decision {
    if person.status == UserStatus::Deleted {
        return Ok(vec![]);
    }
    if !facts.owns.is_empty() {
        return Err(UserError::OwnsOrganizations { organizations: facts.owns.clone() });
    }
    one(Deleted { reason: command.reason.clone() })
}

fn restore(person: &Person) -> Decision {
    if person.status != UserStatus::Deleted {
        return Ok(vec![]);
    }
    one(Restored { status: person.status_before_deletion })
}
