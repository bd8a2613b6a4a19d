//! The rules of subscriptions.

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

use super::commands::{ChangePlan, Configure, Renew, Subscribe};
use super::events::{Cancelled, Configured, Expired, PlanChanged, Renewed, Subscribed};
use super::{
    Subscription, SubscriptionCommand, SubscriptionError, SubscriptionEvent, SubscriptionFacts,
    Terms,
};
use crate::context::Context;
use crate::values::{ServiceStatus, SubscriptionStatus, UserStatus};

type Decision = Result<Vec<SubscriptionEvent>, SubscriptionError>;

/// Durations go by when it happens in the world.
pub(super) fn decide(
    subscription: &Subscription,
    command: &SubscriptionCommand,
    facts: &SubscriptionFacts,
    context: &Context,
) -> Decision {
    use SubscriptionCommand as Asked;
    let at = context.occurred();
    match command {
        Asked::Subscribe(command) => subscribe(subscription, command, facts, at),
        Asked::ChangePlan(command) => {
            change_plan(running(known(subscription)?, at)?, command, facts)
        }
        Asked::Configure(command) => configure(running(known(subscription)?, at)?, command),
        Asked::Renew(command) => renew(running(known(subscription)?, at)?, command, facts),
        Asked::Cancel(command) => match known(subscription)?.status {
            SubscriptionStatus::Active => one(Cancelled { reason: command.reason.clone() }),
            SubscriptionStatus::Cancelled | SubscriptionStatus::Expired => Ok(vec![]),
        },
        Asked::Expire(_) => expire(known(subscription)?, at),
    }
}

fn one(event: impl Into<SubscriptionEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(subscription: &Subscription) -> Result<&Terms, SubscriptionError> {
    subscription.terms().ok_or(SubscriptionError::Unknown)
}

/// An instant to the microsecond, which is what the read tables keep.
fn as_kept(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant.trunc_subsecs(6)
}

/// One that has not ended, nor is past its time.
fn running(terms: &Terms, at: DateTime<Utc>) -> Result<&Terms, SubscriptionError> {
    match terms.status {
        SubscriptionStatus::Cancelled => Err(SubscriptionError::Cancelled),
        SubscriptionStatus::Expired => Err(SubscriptionError::Expired),
        SubscriptionStatus::Active if !terms.runs_at(at) => Err(SubscriptionError::Expired),
        SubscriptionStatus::Active => Ok(terms),
    }
}

fn on_offer(service_id: Uuid, facts: &SubscriptionFacts) -> Result<(), SubscriptionError> {
    let offer = facts.service.as_ref().and_then(|service| service.offer());
    match offer.ok_or(SubscriptionError::ServiceUnknown { service_id })?.status {
        ServiceStatus::Active => Ok(()),
        ServiceStatus::Inactive => Err(SubscriptionError::ServiceNotActive { service_id }),
    }
}

fn subscribe(
    subscription: &Subscription,
    command: &Subscribe,
    facts: &SubscriptionFacts,
    begins: DateTime<Utc>,
) -> Decision {
    if subscription.terms().is_some() {
        return Err(SubscriptionError::AlreadySubscribed);
    }
    let user_id = command.user_id;
    let status = facts.subscriber.as_ref().and_then(|user| user.status());
    match status.ok_or(SubscriptionError::SubscriberUnknown { user_id })? {
        UserStatus::Active => {}
        status @ (UserStatus::Inactive | UserStatus::Suspended | UserStatus::Deleted) => {
            return Err(SubscriptionError::SubscriberNotActive { user_id, status });
        }
    }
    on_offer(command.service_id, facts)?;
    let expires_at = command.expires_at.map(as_kept);
    if let Some(expires_at) = expires_at.filter(|end| *end <= begins) {
        return Err(SubscriptionError::ExpiryPast { expires_at, begins });
    }
    one(Subscribed {
        user_id,
        service_id: command.service_id,
        plan: command.plan.clone(),
        expires_at,
        configuration: command.configuration.clone(),
    })
}

fn change_plan(terms: &Terms, command: &ChangePlan, facts: &SubscriptionFacts) -> Decision {
    if command.plan == terms.plan {
        return Ok(vec![]);
    }
    on_offer(terms.service_id, facts)?;
    one(PlanChanged { from: terms.plan.clone(), to: command.plan.clone() })
}

fn configure(terms: &Terms, command: &Configure) -> Decision {
    if terms.configuration.as_ref() == Some(&command.configuration) {
        return Ok(vec![]);
    }
    one(Configured { configuration: command.configuration.clone() })
}

fn renew(terms: &Terms, command: &Renew, facts: &SubscriptionFacts) -> Decision {
    let asked = as_kept(command.expires_at);
    let expires_at = terms.expires_at.ok_or(SubscriptionError::NeverExpires)?;
    if asked == expires_at {
        return Ok(vec![]);
    }
    if asked < expires_at {
        return Err(SubscriptionError::NotLater { expires_at, asked });
    }
    on_offer(terms.service_id, facts)?;
    one(Renewed { from: expires_at, expires_at: asked })
}

fn expire(terms: &Terms, at: DateTime<Utc>) -> Decision {
    match terms.status {
        SubscriptionStatus::Cancelled | SubscriptionStatus::Expired => Ok(vec![]),
        SubscriptionStatus::Active if terms.runs_at(at) => {
            Err(SubscriptionError::NotDue { expires_at: terms.expires_at })
        }
        SubscriptionStatus::Active => one(Expired {}),
    }
}
