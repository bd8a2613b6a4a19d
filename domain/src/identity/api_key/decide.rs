//! The rules of API keys.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::commands::{Issue, Rotate};
use super::events::{Expired, Issued, Revoked, Rotated};
use super::{
    ApiKey, ApiKeyCommand, ApiKeyError, ApiKeyEvent, ApiKeyFacts, Key, MAX_SCOPES, Standing,
};
use crate::access;
use crate::context::{Actor, Context};
use crate::identity::user::Person;
use crate::values::{Scope, UserStatus};

type Decision = Result<Vec<ApiKeyEvent>, ApiKeyError>;

pub(super) fn decide(
    state: &ApiKey,
    command: &ApiKeyCommand,
    facts: &ApiKeyFacts,
    context: &Context,
) -> Decision {
    match command {
        ApiKeyCommand::Issue(command) => issue(state, command, facts, context),
        ApiKeyCommand::Rotate(command) => rotate(known(state)?, command, facts, context),
        ApiKeyCommand::Revoke(command) => {
            let key = known(state)?;
            yours(key.user_id, &context.actor)?;
            match key.standing {
                Standing::Valid => one(Revoked { reason: command.reason.clone() }),
                Standing::Revoked | Standing::Expired => Ok(vec![]),
            }
        }
        ApiKeyCommand::Expire(_) => expire(known(state)?, context.now),
    }
}

fn one(event: impl Into<ApiKeyEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(state: &ApiKey) -> Result<&Key, ApiKeyError> {
    state.key().ok_or(ApiKeyError::Unknown)
}

fn issue(state: &ApiKey, command: &Issue, facts: &ApiKeyFacts, context: &Context) -> Decision {
    if state.key().is_some() {
        return Err(ApiKeyError::AlreadyIssued);
    }
    let user_id = command.user_id;
    yours(user_id, &context.actor)?;
    let owner = active_owner(user_id, facts)?;
    let role = owner.role;
    let asked = command.scopes.len();
    if asked == 0 || asked > MAX_SCOPES {
        return Err(ApiKeyError::ScopeCount { asked });
    }
    for scope in &command.scopes {
        // What assigned roles grant is known at the moment of use only.
        if owner.roles.is_empty() && !access::grants_anything(role, scope) {
            return Err(ApiKeyError::ScopeBeyondRole { scope: scope.clone(), role });
        }
    }
    no_wider_than_own(&context.actor, &command.scopes)?;
    in_future(command.expires_at, context.now)?;
    one(Issued {
        user_id,
        name: command.name.clone(),
        prefix: command.prefix.clone(),
        secret_hash: command.secret_hash.clone(),
        scopes: command.scopes.clone(),
        expires_at: command.expires_at,
    })
}

fn rotate(key: &Key, command: &Rotate, facts: &ApiKeyFacts, context: &Context) -> Decision {
    yours(key.user_id, &context.actor)?;
    match key.standing {
        Standing::Revoked => return Err(ApiKeyError::Revoked),
        Standing::Expired => return Err(ApiKeyError::Expired),
        Standing::Valid if !key.is_valid_at(context.now) => return Err(ApiKeyError::Expired),
        Standing::Valid => {}
    }
    active_owner(key.user_id, facts)?;
    // Whoever rotates learns the secret: so a key rotates none that is wider than itself.
    no_wider_than_own(&context.actor, &key.scopes)?;
    in_future(command.expires_at, context.now)?;
    let rotated = Rotated {
        from_prefix: key.prefix.clone(),
        prefix: command.prefix.clone(),
        secret_hash: command.secret_hash.clone(),
        expires_at: command.expires_at.or(key.expires_at),
    };
    let as_before = rotated.prefix == key.prefix
        && rotated.secret_hash == key.secret_hash
        && rotated.expires_at == key.expires_at;
    if as_before { Ok(vec![]) } else { one(rotated) }
}

fn expire(key: &Key, now: DateTime<Utc>) -> Decision {
    match key.standing {
        Standing::Revoked | Standing::Expired => Ok(vec![]),
        Standing::Valid if key.is_valid_at(now) => {
            Err(ApiKeyError::NotDue { expires_at: key.expires_at })
        }
        Standing::Valid => one(Expired {}),
    }
}

fn yours(user_id: Uuid, actor: &Actor) -> Result<(), ApiKeyError> {
    if actor.id == user_id || actor.is_admin() {
        return Ok(());
    }
    Err(ApiKeyError::NotYours { user_id })
}

/// The owner, if the owner is an active person.
fn active_owner(user_id: Uuid, facts: &ApiKeyFacts) -> Result<&Person, ApiKeyError> {
    let owner = facts.owner.as_ref().and_then(|owner| owner.person());
    let owner = owner.ok_or(ApiKeyError::OwnerUnknown { user_id })?;
    if owner.is_system {
        return Err(ApiKeyError::OwnerIsSystem { user_id });
    }
    if owner.status != UserStatus::Active {
        return Err(ApiKeyError::OwnerNotActive { user_id, status: owner.status });
    }
    Ok(owner)
}

/// Who acts through a key that is limited cannot make one that is less so.
fn no_wider_than_own(actor: &Actor, scopes: &[Scope]) -> Result<(), ApiKeyError> {
    match scopes.iter().find(|scope| !access::within_own_scopes(actor, scope)) {
        Some(scope) => Err(ApiKeyError::ScopeBeyondKey { scope: scope.clone() }),
        None => Ok(()),
    }
}

fn in_future(expires_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), ApiKeyError> {
    match expires_at {
        Some(expires_at) if expires_at <= now => Err(ApiKeyError::ExpiryPast { expires_at, now }),
        Some(_) | None => Ok(()),
    }
}
