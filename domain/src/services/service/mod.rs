//! A service: what is offered, and may be subscribed to while it is active.
//!
//! Its name is unique as it is written: case counts, as in the table's own
//! constraint. Absent on purpose: its subscriptions, which are streams of their
//! own and go on when it is taken off the offer.

pub mod commands;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Lifecycle};
use crate::context::Context;
use crate::values::{JsonObject, Prose, ServiceStatus, Text};

pub use commands::ServiceCommand;
pub use errors::ServiceError;
pub use events::ServiceEvent;

use commands::{Describe, Register};
use events::{Activated, Configured, Deactivated, Described, Registered};

/// The scope of claims on services' names (as they are: case counts).
pub const NAME_CLAIM: &str = "service.name";

/// What a service is called.
pub type Name = Text<100>;
/// What sort of service it is.
pub type Type = Text<50>;
/// What a service is about.
pub type About = Prose<10_000>;

/// A service as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Service(Option<Offer>);

/// A service that was registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// What it is called.
    pub name: Name,
    /// What sort of service it is.
    pub service_type: Type,
    /// What it is about.
    pub description: Option<About>,
    /// How it is set up.
    pub configuration: Option<JsonObject>,
    /// Whether it may be subscribed to.
    pub status: ServiceStatus,
}

impl Service {
    /// The service, once registered.
    #[must_use]
    pub fn offer(&self) -> Option<&Offer> {
        self.0.as_ref()
    }
}

impl Owned for Service {
    /// Nobody's.
    fn owner(&self, _: Uuid, _: &ServiceCommand) -> Option<Uuid> {
        None
    }
}

impl Aggregate for Service {
    const KIND: &'static str = "services.service";
    type Command = ServiceCommand;
    type Event = ServiceEvent;
    type Error = ServiceError;
    type Facts = ();

    fn decide(
        &self,
        command: &ServiceCommand,
        (): &(),
        _: &Context,
    ) -> Result<Vec<ServiceEvent>, ServiceError> {
        let known = || self.offer().ok_or(ServiceError::Unknown);
        match command {
            ServiceCommand::Register(command) => register(self, command),
            ServiceCommand::Describe(command) => Ok(known()?.describe(command)),
            ServiceCommand::Configure(command) => {
                if known()?.configuration.as_ref() == Some(&command.configuration) {
                    return Ok(vec![]);
                }
                one(Configured { configuration: command.configuration.clone() })
            }
            ServiceCommand::Activate(_) => match known()?.status {
                ServiceStatus::Active => Ok(vec![]),
                ServiceStatus::Inactive => one(Activated {}),
            },
            ServiceCommand::Deactivate(command) => match known()?.status {
                ServiceStatus::Active => one(Deactivated { reason: command.reason.clone() }),
                ServiceStatus::Inactive => Ok(vec![]),
            },
        }
    }

    fn apply(&mut self, event: &ServiceEvent) {
        if let ServiceEvent::Registered(event) = event {
            self.0 = Some(Offer::registered(event));
        } else if let Some(offer) = &mut self.0 {
            offer.apply(event);
        }
    }

    fn effects(&self, _: Uuid, event: &ServiceEvent) -> Effects {
        let claim = |name: &Name| vec![Claim::new(NAME_CLAIM, name.as_str())];
        match event {
            ServiceEvent::Registered(event) => Effects {
                lifecycle: Lifecycle::Opens,
                claims: claim(&event.name),
                ..Effects::default()
            },
            ServiceEvent::Described(event) if event.name == event.from_name => Effects::default(),
            ServiceEvent::Described(event) => Effects {
                claims: claim(&event.name),
                releases: claim(&event.from_name),
                ..Effects::default()
            },
            ServiceEvent::Configured(_)
            | ServiceEvent::Activated(_)
            | ServiceEvent::Deactivated(_) => Effects::default(),
        }
    }
}

fn one(event: impl Into<ServiceEvent>) -> Result<Vec<ServiceEvent>, ServiceError> {
    Ok(vec![event.into()])
}

fn register(service: &Service, command: &Register) -> Result<Vec<ServiceEvent>, ServiceError> {
    if service.offer().is_some() {
        return Err(ServiceError::AlreadyRegistered);
    }
    one(Registered {
        name: command.name.clone(),
        service_type: command.service_type.clone(),
        description: command.description.clone(),
        configuration: command.configuration.clone(),
    })
}

impl Offer {
    fn describe(&self, command: &Describe) -> Vec<ServiceEvent> {
        let described = Described {
            from_name: self.name.clone(),
            name: command.name.as_ref().unwrap_or(&self.name).clone(),
            service_type: command.service_type.as_ref().unwrap_or(&self.service_type).clone(),
            description: command.description.as_ref().unwrap_or(&self.description).clone(),
        };
        let as_before = described.name == self.name
            && described.service_type == self.service_type
            && described.description == self.description;
        if as_before { vec![] } else { vec![described.into()] }
    }

    fn registered(event: &Registered) -> Self {
        Self {
            name: event.name.clone(),
            service_type: event.service_type.clone(),
            description: event.description.clone(),
            configuration: event.configuration.clone(),
            status: ServiceStatus::Active,
        }
    }

    fn apply(&mut self, event: &ServiceEvent) {
        match event {
            ServiceEvent::Registered(event) => *self = Self::registered(event),
            ServiceEvent::Described(event) => {
                self.name = event.name.clone();
                self.service_type = event.service_type.clone();
                self.description = event.description.clone();
            }
            ServiceEvent::Configured(event) => {
                self.configuration = Some(event.configuration.clone());
            }
            ServiceEvent::Activated(_) => self.status = ServiceStatus::Active,
            ServiceEvent::Deactivated(_) => self.status = ServiceStatus::Inactive,
        }
    }
}
