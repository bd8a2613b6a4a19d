//! The rules of sessions.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::commands::{Close, Extend, Open};
use super::events::{Expired, Extended, Opened};
use super::{
    LONGEST, Session, SessionCommand, SessionError, SessionEvent, SessionFacts, Standing, USUAL,
    Visit,
};
use crate::access;
use crate::context::{Actor, Context};
use crate::values::UserStatus;

type Decision = Result<Vec<SessionEvent>, SessionError>;

pub(super) fn decide(
    state: &Session,
    command: &SessionCommand,
    facts: &SessionFacts,
    context: &Context,
) -> Decision {
    match command {
        SessionCommand::Open(command) => open(state, command, facts, context),
        SessionCommand::Extend(command) => extend(known(state)?, command, facts, context),
        SessionCommand::Close(command) => close(known(state)?, command, context),
        SessionCommand::Expire(_) => expire(known(state)?, context.now),
    }
}

fn one(event: impl Into<SessionEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(state: &Session) -> Result<&Visit, SessionError> {
    state.visit().ok_or(SessionError::Unknown)
}

fn open(state: &Session, command: &Open, facts: &SessionFacts, context: &Context) -> Decision {
    if state.visit().is_some() {
        return Err(SessionError::AlreadyOpened);
    }
    let Open { user_id, org_id, token_hash, expires_at } = command.clone();
    // Whoever opens a session learns its token, which may all that the user may.
    if context.actor.id != user_id && !context.actor.is_admin() {
        return Err(SessionError::NotYours { user_id });
    }
    if !access::is_unlimited(&context.actor) {
        return Err(SessionError::BeyondKey);
    }
    active(user_id, facts)?;
    if let Some(org_id) = org_id {
        member(user_id, org_id, facts)?;
    }
    let expires_at = expires_at.unwrap_or(context.now + USUAL);
    within_bounds(expires_at, context.now)?;
    one(Opened { user_id, org_id, token_hash, expires_at })
}

fn active(user_id: Uuid, facts: &SessionFacts) -> Result<(), SessionError> {
    let user = facts.user.as_ref().and_then(|user| user.person());
    let user = user.ok_or(SessionError::UserUnknown { user_id })?;
    if user.is_system {
        return Err(SessionError::UserIsSystem { user_id });
    }
    if user.status != UserStatus::Active {
        return Err(SessionError::UserNotActive { user_id, status: user.status });
    }
    Ok(())
}

fn member(user_id: Uuid, org_id: Uuid, facts: &SessionFacts) -> Result<(), SessionError> {
    let organization = facts.organization.as_ref();
    let body = organization.and_then(|organization| organization.body());
    let is_member = body.is_some_and(|body| !body.is_deleted())
        && organization.is_some_and(|organization| organization.role_of(user_id).is_some());
    if is_member { Ok(()) } else { Err(SessionError::NotAMember { user_id, org_id }) }
}

fn within_bounds(expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), SessionError> {
    let latest = now + LONGEST;
    if expires_at <= now {
        return Err(SessionError::ExpiryPast { expires_at, now });
    }
    if expires_at > latest {
        return Err(SessionError::TooLong { expires_at, latest });
    }
    Ok(())
}

fn yours(visit: &Visit, actor: &Actor) -> Result<(), SessionError> {
    if actor.id == visit.user_id || actor.is_admin() {
        return Ok(());
    }
    Err(SessionError::NotYours { user_id: visit.user_id })
}

fn extend(visit: &Visit, command: &Extend, facts: &SessionFacts, context: &Context) -> Decision {
    yours(visit, &context.actor)?;
    match visit.standing {
        Standing::Closed => return Err(SessionError::Closed),
        Standing::Expired => return Err(SessionError::Expired),
        Standing::Open if !visit.is_valid_at(context.now) => return Err(SessionError::Expired),
        Standing::Open => {}
    }
    active(visit.user_id, facts)?;
    let Some(expires_at) = command.expires_at else {
        // A day from now, unless it lasts longer anyway.
        let expires_at = context.now + USUAL;
        return if expires_at > visit.expires_at {
            extended(visit, expires_at)
        } else {
            Ok(vec![])
        };
    };
    within_bounds(expires_at, context.now)?;
    if expires_at < visit.expires_at {
        return Err(SessionError::Shorter { expires_at, ends_at: visit.expires_at });
    }
    if expires_at == visit.expires_at { Ok(vec![]) } else { extended(visit, expires_at) }
}

fn extended(visit: &Visit, expires_at: DateTime<Utc>) -> Decision {
    one(Extended { user_id: visit.user_id, org_id: visit.org_id, expires_at })
}

fn close(visit: &Visit, command: &Close, context: &Context) -> Decision {
    yours(visit, &context.actor)?;
    match visit.standing {
        Standing::Open => one(visit.closed(command.reason.clone())),
        Standing::Closed | Standing::Expired => Ok(vec![]),
    }
}

fn expire(visit: &Visit, now: DateTime<Utc>) -> Decision {
    match visit.standing {
        Standing::Closed | Standing::Expired => Ok(vec![]),
        Standing::Open if visit.is_valid_at(now) => {
            Err(SessionError::NotDue { expires_at: visit.expires_at })
        }
        Standing::Open => one(Expired { user_id: visit.user_id, org_id: visit.org_id }),
    }
}
