//! A server: where it stands, what it has, whose it is, and whether it works.
//!
//! What is measured on it is not in its own stream: a server reports for years, and a state that
//! knew every sample would grow as long. The samples of each ISO week have a stream of their own,
//! [`crate::datacentre::usage`]; this one says only whether the server takes any.

pub mod commands;
mod decide;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Lifecycle};
use crate::context::Context;
use crate::identity::user::User;
use crate::values::{Capacity, Hostname, ServerStatus, Text};

pub use commands::ServerCommand;
pub use errors::ServerError;
pub use events::ServerEvent;

/// The scope of claims on host names. A decommissioned server keeps its own.
pub const HOSTNAME_CLAIM: &str = "server.hostname";

/// A server as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Server(Option<Machine>);

/// A server that was provisioned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Its name.
    pub hostname: Hostname,
    /// Its address.
    pub ip_address: IpAddr,
    /// Where it stands.
    pub rack_location: Option<Text<20>>,
    /// Processor cores.
    pub cpu_cores: Option<Capacity>,
    /// Memory, in GB.
    pub memory_gb: Option<Capacity>,
    /// Storage, in GB.
    pub storage_gb: Option<Capacity>,
    /// For whom it works.
    pub customer_id: Option<Uuid>,
    /// Whether it works.
    pub status: ServerStatus,
}

/// What a server must know of others, read under a guard.
#[derive(Debug, Clone, Default)]
pub struct ServerFacts {
    /// The state of the customer who is to have it; `None` or an empty one: there is no such user.
    pub customer: Option<User>,
}

impl Server {
    /// The server, once provisioned.
    #[must_use]
    pub fn machine(&self) -> Option<&Machine> {
        self.0.as_ref()
    }

    /// The user whose state the command's decision must know, if any.
    #[must_use]
    pub fn reads(&self, command: &ServerCommand) -> Option<Uuid> {
        match command {
            ServerCommand::Provision(command) => command.customer_id,
            ServerCommand::AssignCustomer(command) => Some(command.customer_id),
            ServerCommand::Readdress(_)
            | ServerCommand::Relocate(_)
            | ServerCommand::Resize(_)
            | ServerCommand::ReleaseCustomer(_)
            | ServerCommand::EnterMaintenance(_)
            | ServerCommand::LeaveMaintenance(_)
            | ServerCommand::Decommission(_)
            | ServerCommand::RecordUsage(_) => None,
        }
    }
}

impl Owned for Server {
    /// The customer's, who may look at it; what is done to it is the operators' own.
    fn owner(&self, _: Uuid, command: &ServerCommand) -> Option<Uuid> {
        match &self.0 {
            Some(machine) => machine.customer_id,
            None => self.reads(command),
        }
    }
}

impl Aggregate for Server {
    const KIND: &'static str = "datacentre.server";
    type Command = ServerCommand;
    type Event = ServerEvent;
    type Error = ServerError;
    type Facts = ServerFacts;

    fn decide(
        &self,
        command: &ServerCommand,
        facts: &ServerFacts,
        context: &Context,
    ) -> Result<Vec<ServerEvent>, ServerError> {
        decide::decide(self, command, facts, context)
    }

    fn apply(&mut self, event: &ServerEvent) {
        match (event, &mut self.0) {
            (ServerEvent::Provisioned(event), state) => {
                *state = Some(Machine {
                    hostname: event.hostname.clone(),
                    ip_address: event.ip_address,
                    rack_location: event.rack_location.clone(),
                    cpu_cores: event.cpu_cores,
                    memory_gb: event.memory_gb,
                    storage_gb: event.storage_gb,
                    customer_id: event.customer_id,
                    status: ServerStatus::Active,
                });
            }
            (ServerEvent::Readdressed(event), Some(machine)) => {
                machine.hostname = event.hostname.clone();
                machine.ip_address = event.ip_address;
            }
            (ServerEvent::Relocated(event), Some(machine)) => {
                machine.rack_location = event.rack_location.clone();
            }
            (ServerEvent::Resized(event), Some(machine)) => {
                machine.cpu_cores = event.cpu_cores;
                machine.memory_gb = event.memory_gb;
                machine.storage_gb = event.storage_gb;
            }
            (ServerEvent::CustomerAssigned(event), Some(machine)) => {
                machine.customer_id = Some(event.customer_id);
            }
            (ServerEvent::CustomerReleased(_), Some(machine)) => machine.customer_id = None,
            (ServerEvent::MaintenanceEntered(_), Some(machine)) => {
                machine.status = ServerStatus::Maintenance;
            }
            (ServerEvent::MaintenanceLeft(_), Some(machine)) => {
                machine.status = ServerStatus::Active;
            }
            (ServerEvent::Decommissioned(_), Some(machine)) => {
                machine.status = ServerStatus::Decommissioned;
            }
            (
                ServerEvent::Readdressed(_)
                | ServerEvent::Relocated(_)
                | ServerEvent::Resized(_)
                | ServerEvent::CustomerAssigned(_)
                | ServerEvent::CustomerReleased(_)
                | ServerEvent::MaintenanceEntered(_)
                | ServerEvent::MaintenanceLeft(_)
                | ServerEvent::Decommissioned(_),
                None,
            ) => {}
        }
    }

    fn effects(&self, _: Uuid, event: &ServerEvent) -> Effects {
        let claim = |hostname: &Hostname| vec![Claim::new(HOSTNAME_CLAIM, hostname.as_str())];
        match event {
            ServerEvent::Provisioned(event) => Effects {
                lifecycle: Lifecycle::Opens,
                claims: claim(&event.hostname),
                references: event.customer_id.into_iter().collect(),
                ..Effects::default()
            },
            ServerEvent::Readdressed(event) => match &self.0 {
                Some(machine) if machine.hostname != event.hostname => Effects {
                    claims: claim(&event.hostname),
                    releases: claim(&machine.hostname),
                    ..Effects::default()
                },
                Some(_) | None => Effects::default(),
            },
            ServerEvent::CustomerAssigned(event) => {
                Effects { references: vec![event.customer_id], ..Effects::default() }
            }
            ServerEvent::Decommissioned(_) => {
                Effects { lifecycle: Lifecycle::Closes, ..Effects::default() }
            }
            ServerEvent::Relocated(_)
            | ServerEvent::Resized(_)
            | ServerEvent::CustomerReleased(_)
            | ServerEvent::MaintenanceEntered(_)
            | ServerEvent::MaintenanceLeft(_) => Effects::default(),
        }
    }
}
