//! A subscription: what a user has of a service, and until when.
//!
//! A user has one active subscription to a service at a time: the pair is
//! claimed while it is active, and given back when it ends. What has ended stays
//! so; who wants it again subscribes anew. Absent on purpose: when it began,
//! which is when its first event happened.

pub mod commands;
mod decide;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::service::Service;
use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Lifecycle};
use crate::context::Context;
use crate::identity::user::User;
use crate::values::{JsonObject, SubscriptionStatus, Text};

pub use commands::SubscriptionCommand;
pub use errors::SubscriptionError;
pub use events::SubscriptionEvent;

/// The scope of claims on a user and a service: `user/service`, while a subscription is active.
pub const ACTIVE_CLAIM: &str = "subscription.active";

/// Under which plan something is subscribed to.
pub type Plan = Text<50>;

/// A subscription as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subscription(Option<Terms>);

/// A subscription that began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Who subscribes.
    pub user_id: Uuid,
    /// To what.
    pub service_id: Uuid,
    /// Under which plan.
    pub plan: Plan,
    /// When it ends by itself, if it does.
    pub expires_at: Option<DateTime<Utc>>,
    /// How it is set up.
    pub configuration: Option<JsonObject>,
    /// Whether it goes on.
    pub status: SubscriptionStatus,
}

/// What a subscription must know of others, read under guards.
#[derive(Debug, Clone, Default)]
pub struct SubscriptionFacts {
    /// The state of the user who subscribes; `None` or an empty one: there is no such user.
    pub subscriber: Option<User>,
    /// The state of the service; `None` or an empty one: there is no such service.
    pub service: Option<Service>,
}

/// The streams whose states a decision must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reads {
    /// The service.
    pub service_id: Uuid,
    /// The subscriber, where it is about them too.
    pub user_id: Option<Uuid>,
}

impl Subscription {
    /// The subscription, once it began.
    #[must_use]
    pub fn terms(&self) -> Option<&Terms> {
        self.0.as_ref()
    }

    /// The streams whose states the command's decision must know, if any.
    #[must_use]
    pub fn reads(&self, command: &SubscriptionCommand) -> Option<Reads> {
        match command {
            SubscriptionCommand::Subscribe(command) => {
                Some(Reads { service_id: command.service_id, user_id: Some(command.user_id) })
            }
            SubscriptionCommand::ChangePlan(_) | SubscriptionCommand::Renew(_) => {
                self.0.as_ref().map(|terms| Reads { service_id: terms.service_id, user_id: None })
            }
            SubscriptionCommand::Configure(_)
            | SubscriptionCommand::Cancel(_)
            | SubscriptionCommand::Expire(_) => None,
        }
    }
}

impl Terms {
    /// Whether it goes on at `at`: neither ended nor past its time.
    #[must_use]
    pub fn runs_at(&self, at: DateTime<Utc>) -> bool {
        self.status == SubscriptionStatus::Active && self.expires_at.is_none_or(|end| end > at)
    }

    fn claim(user_id: Uuid, service_id: Uuid) -> Vec<Claim> {
        vec![Claim::new(ACTIVE_CLAIM, format!("{user_id}/{service_id}"))]
    }
}

impl Owned for Subscription {
    fn owner(&self, _: Uuid, command: &SubscriptionCommand) -> Option<Uuid> {
        match (&self.0, command) {
            (Some(terms), _) => Some(terms.user_id),
            (None, command) => self.reads(command).and_then(|reads| reads.user_id),
        }
    }
}

impl Aggregate for Subscription {
    const KIND: &'static str = "services.subscription";
    type Command = SubscriptionCommand;
    type Event = SubscriptionEvent;
    type Error = SubscriptionError;
    type Facts = SubscriptionFacts;

    fn decide(
        &self,
        command: &SubscriptionCommand,
        facts: &SubscriptionFacts,
        context: &Context,
    ) -> Result<Vec<SubscriptionEvent>, SubscriptionError> {
        decide::decide(self, command, facts, context)
    }

    fn apply(&mut self, event: &SubscriptionEvent) {
        if let SubscriptionEvent::Subscribed(event) = event {
            self.0 = Some(Terms::subscribed(event));
        } else if let Some(terms) = &mut self.0 {
            terms.apply(event);
        }
    }

    fn effects(&self, _: Uuid, event: &SubscriptionEvent) -> Effects {
        match event {
            SubscriptionEvent::Subscribed(event) => Effects {
                lifecycle: Lifecycle::Opens,
                claims: Terms::claim(event.user_id, event.service_id),
                references: vec![event.user_id, event.service_id],
                ..Effects::default()
            },
            SubscriptionEvent::Cancelled(_) | SubscriptionEvent::Expired(_) => Effects {
                lifecycle: Lifecycle::Closes,
                releases: self
                    .0
                    .as_ref()
                    .map(|terms| Terms::claim(terms.user_id, terms.service_id))
                    .unwrap_or_default(),
                ..Effects::default()
            },
            SubscriptionEvent::PlanChanged(_)
            | SubscriptionEvent::Configured(_)
            | SubscriptionEvent::Renewed(_) => Effects::default(),
        }
    }
}

impl Terms {
    fn subscribed(event: &events::Subscribed) -> Self {
        Self {
            user_id: event.user_id,
            service_id: event.service_id,
            plan: event.plan.clone(),
            expires_at: event.expires_at,
            configuration: event.configuration.clone(),
            status: SubscriptionStatus::Active,
        }
    }

    fn apply(&mut self, event: &SubscriptionEvent) {
        match event {
            SubscriptionEvent::Subscribed(event) => *self = Self::subscribed(event),
            SubscriptionEvent::PlanChanged(event) => self.plan = event.to.clone(),
            SubscriptionEvent::Configured(event) => {
                self.configuration = Some(event.configuration.clone());
            }
            SubscriptionEvent::Renewed(event) => self.expires_at = Some(event.expires_at),
            SubscriptionEvent::Cancelled(_) => self.status = SubscriptionStatus::Cancelled,
            SubscriptionEvent::Expired(_) => self.status = SubscriptionStatus::Expired,
        }
    }
}
